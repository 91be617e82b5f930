//! What goes wrong in the vault, and whether trying again can help.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use sealpost_domain::ids::{AccountId, DataKeyId, MessageId, PartId, UserId};

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// It may: a full disk is emptied, a key is drawn anew.
    Transient,
    /// It will not, until a person acts.
    Permanent,
}

/// Why the file with the master key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFileFault {
    /// Others than its owner may read or write it.
    #[error("its mode is {mode:o}, and must be 600 or 400")]
    Exposed {
        /// The lower nine bits of its mode.
        mode: u32,
    },
    /// There is one already, and a master key is never overwritten.
    #[error("it exists already")]
    Exists,
    /// Its text is not in the form of a master key.
    #[error("its text is not in the form of a master key")]
    BadForm,
}

/// Which data key is not there: destroyed, or never drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MissingKey {
    /// The key with this id.
    #[error("{0}")]
    Key(DataKeyId),
    /// The key of this account.
    #[error("of account {0}")]
    Account(AccountId),
    /// The key of this user.
    #[error("of user {0}")]
    User(UserId),
}

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damage {
    /// The record of a content part.
    #[error("part {part} in pack {pack}")]
    Part {
        /// The part.
        part: PartId,
        /// The pack's name.
        pack: String,
    },
    /// The wrapped keys of a message's parts.
    #[error("wrapped part keys of message {0}")]
    Wrap(MessageId),
    /// A wrapped data key.
    #[error("data key {0}")]
    Key(DataKeyId),
    /// Packs lie there and their keys do not.
    #[error("keys.db is missing beside content")]
    KeysGone,
    /// The pack's name in a content reference is none.
    #[error("name of a pack")]
    PackName,
}

/// What went wrong. Cheap to clone, since one failure answers everyone who waits for a group.
#[derive(Debug, Clone, Error)]
pub enum VaultFailure {
    /// The master key is not the one that this vault was made with.
    #[error("the master key is not the one of this vault")]
    WrongMasterKey,
    /// The file with the master key is not taken.
    #[error("the master key file {path} is not taken")]
    MasterKeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        fault: KeyFileFault,
    },
    /// A data key is not there: drawn anew by [`Vault::ensure_keys`](super::Vault::ensure_keys).
    #[error("data key {which} is missing")]
    KeyMissing {
        /// Which.
        which: MissingKey,
    },
    /// The message's content was erased, or never kept.
    #[error("the content of message {message} is erased")]
    ContentErased {
        /// The message.
        message: MessageId,
    },
    /// The disk is full.
    #[error("the disk is full: {doing} {path}")]
    DiskFull {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The disk did not do it.
    #[error("{doing} {path} failed")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The key database did not do it.
    #[error("{doing} in keys.db failed")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A part of a message's content is larger than a pack takes.
    #[error("a content part of {size_bytes} bytes is too large for a pack")]
    TooLarge {
        /// Its length.
        size_bytes: usize,
    },
    /// The cipher, the compressor or the source of random numbers did not do it.
    #[error("{doing} failed")]
    Cipher {
        /// What was tried.
        doing: &'static str,
    },
    /// Stored bytes are not as they were written.
    #[error("stored bytes are damaged: {what}")]
    Corrupt {
        /// Which.
        what: Damage,
    },
    /// The vault is closed.
    #[error("the vault is closed")]
    Closed,
}

impl VaultFailure {
    /// Whether the same call can succeed later.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            // The same row twice stays the same row twice.
            Self::Database { .. } if self.is_of_one_job() => FailureClass::Permanent,
            Self::KeyMissing { .. }
            | Self::DiskFull { .. }
            | Self::Io { .. }
            | Self::Database { .. }
            | Self::Cipher { .. }
            | Self::Closed => FailureClass::Transient,
            Self::WrongMasterKey
            | Self::MasterKeyFile { .. }
            | Self::ContentErased { .. }
            | Self::TooLarge { .. }
            | Self::Corrupt { .. } => FailureClass::Permanent,
        }
    }

    /// Whether it lies with what was asked, so that others who asked at the same time need not suffer.
    pub(super) fn is_of_one_job(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Cipher { .. } => true,
            Self::Database { source, .. } => {
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
            }
            _ => false,
        }
    }

    /// For `map_err` of file calls: tells a full disk from the rest.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { doing, path },
            _ => Self::Io {
                doing,
                path,
                source: Arc::new(source),
            },
        }
    }

    /// For `map_err` of database calls: tells a full disk from the rest.
    pub(super) fn db(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull {
                doing,
                path: PathBuf::from("keys.db"),
            },
            _ => Self::Database {
                doing,
                source: Arc::new(source),
            },
        }
    }
}
