//! Every "no" of a key.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ApiKeyRefusal {
    /// It exists already.
    #[error("the key exists already")]
    AlreadyIssued,
    /// There is no such key.
    #[error("there is no such key")]
    Unknown,
    /// It is ended; nothing more happens to it.
    #[error("the key is revoked")]
    KeyAlreadyRevoked,
    /// What it sends is held already.
    #[error("the key is frozen already")]
    KeyAlreadyFrozen,
    /// What it sends is not held.
    #[error("the key is not frozen")]
    KeyNotFrozen,
}
