//! Every "no" of a user.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on a user is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum UserRefusal {
    /// The person is registered.
    #[error("the user is registered already")]
    AlreadyRegistered,
    /// There is no such person.
    #[error("there is no such user")]
    Unknown,
}
