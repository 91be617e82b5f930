//! In doubt: declared for the open attempt alone, sent again or held as the account chose.

use super::*;

const DECLARED_MS: i64 = ACCEPTED_MS + 5_000;
/// A minute after the declaration, and attempt 1's thousandth.
const RESEND_MS: i64 = DECLARED_MS + 60_060;

fn declare(n: u128, in_doubt: InDoubtPolicy) -> MessageCommand {
    MessageCommand::DeclareInDoubt {
        attempt_id: attempt(n),
        cause: InDoubtCause::ProcessEnded,
        at: at(DECLARED_MS),
        retry: RetryPolicy::default(),
        in_doubt,
    }
}

fn declared(resolution: Resolution) -> MessageEvent {
    MessageEvent::DeliveryInDoubt {
        attempt_id: attempt(1),
        cause: InDoubtCause::ProcessEnded,
        resolution,
    }
}

#[test]
fn only_the_open_attempt_is_declared_in_doubt() {
    for (policy, resolution) in [
        (InDoubtPolicy::Resend, Resolution::Resend { at: at(RESEND_MS) }),
        (InDoubtPolicy::Hold, Resolution::Hold),
    ] {
        in_each_phase(&declare(1, policy), |phase| match phase {
            Phase::InFlight { .. } => Ok(vec![declared(resolution)]),
            _ => Err(MessageRefusal::AttemptNotOpen),
        });
        in_each_phase(&declare(2, policy), |_| Err(MessageRefusal::AttemptNotOpen));
    }
}

#[test]
fn every_cause_of_a_lost_answer_follows_the_accounts_choice() {
    for cause in [
        InDoubtCause::ConnectionLost,
        InDoubtCause::TimedOut,
        InDoubtCause::UnreadableReply,
        InDoubtCause::AttemptPanicked,
    ] {
        let (attempt_id, resolution) = (attempt(1), Resolution::Hold);
        then_events(
            vec![accepted(), started(1)],
            MessageCommand::RecordOutcome {
                attempted: Box::new(attempted(1, Reached::Data)),
                outcome: AttemptOutcome::InDoubt(cause),
                retry: RetryPolicy::default(),
                in_doubt: InDoubtPolicy::Hold,
            },
            vec![MessageEvent::DeliveryInDoubt {
                attempt_id,
                cause,
                resolution,
            }],
        );
    }
}

#[test]
fn a_doubt_that_is_sent_again_waits_its_turn_and_counts_as_an_attempt() {
    let resend = declared(Resolution::Resend { at: at(RESEND_MS) });
    let message = fold(&[accepted(), started(1), resend]);
    assert_eq!(message.phase, Phase::Queued);
    assert_eq!((message.due_at, message.deferrals), (Some(at(RESEND_MS)), 1));
}

#[test]
fn a_doubt_that_is_held_starts_no_more_until_it_is_released() {
    let given = vec![accepted(), started(1), declared(Resolution::Hold)];
    let start = MessageCommand::StartAttempt(start_of(2, 1, DECLARED_MS));
    then_refusal(given.clone(), start.clone(), MessageRefusal::Held);
    let mut given = given;
    given.push(MessageEvent::MessageReleased { by: Actor::Operator });
    let started = MessageEvent::DeliveryStarted(start_of(2, 2, DECLARED_MS));
    then_events(given, start, vec![started]);
}

#[test]
fn the_late_answer_of_an_attempt_that_was_declared_in_doubt_is_refused() {
    let resend = declared(Resolution::Resend { at: at(RESEND_MS) });
    let late = record(attempted(1, Reached::Data), AttemptOutcome::Delivered(reply(250)));
    then_refusal(
        vec![accepted(), started(1), resend],
        late.clone(),
        MessageRefusal::AttemptNotOpen,
    );
    let held = declared(Resolution::Hold);
    then_refusal(vec![accepted(), started(1), held], late, MessageRefusal::Held);
}
