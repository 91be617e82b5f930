//! Whether the log takes requests: the answer of `/readyz`, and the first question of every append.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::append::{Busy, Lane};

/// How the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// It takes everything.
    Serving,
    /// It takes no new mail: the disk is nearly full.
    DiskMark,
    /// It takes nothing: a write failed, and it tries to come back once a second.
    Stopped,
}

/// The state, as the writer sets it and everybody reads it.
#[derive(Debug, Clone)]
pub(super) struct Door(Arc<AtomicU8>);

impl Door {
    /// A door that stands open.
    pub(super) fn open() -> Self {
        Self(Arc::new(AtomicU8::new(0)))
    }

    /// How the log is now.
    pub(super) fn state(&self) -> LogState {
        match self.0.load(Ordering::Acquire) {
            0 => LogState::Serving,
            1 => LogState::DiskMark,
            _ => LogState::Stopped,
        }
    }

    /// Sets how it is; whether that is news.
    pub(super) fn set(&self, state: LogState) -> bool {
        let code = match state {
            LogState::Serving => 0,
            LogState::DiskMark => 1,
            LogState::Stopped => 2,
        };
        self.0.swap(code, Ordering::AcqRel) != code
    }

    /// Whether a request of this lane may come in.
    ///
    /// # Errors
    /// [`Busy::DiskMark`] for new mail, [`Busy::Stopped`] for all.
    pub(super) fn admit(&self, lane: &Lane) -> Result<(), Busy> {
        match (self.state(), lane) {
            (LogState::Stopped, _) => Err(Busy::Stopped),
            (LogState::DiskMark, Lane::NewMail) => Err(Busy::DiskMark),
            (LogState::DiskMark, Lane::Start | Lane::Outcome(_) | Lane::Security) | (LogState::Serving, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_stops_new_mail_alone_and_a_failed_write_everything() {
        let door = Door::open();
        assert_eq!(door.admit(&Lane::NewMail), Ok(()));
        assert!(door.set(LogState::DiskMark) && !door.set(LogState::DiskMark));
        assert_eq!(door.admit(&Lane::NewMail), Err(Busy::DiskMark));
        assert_eq!(door.admit(&Lane::Start), Ok(()));
        assert_eq!(door.admit(&Lane::Security), Ok(()));
        door.set(LogState::Stopped);
        assert_eq!(door.admit(&Lane::Security), Err(Busy::Stopped));
    }
}
