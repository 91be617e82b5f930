//! Random commands for a message: few attempts and a short life, so that outcomes meet open attempts and expiry.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::any_commands::{in_doubt, instant, text};
use crate::address::{AddressToken, DomainName};
use crate::content::ContentRef;
use crate::ids::{AttemptId, DataKeyId, KeyId};
use crate::instant::Instant;
use crate::message::*;
use crate::metadata::Actor;
use crate::personal::Personal;
use crate::rights::Method;

/// Commands on one message, most of them after its accept.
pub fn commands() -> impl Strategy<Value = Vec<MessageCommand>> {
    let begin = prop_oneof![9 => accept().boxed(), 1 => command().boxed()];
    (begin, vec(command(), 0..40)).prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect())
}

pub fn command() -> impl Strategy<Value = MessageCommand> {
    let by = Actor::Operator;
    prop_oneof![
        1 => accept(),
        1 => reject(),
        2 => Just(MessageCommand::Hold { reason: HoldReason::Asked, by }),
        4 => Just(MessageCommand::Release { by }),
        1 => Just(MessageCommand::Discard { by }),
        12 => start(),
        12 => record(),
        2 => declare(),
    ]
}

/// An accept whose message expires within the hundred seconds that there are.
pub fn accepted(accepted_at: Instant, expires_at: Instant, subject: Personal<String>) -> Accepted {
    Accepted {
        key: KeyId::from_uuid(Uuid::from_u128(2)),
        method: Method::named("messages/send"),
        recipient: subject.clone(),
        recipient_domain: DomainName::parse("example.org").unwrap(),
        address_token: AddressToken::from_mac([7; 16]),
        recipient_key: DataKeyId::from_uuid(Uuid::from_u128(3)),
        reverse_path: Personal::Erased,
        header_from: Personal::Erased,
        from_domain: DomainName::parse("example.com").unwrap(),
        subject,
        tags: Personal::Known(vec![]),
        metadata: Personal::Known(BTreeMap::new()),
        subaccount: None,
        tracking: Tracking::default(),
        message_id_header: "<1@example.com>".to_owned(),
        content: ContentRef {
            parts: vec![],
            size_bytes: 0,
        },
        tls_required: TlsLevel::Plain,
        accepted_at,
        expires_at,
    }
}

fn accept() -> impl Strategy<Value = MessageCommand> {
    let order = (instant(), instant(), text());
    order
        .prop_map(|(from, to, subject)| MessageCommand::Accept(Box::new(accepted(from.min(to), from.max(to), subject))))
}

fn reject() -> impl Strategy<Value = MessageCommand> {
    (text(), instant()).prop_map(|(subject, rejected_at)| {
        MessageCommand::Reject(Box::new(Rejected {
            key: KeyId::from_uuid(Uuid::from_u128(2)),
            recipient: Personal::Erased,
            header_from: Personal::Erased,
            subject,
            tags: Personal::Known(vec![]),
            reason: RejectReason::HardBounce,
            rejected_at,
        }))
    })
}

fn attempt_id() -> impl Strategy<Value = AttemptId> + Clone {
    (1_u128..4).prop_map(|n| AttemptId::from_uuid(Uuid::from_u128(n)))
}

/// A start of this attempt.
pub fn started(attempt_id: AttemptId, started_at: Instant, prepended: Personal<String>) -> StartAttempt {
    Started {
        attempt: 0,
        attempt_id,
        host: "mx.example.org".to_owned(),
        peer: "192.0.2.25:25".to_owned(),
        content_sha256: "00".to_owned(),
        content_bytes: 600,
        prepended,
        tls: None,
        clear: None,
        started_at,
    }
}

fn start() -> impl Strategy<Value = MessageCommand> {
    (attempt_id(), instant(), text())
        .prop_map(|(id, at, prepended)| MessageCommand::StartAttempt(Box::new(started(id, at, prepended))))
}

/// Facts of this attempt.
pub fn attempted(attempt_id: AttemptId, reached: Reached, ended_at: Instant) -> Attempted {
    Attempted {
        attempt_id,
        host: None,
        peer: None,
        tls: None,
        tls_record: None,
        reached,
        timings: Timings::default(),
        ended_at,
    }
}

fn any_attempted() -> impl Strategy<Value = Attempted> {
    let reached = prop_oneof![Just(Reached::BeforeData), Just(Reached::Data)];
    (attempt_id(), reached, instant()).prop_map(|(id, reached, at)| attempted(id, reached, at))
}

fn reply() -> impl Strategy<Value = Reply> {
    (200_u16..600, text()).prop_map(|(code, text)| Reply {
        code,
        enhanced: None,
        text,
    })
}

fn outcome() -> impl Strategy<Value = AttemptOutcome> {
    let reason = DeferralReason::Reply;
    let (kind, judged) = (BounceKind::Soft, Judged::plainly(OutcomeClass::Other));
    prop_oneof![
        1 => reply().prop_map(AttemptOutcome::Delivered),
        6 => option::of(reply()).prop_map(move |reply| AttemptOutcome::Deferred { reason, reply }),
        1 => reply().prop_map(move |reply| AttemptOutcome::Bounced { kind, judged, reply }),
        3 => Just(AttemptOutcome::NotStarted(NotStartedReason::ConnectionLost)),
        3 => Just(AttemptOutcome::InDoubt(InDoubtCause::TimedOut)),
    ]
}

/// Delays of one to ten seconds; none at all is allowed too.
pub fn retry() -> impl Strategy<Value = RetryPolicy> {
    vec(1_u32..10, 0..4).prop_map(|delays_s| RetryPolicy { delays_s })
}

fn record() -> impl Strategy<Value = MessageCommand> {
    (any_attempted(), outcome(), retry(), in_doubt()).prop_map(|(attempted, outcome, retry, in_doubt)| {
        MessageCommand::RecordOutcome {
            attempted: Box::new(attempted),
            outcome,
            retry,
            in_doubt,
        }
    })
}

fn declare() -> impl Strategy<Value = MessageCommand> {
    (attempt_id(), instant(), retry(), in_doubt()).prop_map(|(attempt_id, at, retry, in_doubt)| {
        MessageCommand::DeclareInDoubt {
            attempt_id,
            cause: InDoubtCause::ProcessEnded,
            at,
            retry,
            in_doubt,
        }
    })
}
