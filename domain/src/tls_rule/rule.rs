//! The rule itself: what follows a failure, and whether clear text is allowed now.

use std::time::Duration;

use crate::instant::Instant;
use crate::limits::CLEAR_AFTER_FAILED_TLS_S;
use crate::message::{DeferralReason, EnhancedStatus, TlsLevel};

use super::demand::TlsNeed;
use super::failure::{Taint, TlsFailure};
use super::record::{ClearReason, Hello};

/// Whether a message has waited long enough that a host which fails at TLS may have it in clear text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailAge {
    /// Not yet. An attacker who breaks a handshake gains a delay, and no reading.
    Young,
    /// It has: such a host is broken for good, and nothing is to be left stuck.
    Aged,
}

impl MailAge {
    /// Aged is what was accepted five minutes ago or earlier and has been tried before: mail that was held, or is to go out
    /// later, does not age by that alone.
    #[must_use]
    pub fn of(accepted_at: Instant, now: Instant, deferrals: u32) -> Self {
        if deferrals > 0 && now.since(accepted_at) >= Duration::from_secs(CLEAR_AFTER_FAILED_TLS_S) {
            Self::Aged
        } else {
            Self::Young
        }
    }
}

/// What one message wants of a session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TlsWant {
    /// What it needs.
    pub need: TlsNeed,
    /// Whether it has waited.
    pub age: MailAge,
}

/// What follows a failure at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Go on in clear text, on this very connection.
    StayInClear(ClearReason),
    /// Connect to the same address once more, with the smaller ClientHello.
    Reduced,
    /// Go on with the next address or host.
    NextHost,
}

impl TlsWant {
    /// What follows a failure, while there may be other hosts. `before` is what the attempt had seen until then.
    #[must_use]
    pub fn after(self, failure: TlsFailure, hello: Hello, before: Taint) -> Step {
        match failure {
            TlsFailure::Unready | TlsFailure::Identity => Step::NextHost,
            TlsFailure::Handshake | TlsFailure::OldVersion | TlsFailure::Injected | TlsFailure::AfterHandshake => {
                match hello {
                    Hello::Full => Step::Reduced,
                    Hello::Reduced => Step::NextHost,
                }
            }
            // Where TLS has failed before, another host may still do it: clear text comes last then.
            TlsFailure::NotOffered | TlsFailure::RefusedTransiently | TlsFailure::RefusedPermanently => {
                match self.clear(failure, before.max(failure.taint())) {
                    Some(reason) if before == Taint::None && !reason.is_of_aged_mail() => Step::StayInClear(reason),
                    _ => Step::NextHost,
                }
            }
        }
    }

    /// Whether a host that failed so may have the message in clear text, once no host has taken it in TLS. `seen` is all
    /// that the attempt has seen.
    #[must_use]
    pub fn clear(self, failure: TlsFailure, seen: Taint) -> Option<ClearReason> {
        if !self.need.allows_clear() {
            return None;
        }
        let aged = self.age == MailAge::Aged;
        match failure {
            TlsFailure::Unready | TlsFailure::Identity => None,
            TlsFailure::NotOffered if seen == Taint::None => Some(ClearReason::NotOffered),
            TlsFailure::NotOffered => aged.then_some(ClearReason::NotOfferedAged),
            TlsFailure::RefusedTransiently | TlsFailure::RefusedPermanently if aged => {
                Some(ClearReason::StarttlsRefusedAged)
            }
            TlsFailure::RefusedTransiently | TlsFailure::RefusedPermanently => {
                let at_once = self.need == TlsNeed::Immediate && seen <= Taint::Refused;
                at_once.then_some(ClearReason::StarttlsRefused)
            }
            TlsFailure::OldVersion => aged.then_some(ClearReason::OldTlsAged),
            TlsFailure::Handshake | TlsFailure::Injected | TlsFailure::AfterHandshake => {
                aged.then_some(ClearReason::HandshakeFailedAged)
            }
        }
    }

    /// Whether an open session may carry the message: at the level that it reached and, where that is clear text, for the
    /// reason that allowed it when it was opened.
    #[must_use]
    pub fn rides(self, reached: TlsLevel, clear: Option<ClearReason>) -> bool {
        if reached < self.need.least() {
            return false;
        }
        match (reached, clear) {
            (TlsLevel::Encrypted | TlsLevel::Authenticated, _) | (TlsLevel::Plain, None) => true,
            (TlsLevel::Plain, Some(reason)) if reason.is_of_aged_mail() => self.age == MailAge::Aged,
            (TlsLevel::Plain, Some(ClearReason::StarttlsRefused)) => {
                self.need == TlsNeed::Immediate || self.age == MailAge::Aged
            }
            (TlsLevel::Plain, Some(_)) => true,
        }
    }
}

/// The status that a deferral for TLS is told with (RFC 3463 §3.8): 4.7.4 where `STARTTLS` is missing or refused, 4.7.5
/// where handshake or identity failed; `None` for what is not about TLS.
#[must_use]
pub const fn deferral_status(reason: DeferralReason) -> Option<EnhancedStatus> {
    match reason {
        DeferralReason::TlsNotOffered | DeferralReason::TlsRefused => Some(EnhancedStatus(4, 7, 4)),
        DeferralReason::TlsBroken | DeferralReason::TlsNotAuthenticated => Some(EnhancedStatus(4, 7, 5)),
        _ => None,
    }
}
