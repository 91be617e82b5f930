//! Calls that are repeated: one is recorded, all get its answer.

use std::time::Duration;

use sealpost::log::{Append, AppendFailure, Expected, IdempotencyAnswer, IdempotencyRow};
use sealpost_domain::ids::{AccountId, EventId};

use super::events::{mail, message_id};
use super::world::{Fixture, World};

const HOURS_72: Duration = Duration::from_secs(72 * 3_600);

/// A call of one message under a key, and its event.
fn call<F: Fixture>(world: &World<F>, account: AccountId, key: u8, digest: u8) -> (Append, EventId) {
    use sealpost::clock::Clock;
    let message = message_id();
    let row = world.cast.accepted(account, message);
    let event = row.event_id;
    let kept = IdempotencyRow {
        account,
        key_hash: [key; 32],
        digest: [digest; 32],
        answer: format!("{{\"message\":\"{message}\"}}"),
        expires_at: world.clock.now().plus(HOURS_72),
    };
    let append = Append {
        idempotency: Some(kept),
        ..mail(vec![row])
    };
    (append, event)
}

fn answer_of(append: &Append) -> IdempotencyAnswer {
    let kept = append.idempotency.as_ref().unwrap();
    IdempotencyAnswer {
        digest: kept.digest,
        answer: kept.answer.clone(),
        expires_at: kept.expires_at,
    }
}

pub fn a_repeat_gets_the_first_answer<F: Fixture>() {
    let mut world = World::<F>::new();
    let ann = world.cast.ann;
    let (first, _) = call(&world, ann, 1, 1);
    let answer = answer_of(&first);
    world.append(first).unwrap();
    assert_eq!(
        world.log.read().idempotency(ann, &[1; 32]).unwrap(),
        Some(answer.clone())
    );
    for _ in 0..2 {
        let generation = world.log.new_generation();
        let (again, event) = call(&world, ann, 1, 1);
        let again = super::events::of(&generation, again);
        assert_eq!(
            world.append(again),
            Err(AppendFailure::IdempotencyRepeat(answer.clone()))
        );
        assert!(!generation.is_stale(), "a repeat is an answer, not a failure");
        assert!(!world.log.read().event_present(event).unwrap());
        world.reopen();
    }
}

pub fn another_body_under_the_same_key_is_refused<F: Fixture>() {
    let world = World::<F>::new();
    let ann = world.cast.ann;
    world.append(call(&world, ann, 1, 1).0).unwrap();
    let (other, event) = call(&world, ann, 1, 2);
    assert_eq!(world.append(other), Err(AppendFailure::IdempotencyMismatch));
    assert!(!world.log.read().event_present(event).unwrap());
    assert!(world.append(call(&world, ann, 2, 2).0).is_ok());
}

pub fn repeats_in_one_round_record_one_call<F: Fixture>() {
    let world = World::<F>::new();
    let ann = world.cast.ann;
    world.faults.shut();
    let blocker = world.ask(mail(vec![world.cast.accepted(ann, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let calls: Vec<_> = (0..5).map(|_| call(&world, ann, 1, 1).0).collect();
    let answer = answer_of(&calls[0]);
    let tickets: Vec<_> = calls.into_iter().map(|call| world.ask(call).unwrap()).collect();
    world.faults.open();
    blocker.wait().unwrap();
    let mut answers = tickets.into_iter().map(|ticket| ticket.wait());
    assert!(answers.next().unwrap().is_ok());
    for repeat in answers {
        assert_eq!(repeat, Err(AppendFailure::IdempotencyRepeat(answer.clone())));
    }
    assert_eq!(world.log.read().head(), 3);
}

pub fn an_expired_key_is_free_again<F: Fixture>() {
    let world = World::<F>::new();
    let ann = world.cast.ann;
    world.append(call(&world, ann, 1, 1).0).unwrap();
    world.clock.advance(HOURS_72);
    assert_eq!(world.log.read().idempotency(ann, &[1; 32]).unwrap(), None);
    let (other, _) = call(&world, ann, 1, 2);
    let answer = answer_of(&other);
    assert!(world.append(other).is_ok());
    assert_eq!(world.log.read().idempotency(ann, &[1; 32]).unwrap(), Some(answer));
}

pub fn keys_of_two_accounts_do_not_meet<F: Fixture>() {
    let world = World::<F>::new();
    world.append(call(&world, world.cast.ann, 1, 1).0).unwrap();
    assert!(world.append(call(&world, world.cast.ben, 1, 2).0).is_ok());
}

pub fn the_key_of_a_failed_call_is_free<F: Fixture>() {
    let world = World::<F>::new();
    let ann = world.cast.ann;
    let (mut failing, _) = call(&world, ann, 1, 1);
    failing.rows[0].expected = Expected::Sequence(3);
    assert!(matches!(world.append(failing), Err(AppendFailure::Conflict { .. })));
    assert_eq!(world.log.read().idempotency(ann, &[1; 32]).unwrap(), None);
    assert!(world.append(call(&world, ann, 1, 2).0).is_ok());
}
