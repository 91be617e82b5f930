//! What can go wrong with a read model itself, apart from the events that it folds.

use std::path::PathBuf;

use thiserror::Error;

use crate::projection::SourceFailure;

/// Whether it may help to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The same call may succeed later.
    Transient,
    /// It will not, until somebody does something.
    Permanent,
}

/// Why a read model cannot be written or asked.
#[derive(Debug, Error)]
pub enum ProjectionFailure {
    /// Its file, or the folder around it, cannot be used.
    #[error("the file {} of a projection cannot be used", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The database in its file fails.
    #[error("the database of the projection {projection} failed")]
    Store {
        /// The projection.
        projection: &'static str,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The system gives no thread.
    #[error("the projection {projection} gets no thread")]
    Thread {
        /// The projection.
        projection: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is not built yet, or was just deleted: its runner makes it.
    #[error("the projection {projection} is not built yet")]
    Unbuilt {
        /// The projection.
        projection: &'static str,
    },
    /// The log cannot be read.
    #[error("the projection {projection} cannot read the log")]
    Source {
        /// The projection.
        projection: &'static str,
        /// What the log says.
        #[source]
        source: SourceFailure,
    },
    /// The log gave an event that does not follow the last one.
    #[error("the projection {projection} was given position {given} after {after}")]
    Gap {
        /// The projection.
        projection: &'static str,
        /// Position of the last event.
        after: u64,
        /// Position that was given.
        given: u64,
    },
    /// A shadow build met an event that cannot be folded.
    #[error("the projection {projection} stops at position {position}")]
    Poison {
        /// The projection.
        projection: &'static str,
        /// Position of the event.
        position: u64,
        /// Why it cannot be folded.
        #[source]
        source: crate::projection::FoldRefusal,
    },
}

impl ProjectionFailure {
    /// Whether it may help to try again.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::File { .. }
            | Self::Store { .. }
            | Self::Thread { .. }
            | Self::Unbuilt { .. }
            | Self::Source { .. } => FailureClass::Transient,
            Self::Gap { .. } | Self::Poison { .. } => FailureClass::Permanent,
        }
    }
}
