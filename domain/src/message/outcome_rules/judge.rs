//! Judges a reply by the rules that are in force.

use serde::{Deserialize, Serialize};

use crate::message::event::BounceKind;
use crate::message::outcome::{Answered, DeferralReason, EnhancedStatus, Reply};

use super::class::OutcomeClass;
use super::rule::Said;
use super::{RULES_NOW, rules};

/// What was made of an outcome, and by which rules: an event keeps it, because the text that it was read from is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The class.
    pub class: OutcomeClass,
    /// Version of the rules that judged.
    pub rules: u16,
    /// Our own enhanced status for the end, where it is not the server's: `5.4.7` when the time was over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<EnhancedStatus>,
    /// Whether the server's enhanced status contradicted its basic code, which was believed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub codes_disagree: bool,
}

impl Judged {
    /// A class that needs no rule: nothing was said.
    #[must_use]
    pub const fn plainly(class: OutcomeClass) -> Self {
        Self {
            class,
            rules: RULES_NOW,
            status: None,
            codes_disagree: false,
        }
    }

    /// The end of a message whose time was over; the class is that of what kept it from arriving.
    #[must_use]
    pub const fn expired(last: Option<OutcomeClass>) -> Self {
        let class = match last {
            Some(OutcomeClass::Tls) => OutcomeClass::TlsRequiredUnavailable,
            Some(class) => class,
            None => OutcomeClass::Expired,
        };
        Self {
            // RFC 3463 §3.5: X.4.7, delivery time expired.
            status: Some(EnhancedStatus(5, 4, 7)),
            ..Self::plainly(class)
        }
    }
}

/// A judgement, and what it means where the basic code says never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What the event keeps.
    pub judged: Judged,
    /// Which kind of never.
    pub never: BounceKind,
}

/// Judges a reply of 400..=599. `answered` is `None` where it is not known at which moment it was said.
#[must_use]
pub fn judge(reply: &Reply, answered: Option<Answered>) -> Verdict {
    let text = reply.text.known().map_or("", String::as_str);
    let stated = first_status(text);
    let codes_disagree = reply
        .enhanced
        .or(stated)
        .is_some_and(|status| u16::from(status.0) != reply.code / 100);
    let said = Said {
        code: reply.code,
        enhanced: reply.enhanced.or(stated),
        answered,
        text: without_addresses(text),
    };
    let rule = rules(RULES_NOW)
        .unwrap_or_default()
        .iter()
        .find(|rule| rule.fits(&said));
    let (class, never) = match rule.map(|rule| (rule.class, rule.never)) {
        // Nothing that is said of the sender is known of the mailbox.
        Some((_, BounceKind::Hard)) if answered == Some(Answered::Sender) => {
            (OutcomeClass::Blocked, BounceKind::Blocked)
        }
        Some(found) => found,
        None => (OutcomeClass::Other, BounceKind::Soft),
    };
    let judged = Judged {
        codes_disagree,
        ..Judged::plainly(class)
    };
    Verdict { judged, never }
}

/// The class of a deferral that no server's words explain.
#[must_use]
pub const fn class_of_reason(reason: DeferralReason) -> OutcomeClass {
    match reason {
        DeferralReason::Reply | DeferralReason::ContentUnavailable => OutcomeClass::Other,
        DeferralReason::ConnectFailed
        | DeferralReason::ConnectionLost
        | DeferralReason::NoRoute
        | DeferralReason::DnsFailed
        | DeferralReason::DnsBogus => OutcomeClass::Routing,
        DeferralReason::ProtocolError => OutcomeClass::Protocol,
        DeferralReason::TlsRefused
        | DeferralReason::TlsBroken
        | DeferralReason::TlsNotAuthenticated
        | DeferralReason::TlsNotOffered => OutcomeClass::Tls,
        DeferralReason::LoginFailed => OutcomeClass::PolicyAuth,
        DeferralReason::Expired => OutcomeClass::Expired,
    }
}

/// The status that the text begins with: one that contradicts the code is not in [`Reply::enhanced`].
fn first_status(text: &str) -> Option<EnhancedStatus> {
    let mut parts = text.split_ascii_whitespace().next()?.split('.');
    let class = parts.next()?.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
    let status = EnhancedStatus(class, number(parts.next()?)?, number(parts.next()?)?);
    parts.next().is_none().then_some(status)
}

fn number(digits: &str) -> Option<u16> {
    let well_formed = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

/// The text in lower case, words with an `@` left out: what somebody is called says nothing of why mail is refused.
fn without_addresses(text: &str) -> String {
    let words = text.split_ascii_whitespace().filter(|word| !word.contains('@'));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}
