//! Given/when/then of `message`: every command and every outcome in every phase.

mod begin;
mod classify;
mod doubt;
mod hold;
mod judged;
mod outcome;
mod start;

use std::collections::BTreeMap;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::address::{AddressToken, DomainName};
use crate::content::{ContentRef, PartRef};
use crate::ids::{AttemptId, DataKeyId, KeyId, PartId};
use crate::instant::Instant;
use crate::metadata::Actor;
use crate::personal::Personal;
use crate::rights::Method;
use crate::tls_rule::ClearReason;

/// When every message of these tests is accepted, in milliseconds since 1970.
const ACCEPTED_MS: i64 = 1_000_000;
/// When every message of these tests expires: a day later.
const EXPIRES_MS: i64 = ACCEPTED_MS + 86_400_000;

fn at(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

/// Attempt number `n`. Its spread in the retry schedule is `n` thousandths.
fn attempt(n: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(n))
}

fn text(value: &str) -> Personal<String> {
    Personal::Known(value.to_owned())
}

fn accept() -> Box<Accept> {
    let part = PartRef {
        part: PartId::from_uuid(Uuid::from_u128(5)),
        pack: "2026-11-25".to_owned(),
        offset: 0,
        length_bytes: 512,
    };
    Box::new(Accepted {
        key: KeyId::from_uuid(Uuid::from_u128(2)),
        method: Method::named("messages/send"),
        recipient: text("ann@example.org"),
        recipient_domain: DomainName::parse("example.org").unwrap(),
        address_token: AddressToken::from_mac([7; 16]),
        recipient_key: DataKeyId::from_uuid(Uuid::from_u128(3)),
        reverse_path: text("b@bounce.example.com"),
        header_from: text("shop@example.com"),
        from_domain: DomainName::parse("example.com").unwrap(),
        subject: text("Your order"),
        tags: Personal::Known(vec!["order".to_owned()]),
        metadata: Personal::Known(BTreeMap::new()),
        subaccount: None,
        tracking: Tracking::default(),
        message_id_header: "<1@example.com>".to_owned(),
        content: ContentRef {
            parts: vec![part],
            size_bytes: 480,
        },
        tls_required: TlsLevel::Plain,
        accepted_at: at(ACCEPTED_MS),
        expires_at: at(EXPIRES_MS),
    })
}

fn reject() -> Box<Reject> {
    Box::new(Rejected {
        key: KeyId::from_uuid(Uuid::from_u128(2)),
        recipient: text("ann@example.org"),
        header_from: text("shop@example.com"),
        subject: text("Your order"),
        tags: Personal::Known(vec![]),
        reason: RejectReason::HardBounce,
        rejected_at: at(ACCEPTED_MS),
    })
}

/// A start of attempt `n` as the `number`-th of the schedule.
fn start_of(n: u128, number: u32, millis: i64) -> Box<StartAttempt> {
    Box::new(Started {
        attempt: number,
        attempt_id: attempt(n),
        host: "mx.example.org".to_owned(),
        peer: "192.0.2.25:25".to_owned(),
        content_sha256: "00".repeat(32),
        content_bytes: 600,
        prepended: text("DKIM-Signature: …"),
        tls: None,
        clear: None,
        started_at: at(millis),
    })
}

fn started(n: u128) -> MessageEvent {
    MessageEvent::DeliveryStarted(start_of(n, 1, ACCEPTED_MS + 10))
}

fn attempted(n: u128, reached: Reached) -> Attempted {
    Attempted {
        attempt_id: attempt(n),
        host: Some("mx.example.org".to_owned()),
        peer: None,
        tls: None,
        tls_record: None,
        reached,
        timings: Timings::default(),
        ended_at: at(ACCEPTED_MS + 1_000),
    }
}

fn reply(code: u16) -> Reply {
    Reply {
        code,
        enhanced: None,
        text: text("said the server"),
    }
}

