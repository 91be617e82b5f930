//! Reads a delivery status notification (RFC 3464): whether it says "failed", and in whose words.

use sealpost_domain::Personal;
use sealpost_domain::message::outcome_rules::judge;
use sealpost_domain::message::{Answered, BounceKind, EnhancedStatus, Judged, OutcomeClass, Reply};

use super::fields::{Group, groups};
use crate::smtp::wire;

/// Longest words that are kept, in bytes.
const WORDS_BYTES_MAX: usize = 1_024;
/// Longest name of a server that is kept, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What a notification says of one recipient that it gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Which kind of never.
    pub(super) kind: BounceKind,
    /// Its class, and the rules that found it.
    pub(super) judged: Judged,
    /// The words that it quotes.
    pub(super) reply: Reply,
    /// The server that refused it.
    pub(super) remote_mta: Option<String>,
    /// The server that reports.
    pub(super) reporting_mta: Option<String>,
}

/// The first recipient that is given up; `None` where nobody is: it is delayed, relayed, or has arrived.
pub(super) fn failure(part: &[u8]) -> Option<Failure> {
    let groups = groups(part);
    // RFC 3464 §2.3.3: `delayed` is no end, and a bounce may follow it.
    let failed = groups.iter().find(|group| {
        let action = group
            .value("action")
            .and_then(|action| action.split_whitespace().next());
        action.is_some_and(|action| action.eq_ignore_ascii_case("failed"))
    })?;
    let reporting_mta = groups.iter().find_map(|group| name(group, "reporting-mta"));
    let reply = reply(failed)?;
    let (kind, judged) = verdict(&reply);
    Some(Failure {
        kind,
        judged,
        reply,
        remote_mta: name(failed, "remote-mta"),
        reporting_mta,
    })
}

/// What was given up is over, also where it was said with a 4: nothing is known of the mailbox then.
fn verdict(reply: &Reply) -> (BounceKind, Judged) {
    let verdict = judge(reply, Some(Answered::Recipient));
    let expired =
        matches!(reply.enhanced, Some(EnhancedStatus(_, 4, 7))) || verdict.judged.class == OutcomeClass::Expired;
    let kind = match verdict.never {
        _ if expired => BounceKind::Expired,
        BounceKind::Hard if reply.code < 500 => BounceKind::Soft,
        never => never,
    };
    (kind, verdict.judged)
}

/// The words of the remote server where they are quoted, else the status alone. `None` without any of them.
fn reply(group: &Group) -> Option<Reply> {
    let status = group.value("status").and_then(first_status);
    let (kind, words) = group.typed("diagnostic-code").unwrap_or_default();
    let (code, words) = match words.split_at_checked(3) {
        Some((digits, rest)) if kind == "smtp" => match digits.parse().ok().filter(|code| (400..600).contains(code)) {
            Some(code) => (Some(code), rest.trim_start_matches(['-', ' '])),
            None => (None, words),
        },
        _ => (None, words),
    };
    let quoted = first_status(words);
    let class = status.or(quoted).map(|status| status.0);
    // RFC 3463 §2: the class alone tells later from never where no code is quoted.
    let code = code.or(match class {
        Some(5) => Some(550),
        Some(4) => Some(450),
        _ => None,
    })?;
    // `5.0.0` says nothing that the quoted words do not say better.
    let enhanced = match status {
        Some(EnhancedStatus(_, 0, 0)) => quoted.or(status),
        status => status.or(quoted),
    };
    Some(Reply {
        code,
        enhanced,
        text: Personal::Known(cut(words, WORDS_BYTES_MAX)),
    })
}

fn first_status(text: &str) -> Option<EnhancedStatus> {
    let status = wire::EnhancedStatus::parse_prefix(text)?;
    Some(EnhancedStatus(status.class, status.subject, status.detail)).filter(|status| status.0 != 2)
}

fn name(group: &Group, field: &str) -> Option<String> {
    let (_, name) = group.typed(field)?;
    let name = name.split_whitespace().next()?;
    Some(cut(name, NAME_BYTES_MAX))
}

fn cut(text: &str, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}
