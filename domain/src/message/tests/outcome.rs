//! Every outcome in every phase, before and after `DATA`, told once and told again.

use super::*;

/// When attempt 1 is due again after its first deferral: a minute and its thousandth.
const NEXT_MS: i64 = ACCEPTED_MS + 1_000 + 60_060;

fn deferred_outcome() -> AttemptOutcome {
    AttemptOutcome::Deferred {
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
    }
}

fn deferred(attempted: Attempted) -> MessageEvent {
    MessageEvent::DeliveryDeferred {
        attempted,
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(NEXT_MS),
        judged: judged(OutcomeClass::Other),
    }
}

fn bounced_outcome() -> AttemptOutcome {
    AttemptOutcome::Bounced {
        kind: BounceKind::Hard,
        judged: Judged::plainly(OutcomeClass::RecipientUnknown),
        reply: reply(550),
    }
}

fn bounced(attempted: Attempted) -> MessageEvent {
    MessageEvent::MessageBounced {
        attempted,
        kind: BounceKind::Hard,
        reply: Some(reply(550)),
        judged: judged(OutcomeClass::RecipientUnknown),
    }
}

fn not_started(reason: NotStartedReason) -> MessageEvent {
    MessageEvent::DeliveryNotStarted {
        attempt_id: attempt(1),
        reason,
    }
}

/// The refusal of an outcome that only an open attempt can have.
fn not_open(phase: Phase) -> MessageRefusal {
    match phase {
        Phase::Queued | Phase::InFlight { .. } => MessageRefusal::AttemptNotOpen,
        phase => not_idle(phase),
    }
}

/// Tells the outcome of attempt 1 in each phase. `open` is what follows where it is open, `queued` where it never was.
fn tell(
    outcome: &AttemptOutcome,
    reached: Reached,
    open: &[MessageEvent],
    queued: &Result<Vec<MessageEvent>, MessageRefusal>,
) {
    in_each_phase(&record(attempted(1, reached), outcome.clone()), |phase| match phase {
        Phase::InFlight { .. } => Ok(open.to_vec()),
        Phase::Queued => queued.clone(),
        phase => Err(not_idle(phase)),
    });
}

#[test]
fn a_delivery_ends_the_open_attempt_and_nothing_else() {
    // An attempt that was accepted is never lost, even when it says that it had not come to `DATA`.
    for reached in [Reached::Data, Reached::BeforeData] {
        let delivered = MessageEvent::MessageDelivered {
            attempted: attempted(1, reached),
            reply: reply(250),
        };
        let queued = Err(MessageRefusal::AttemptNotOpen);
        tell(&AttemptOutcome::Delivered(reply(250)), reached, &[delivered], &queued);
    }
}

#[test]
fn a_deferral_after_data_closes_the_attempt_by_itself() {
    let event = deferred(attempted(1, Reached::Data));
    tell(
        &deferred_outcome(),
        Reached::Data,
        std::slice::from_ref(&event),
        &Ok(vec![event.clone()]),
    );
}

#[test]
fn a_deferral_before_data_says_first_that_the_open_attempt_did_not_start() {
    let event = deferred(attempted(1, Reached::BeforeData));
    let pair = [not_started(NotStartedReason::RecipientRefused), event.clone()];
    tell(&deferred_outcome(), Reached::BeforeData, &pair, &Ok(vec![event]));
}

#[test]
fn a_bounce_after_data_closes_the_attempt_by_itself() {
    let event = bounced(attempted(1, Reached::Data));
    tell(
        &bounced_outcome(),
        Reached::Data,
        std::slice::from_ref(&event),
        &Ok(vec![event.clone()]),
    );
}

#[test]
fn a_bounce_before_data_says_first_that_the_open_attempt_did_not_start() {
    let event = bounced(attempted(1, Reached::BeforeData));
    let pair = [not_started(NotStartedReason::RecipientRefused), event.clone()];
    tell(&bounced_outcome(), Reached::BeforeData, &pair, &Ok(vec![event]));
}

#[test]
fn only_an_open_attempt_can_have_not_started_after_all() {
    for reason in [
        NotStartedReason::ConnectionLost,
        NotStartedReason::RecipientRefused,
        NotStartedReason::Shutdown,
    ] {
        let queued = Err(MessageRefusal::AttemptNotOpen);
        let outcome = AttemptOutcome::NotStarted(reason);
        tell(&outcome, Reached::BeforeData, &[not_started(reason)], &queued);
    }
}

#[test]
fn only_an_open_attempt_can_be_in_doubt() {
    // A doubt is recorded as one, whatever the attempt says of how far it came.
    for reached in [Reached::Data, Reached::BeforeData] {
        let doubt = MessageEvent::DeliveryInDoubt {
            attempt_id: attempt(1),
            cause: InDoubtCause::TimedOut,
            resolution: Resolution::Resend { at: at(NEXT_MS) },
        };
        let queued = Err(MessageRefusal::AttemptNotOpen);
        tell(
            &AttemptOutcome::InDoubt(InDoubtCause::TimedOut),
            reached,
            &[doubt],
            &queued,
        );
    }
}

#[test]
fn the_outcome_of_another_attempt_leaves_the_open_one_open() {
    for outcome in [
        AttemptOutcome::Delivered(reply(250)),
        deferred_outcome(),
        bounced_outcome(),
        AttemptOutcome::NotStarted(NotStartedReason::Shutdown),
        AttemptOutcome::InDoubt(InDoubtCause::TimedOut),
    ] {
        let other = record(attempted(2, Reached::Data), outcome);
        then_refusal(vec![accepted(), started(1)], other, MessageRefusal::AttemptNotOpen);
    }
}

