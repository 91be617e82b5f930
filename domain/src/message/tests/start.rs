//! The right to send: who gets it, who is refused, and what an unused one leaves behind.

use super::*;

fn start(n: u128, millis: i64) -> MessageCommand {
    // The caller's number is nothing: the decision counts.
    MessageCommand::StartAttempt(start_of(n, 77, millis))
}

#[test]
fn only_a_waiting_message_may_start() {
    in_each_phase(&start(9, ACCEPTED_MS + 10), |phase| match phase {
        Phase::Queued => Ok(vec![MessageEvent::DeliveryStarted(start_of(9, 1, ACCEPTED_MS + 10))]),
        phase => Err(not_idle(phase)),
    });
}

#[test]
fn an_open_attempt_is_not_started_again_under_its_own_id() {
    then_refusal(
        vec![accepted(), started(1)],
        start(1, ACCEPTED_MS + 20),
        MessageRefusal::AttemptOpen,
    );
}

#[test]
fn the_last_moment_of_a_message_is_before_its_expiry() {
    let last = EXPIRES_MS - 1;
    then_events(
        vec![accepted()],
        start(1, last),
        vec![MessageEvent::DeliveryStarted(start_of(1, 1, last))],
    );
    for late in [EXPIRES_MS, EXPIRES_MS + 1] {
        then_refusal(vec![accepted()], start(1, late), MessageRefusal::Expired);
    }
}

#[test]
fn a_held_message_that_expired_is_still_held_first() {
    then_refusal(vec![accepted(), held()], start(1, EXPIRES_MS), MessageRefusal::Held);
}

#[test]
fn attempts_are_numbered_by_deferrals_and_doubts_and_not_by_starts() {
    let not_started = |n| MessageEvent::DeliveryNotStarted {
        attempt_id: attempt(n),
        reason: NotStartedReason::ConnectionLost,
    };
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(3, Reached::Data),
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    let doubt = MessageEvent::DeliveryInDoubt {
        attempt_id: attempt(4),
        cause: InDoubtCause::TimedOut,
        resolution: Resolution::Resend {
            at: at(ACCEPTED_MS + 90_000),
        },
    };
    let mut given = vec![accepted()];
    for (event, closing, number) in [
        (1, not_started(1), 1),
        (2, not_started(2), 1),
        (3, deferred, 1),
        (4, doubt, 2),
        (5, not_started(5), 3),
    ] {
        let start_of = start_of(event, number, ACCEPTED_MS + 10);
        then_events(
            given.clone(),
            start(event, ACCEPTED_MS + 10),
            vec![MessageEvent::DeliveryStarted(start_of.clone())],
        );
        given.extend([MessageEvent::DeliveryStarted(start_of), closing]);
    }
}

#[test]
fn what_came_back_unbegun_is_due_at_its_start_even_when_that_was_ahead_of_the_schedule() {
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(1, Reached::Data),
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    let flushed = MessageEvent::DeliveryStarted(start_of(2, 2, ACCEPTED_MS + 5_000));
    let unbegun = MessageEvent::DeliveryNotStarted {
        attempt_id: attempt(2),
        reason: NotStartedReason::ConnectionLost,
    };
    let message = fold(&[accepted(), started(1), deferred, flushed, unbegun]);
    assert_eq!(message.phase, Phase::Queued);
    assert_eq!(message.due_at, Some(at(ACCEPTED_MS + 5_000)));
    assert_eq!(message.deferrals, 1);
}
