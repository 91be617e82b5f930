//! What may be asked of a key.

use std::net::IpAddr;

use crate::instant::Instant;
use crate::personal::Personal;
use crate::rights::Method;

use super::event::{Issued, UseRefusal};

/// Commands on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKeyCommand {
    /// Issue it: all that the event will say.
    IssueKey(Box<Issued>),
    /// Hold what it sends. Calls of a sending key are still answered, those of a management key refused.
    FreezeKey {
        /// Why, in the caller's words.
        reason: Personal<String>,
    },
    /// Let it send again.
    ThawKey,
    /// End it for ever.
    RevokeKey {
        /// Why, in the caller's words.
        reason: Personal<String>,
    },
    /// Record that a use was refused.
    RefuseUse {
        /// Why.
        refusal: UseRefusal,
        /// What was called.
        method: Method,
        /// From where.
        ip: Personal<IpAddr>,
        /// When.
        at: Instant,
    },
}
