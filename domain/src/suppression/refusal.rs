//! Every "no" of a suppression entry.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on an entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum SuppressionRefusal {
    /// It is suppressed for at least as long and for the same reason.
    #[error("the address is suppressed already")]
    AlreadySuppressed,
    /// There is nothing to release.
    #[error("the address is not suppressed")]
    NotSuppressed,
}
