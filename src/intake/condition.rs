//! Says whether the log takes anything; the program wires it.

/// Whether the log takes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogCondition {
    /// Everything.
    Serving,
    /// No new mail: the disk is nearly full.
    DiskMark,
    /// Nothing: a write failed, and it tries to come back.
    Stopped,
    /// Nothing, and it never will: its writer is gone. Only a new start of the program helps.
    Ended,
}

impl LogCondition {
    /// Its word in `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::DiskMark => "disk_mark",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
        }
    }
}

/// Tells how the log is.
pub trait Condition: Send + Sync + 'static {
    /// How it is now. Never blocks.
    fn log(&self) -> LogCondition;
}
