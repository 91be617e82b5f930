//! Every "no" of an account.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on an account is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum AccountRefusal {
    /// It exists already.
    #[error("the account exists already")]
    AlreadyOpen,
    /// There is no such account.
    #[error("there is no such account")]
    Unknown,
    /// It may not send already.
    #[error("the account is suspended already")]
    AlreadySuspended,
    /// It may send.
    #[error("the account is not suspended")]
    NotSuspended,
    /// That is how it is.
    #[error("nothing would change")]
    NothingChanged,
}