#[test]
fn an_outcome_that_is_told_again_is_refused_and_not_counted_twice() {
    for first in [deferred_outcome(), AttemptOutcome::InDoubt(InDoubtCause::TimedOut)] {
        let mut given = vec![accepted(), started(1)];
        let first = record(attempted(1, Reached::Data), first);
        given.extend(fold(&given).decide(first).unwrap());
        for again in [
            AttemptOutcome::Delivered(reply(250)),
            deferred_outcome(),
            bounced_outcome(),
            AttemptOutcome::NotStarted(NotStartedReason::ConnectionLost),
            AttemptOutcome::InDoubt(InDoubtCause::TimedOut),
        ] {
            let again = record(attempted(1, Reached::Data), again);
            then_refusal(given.clone(), again, MessageRefusal::AttemptNotOpen);
        }
    }
    let refused_at_the_door = vec![accepted(), deferred(attempted(1, Reached::BeforeData))];
    let again = record(attempted(1, Reached::BeforeData), deferred_outcome());
    then_refusal(refused_at_the_door, again, MessageRefusal::AttemptNotOpen);
}

#[test]
fn an_attempt_that_lost_its_connection_may_still_be_deferred() {
    let given = vec![accepted(), started(1), not_started(NotStartedReason::ConnectionLost)];
    let event = deferred(attempted(1, Reached::BeforeData));
    then_events(
        given,
        record(attempted(1, Reached::BeforeData), deferred_outcome()),
        vec![event],
    );
}

#[test]
fn each_deferral_is_a_step_in_the_schedule() {
    let retry = RetryPolicy {
        delays_s: vec![60, 300],
    };
    let mut message = fold(&[accepted()]);
    // The spread is drawn from the attempt's id; that of the delay which repeats goes to both sides.
    for (n, delay_ms) in [(1, 60_060), (2, 300_600), (3, 271_800)] {
        let events = message.decide(MessageCommand::RecordOutcome {
            attempted: Box::new(attempted(n, Reached::BeforeData)),
            outcome: deferred_outcome(),
            retry: retry.clone(),
            in_doubt: InDoubtPolicy::Resend,
        });
        events.unwrap().iter().for_each(|event| message.evolve(event));
        assert_eq!(message.due_at, Some(at(ACCEPTED_MS + 1_000 + delay_ms)));
        assert_eq!(message.deferrals, u32::try_from(n).unwrap());
    }
}

/// Attempt 1 ends so that it would be due again exactly `before_ms` before the message expires.
fn ends_before_expiry(before_ms: i64) -> Attempted {
    Attempted {
        ended_at: at(EXPIRES_MS - 60_060 - before_ms),
        ..attempted(1, Reached::Data)
    }
}

#[test]
fn a_deferral_past_the_expiry_is_a_bounce() {
    let last = ends_before_expiry(1);
    then_events(
        vec![accepted(), started(1)],
        record(last.clone(), deferred_outcome()),
        vec![MessageEvent::DeliveryDeferred {
            attempted: last,
            reason: DeferralReason::Reply,
            reply: Some(reply(451)),
            next_attempt_at: at(EXPIRES_MS - 1),
            judged: judged(OutcomeClass::Other),
        }],
    );
    for late in [ends_before_expiry(0), ends_before_expiry(-1)] {
        then_events(
            vec![accepted(), started(1)],
            record(late.clone(), deferred_outcome()),
            vec![MessageEvent::MessageBounced {
                attempted: late,
                kind: BounceKind::Expired,
                reply: Some(reply(451)),
                judged: Some(Judged::expired(Some(OutcomeClass::Other))),
            }],
        );
    }
}

#[test]
fn a_message_that_expired_before_an_attempt_bounces_without_words_of_a_server() {
    let attempted = Attempted {
        ended_at: at(EXPIRES_MS),
        host: None,
        ..attempted(1, Reached::BeforeData)
    };
    let outcome = AttemptOutcome::Deferred {
        reason: DeferralReason::Expired,
        reply: None,
    };
    then_events(
        vec![accepted()],
        record(attempted.clone(), outcome),
        vec![MessageEvent::MessageBounced {
            attempted,
            kind: BounceKind::Expired,
            reply: None,
            judged: Some(Judged::expired(None)),
        }],
    );
}

#[test]
fn an_expired_message_whose_open_attempt_was_refused_before_data_closes_and_bounces() {
    let attempted = Attempted {
        reached: Reached::BeforeData,
        ..ends_before_expiry(0)
    };
    then_events(
        vec![accepted(), started(1)],
        record(attempted.clone(), deferred_outcome()),
        vec![
            not_started(NotStartedReason::RecipientRefused),
            MessageEvent::MessageBounced {
                attempted,
                kind: BounceKind::Expired,
                reply: Some(reply(451)),
                judged: Some(Judged::expired(Some(OutcomeClass::Other))),
            },
        ],
    );
}

#[test]
fn not_open_is_the_refusal_wherever_no_attempt_can_be_accepted() {
    in_each_phase(
        &record(attempted(9, Reached::Data), AttemptOutcome::Delivered(reply(250))),
        |phase| Err(not_open(phase)),
    );
}
