//! What goes wrong with the log's store, and what follows from it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use sealpost_domain::Unread;
use thiserror::Error;

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The same may succeed later.
    Transient,
    /// It will not, until a person acts.
    Permanent,
}

/// What went wrong.
#[derive(Debug, Error)]
pub enum LogFailure {
    /// Another process owns the folder.
    #[error("the log folder {dir} is in use by another process{}", owner.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    FolderInUse {
        /// The folder.
        dir: PathBuf,
        /// The process, as far as it said so.
        owner: Option<u32>,
    },
    /// The folder or one of its files cannot be used.
    #[error("{doing} {path} failed")]
    Folder {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A newer program wrote this log.
    #[error("the log has schema {found}, and this program knows up to {known}")]
    SchemaTooNew {
        /// What was found.
        found: i64,
        /// What is known.
        known: i64,
    },
    /// The store does not keep the promise that a commit is on disk.
    #[error("the store did not take the setting {setting}: it is {found}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What it is instead.
        found: String,
    },
    /// The store refuses rows: they break one of its rules. Nothing of the round is there.
    #[error("the store refuses rows while {doing}")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// What the store says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The disk is full.
    #[error("the disk is full: {doing}")]
    DiskFull {
        /// What was tried.
        doing: &'static str,
    },
    /// The store did not do it. What became of a commit is unknown.
    #[error("{doing} failed")]
    Store {
        /// What was tried.
        doing: &'static str,
        /// What the store says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stored row is not in its form.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where.
        position: u64,
        /// What it concerns, where that much can be read.
        unread: Option<Box<Unread>>,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store lost what was acknowledged: nothing may be appended to what is left.
    #[error("the log ends at position {found}, and position {acknowledged} was acknowledged")]
    Lost {
        /// Where it ends.
        found: u64,
        /// Where it ended before.
        acknowledged: u64,
    },
    /// The first append of the epoch was not taken.
    #[error("the log could not begin an epoch")]
    EpochRefused,
}

impl LogFailure {
    /// What follows from it.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::DiskFull { .. } | Self::Store { .. } | Self::FolderInUse { .. } => FailureClass::Transient,
            Self::Folder { .. }
            | Self::SchemaTooNew { .. }
            | Self::Setting { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::Lost { .. }
            | Self::EpochRefused => FailureClass::Permanent,
        }
    }

    /// For `map_err` of file calls.
    pub(super) fn folder(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Folder { doing, path, source }
    }
}
