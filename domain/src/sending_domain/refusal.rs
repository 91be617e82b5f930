//! Every "no" of a sending domain.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command on a sending domain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum SendingDomainRefusal {
    /// It is on the account's list.
    #[error("the domain was added already")]
    AlreadyAdded,
    /// It is not on the account's list.
    #[error("the domain is not the account's")]
    Unknown,
    /// Its ownership was seen before.
    #[error("the ownership is verified already")]
    AlreadyVerified,
    /// A key with this selector exists.
    #[error("a DKIM key with this selector exists")]
    SelectorTaken,
    /// No key has this selector.
    #[error("no DKIM key has this selector")]
    UnknownSelector,
    /// These keys sign already.
    #[error("these keys sign already")]
    SigningAlreadyChosen,
    /// No key of an algorithm that the choice needs is active.
    #[error("no active DKIM key is of an algorithm that the choice needs")]
    NoKeyForSigning,
}
