//! Where a message stands, in the words that people and Mandrill's clients know.

use sealpost_domain::engagement::ComplaintKind;
use sealpost_domain::message::{BounceKind, DeferralReason, HoldReason, InDoubtCause, RejectReason};
use serde::{Deserialize, Serialize};

use crate::columns::named;

/// Where a message stands, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivityState {
    /// Waits for an attempt.
    Queued,
    /// Kept back.
    Held(HoldReason),
    /// An attempt is open.
    Sending,
    /// Waits for another attempt after one that failed.
    Deferred(DeferralReason),
    /// It may have arrived; it is sent again.
    InDoubt(InDoubtCause),
    /// The remote server took it.
    Delivered,
    /// It will not arrive.
    Bounced(BounceKind),
    /// It was taken, and did not arrive after all.
    BouncedLate(BounceKind),
    /// It arrived, and its recipient complained.
    Complained(ComplaintKind),
    /// Turned away at the door.
    Rejected(RejectReason),
    /// Thrown away before it went out.
    Discarded,
}

/// A state without its reason: what a filter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// [`ActivityState::Queued`].
    Queued,
    /// [`ActivityState::Held`].
    Held,
    /// [`ActivityState::Sending`].
    Sending,
    /// [`ActivityState::Deferred`].
    Deferred,
    /// [`ActivityState::InDoubt`].
    InDoubt,
    /// [`ActivityState::Delivered`].
    Delivered,
    /// [`ActivityState::Bounced`].
    Bounced,
    /// [`ActivityState::BouncedLate`].
    BouncedLate,
    /// [`ActivityState::Complained`].
    Complained,
    /// [`ActivityState::Rejected`].
    Rejected,
    /// [`ActivityState::Discarded`].
    Discarded,
}

impl StateName {
    /// Snake-case word, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Deferred => "deferred",
            Self::InDoubt => "in_doubt",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::BouncedLate => "bounced_late",
            Self::Complained => "complained",
            Self::Rejected => "rejected",
            Self::Discarded => "discarded",
        }
    }

    /// Reads the word; `None` for another.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        named(word)
    }
}

impl ActivityState {
    /// The state without its reason.
    #[must_use]
    pub const fn name(self) -> StateName {
        match self {
            Self::Queued => StateName::Queued,
            Self::Held(_) => StateName::Held,
            Self::Sending => StateName::Sending,
            Self::Deferred(_) => StateName::Deferred,
            Self::InDoubt(_) => StateName::InDoubt,
            Self::Delivered => StateName::Delivered,
            Self::Bounced(_) => StateName::Bounced,
            Self::BouncedLate(_) => StateName::BouncedLate,
            Self::Complained(_) => StateName::Complained,
            Self::Rejected(_) => StateName::Rejected,
            Self::Discarded => StateName::Discarded,
        }
    }

    /// Mandrill's word for it.
    #[must_use]
    pub const fn mandrill(self) -> &'static str {
        match self {
            Self::Queued | Self::Held(_) | Self::Sending => "queued",
            Self::Deferred(_) | Self::InDoubt(_) => "deferred",
            Self::Delivered => "sent",
            Self::Bounced(BounceKind::Hard) | Self::BouncedLate(BounceKind::Hard) => "bounced",
            Self::Bounced(BounceKind::Soft | BounceKind::Blocked | BounceKind::Policy | BounceKind::Expired)
            | Self::BouncedLate(BounceKind::Soft | BounceKind::Blocked | BounceKind::Policy | BounceKind::Expired) => {
                "soft-bounced"
            }
            Self::Complained(_) => "spam",
            Self::Rejected(_) => "rejected",
            Self::Discarded => "canceled",
        }
    }

    /// Reads what the fold wrote: the name, and the word of the reason.
    pub(crate) fn read(name: StateName, reason: Option<&str>) -> Option<Self> {
        Some(match name {
            StateName::Queued => Self::Queued,
            StateName::Held => Self::Held(named(reason?)?),
            StateName::Sending => Self::Sending,
            StateName::Deferred => Self::Deferred(named(reason?)?),
            StateName::InDoubt => Self::InDoubt(named(reason?)?),
            StateName::Delivered => Self::Delivered,
            StateName::Bounced => Self::Bounced(named(reason?)?),
            StateName::BouncedLate => Self::BouncedLate(named(reason?)?),
            StateName::Complained => Self::Complained(named(reason?)?),
            StateName::Rejected => Self::Rejected(named(reason?)?),
            StateName::Discarded => Self::Discarded,
        })
    }
}
