//! Hold, release and discard, in each phase.

use super::*;

const BY: Actor = Actor::Operator;

#[test]
fn only_a_waiting_message_is_held() {
    for reason in [HoldReason::Asked, HoldReason::InDoubt, HoldReason::Unfoldable] {
        in_each_phase(&MessageCommand::Hold { reason, by: BY }, |phase| match phase {
            Phase::Queued => Ok(vec![MessageEvent::MessageHeld { reason, by: BY }]),
            phase => Err(not_idle(phase)),
        });
    }
}

#[test]
fn only_a_held_message_is_released() {
    in_each_phase(&MessageCommand::Release { by: BY }, |phase| match phase {
        Phase::Held => Ok(vec![MessageEvent::MessageReleased { by: BY }]),
        Phase::Queued | Phase::InFlight { .. } => Err(MessageRefusal::NotHeld),
        phase => Err(not_idle(phase)),
    });
}

#[test]
fn a_message_is_discarded_unless_it_is_on_its_way_or_finished() {
    in_each_phase(&MessageCommand::Discard { by: BY }, |phase| match phase {
        Phase::Queued | Phase::Held => Ok(vec![MessageEvent::MessageDiscarded { by: BY }]),
        phase => Err(not_idle(phase)),
    });
}

#[test]
fn a_released_message_takes_its_old_place_in_the_schedule() {
    let deferred = MessageEvent::DeliveryDeferred {
        attempted: attempted(1, Reached::Data),
        reason: DeferralReason::Reply,
        reply: Some(reply(451)),
        next_attempt_at: at(ACCEPTED_MS + 60_000),
        judged: None,
    };
    let before = fold(&[accepted(), started(1), deferred.clone()]);
    let after = fold(&[
        accepted(),
        started(1),
        deferred,
        held(),
        MessageEvent::MessageReleased { by: BY },
    ]);
    assert_eq!(before, after);
    assert_eq!(after.due_at, Some(at(ACCEPTED_MS + 60_000)));
}
