//! What happened to a key.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::ids::{AccountId, KeyId};
use crate::instant::Instant;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};
use crate::rights::{KeyHash, KeyKind, KeyLimit, KeyLimits, KeyWorld, Method};

/// What was issued. The key itself is shown once and stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The account that it acts for.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// Which world it acts in.
    pub world: KeyWorld,
    /// SHA-256 of the whole key.
    pub hash: KeyHash,
    /// First letters and last four of the key, to tell keys apart.
    pub display: String,
    /// The owner's name for it.
    pub label: Personal<String>,
    /// What it is limited to.
    pub limits: KeyLimits,
    /// When.
    pub issued_at: Instant,
}

/// Why a use of a known key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseRefusal {
    /// It was revoked.
    Revoked,
    /// Its account is suspended.
    AccountSuspended,
    /// It is no management key.
    NotManagement,
    /// It is a management key, and frozen.
    ManagementFrozen,
    /// A limit of the key.
    Limit(KeyLimit),
}

/// Events of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiKeyEvent {
    /// It exists from here on.
    KeyIssued(Box<Issued>),
    /// What it sends is held.
    KeyFrozen {
        /// Why, in the caller's words.
        reason: Personal<String>,
    },
    /// It sends again.
    KeyThawed,
    /// It is ended.
    KeyRevoked {
        /// Why, in the caller's words.
        reason: Personal<String>,
    },
    /// A use was refused; the first of its kind in its window, the others are counted.
    KeyUseRefused {
        /// Why.
        refusal: UseRefusal,
        /// What was called.
        method: Method,
        /// From where.
        ip: Personal<IpAddr>,
        /// When.
        refused_at: Instant,
    },
}

domain_event!(ApiKeyEvent {
    KeyIssued,
    KeyFrozen,
    KeyThawed,
    KeyRevoked,
    KeyUseRefused
});

impl HasPersonal for ApiKeyEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::KeyIssued(issued) => visitor.field("label", Subject::Account, &mut issued.label),
            Self::KeyFrozen { reason } | Self::KeyRevoked { reason } => {
                visitor.field("reason", Subject::Account, reason);
            }
            Self::KeyUseRefused { ip, .. } => visitor.field("ip", Subject::Account, ip),
            Self::KeyThawed => {}
        }
    }
}