/// What the rules make of a plain "later" and of a plain "no such mailbox".
fn judged(class: OutcomeClass) -> Option<Judged> {
    Some(Judged::plainly(class))
}

fn accepted() -> MessageEvent {
    MessageEvent::MessageAccepted(accept())
}

fn held() -> MessageEvent {
    MessageEvent::MessageHeld {
        reason: HoldReason::Asked,
        by: Actor::Operator,
    }
}

fn record(attempted: Attempted, outcome: AttemptOutcome) -> MessageCommand {
    MessageCommand::RecordOutcome {
        attempted: Box::new(attempted),
        outcome,
        retry: RetryPolicy::default(),
        in_doubt: InDoubtPolicy::Resend,
    }
}

/// A history that leads into each phase; attempt 1 is the open one in flight.
/// `not_idle` has no answer for a new phase until it is added there and here.
fn phases() -> Vec<(Phase, Vec<MessageEvent>)> {
    let attempted = attempted(1, Reached::Data);
    let delivered = MessageEvent::MessageDelivered {
        attempted: attempted.clone(),
        reply: reply(250),
    };
    let bounced = MessageEvent::MessageBounced {
        attempted,
        kind: BounceKind::Hard,
        reply: Some(reply(550)),
        judged: judged(OutcomeClass::RecipientUnknown),
    };
    let discarded = MessageEvent::MessageDiscarded { by: Actor::Operator };
    vec![
        (Phase::New, vec![]),
        (Phase::Queued, vec![accepted()]),
        (Phase::Held, vec![accepted(), held()]),
        (Phase::InFlight { attempt_id: attempt(1) }, vec![accepted(), started(1)]),
        (Phase::Delivered, vec![accepted(), started(1), delivered]),
        (Phase::Bounced, vec![accepted(), started(1), bounced]),
        (Phase::Rejected, vec![MessageEvent::MessageRejected(reject())]),
        (Phase::Discarded, vec![accepted(), held(), discarded]),
    ]
}

/// Asks the same of a message in each phase; `then` says what it must answer there.
fn in_each_phase(when: &MessageCommand, then: impl Fn(Phase) -> Result<Vec<MessageEvent>, MessageRefusal>) {
    for (phase, given) in phases() {
        let result = TestFramework::<Message>::with(())
            .given(given)
            .when(when.clone())
            .inspect_result();
        assert_eq!(result, then(phase), "{phase:?}");
    }
}

/// The refusal of what needs a message that waits for its next attempt.
fn not_idle(phase: Phase) -> MessageRefusal {
    match phase {
        Phase::New => MessageRefusal::Unknown,
        Phase::Held => MessageRefusal::Held,
        Phase::InFlight { .. } => MessageRefusal::AttemptOpen,
        Phase::Delivered | Phase::Bounced | Phase::Rejected | Phase::Discarded => MessageRefusal::Finished,
        Phase::Queued => unreachable!("a queued message is idle"),
    }
}

fn fold(events: &[MessageEvent]) -> Message {
    let mut message = Message::default();
    events.iter().for_each(|event| message.evolve(event));
    message
}

fn then_events(given: Vec<MessageEvent>, when: MessageCommand, then: Vec<MessageEvent>) {
    TestFramework::<Message>::with(())
        .given(given)
        .when(when)
        .then_expect_events(then);
}

fn then_refusal(given: Vec<MessageEvent>, when: MessageCommand, then: MessageRefusal) {
    TestFramework::<Message>::with(())
        .given(given)
        .when(when)
        .then_expect_error(then);
}

#[test]
fn each_history_leads_into_its_phase() {
    for (phase, given) in phases() {
        let message = fold(&given);
        assert_eq!(message.phase, phase);
        let finished = matches!(
            phase,
            Phase::Delivered | Phase::Bounced | Phase::Rejected | Phase::Discarded
        );
        assert_eq!(message.is_finished(), finished, "{phase:?}");
        assert_eq!(message.due_at.is_some(), !finished && phase != Phase::New, "{phase:?}");
    }
}
