//! Appends that are refused: each alone, and with it whatever was decided on it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sealpost::clock::draw_uuid;
use sealpost::log::{Append, AppendFailure, Expected, OnConflict};
use sealpost_domain::StreamId;
use sealpost_domain::ids::DataKeyId;

use super::events::{mail, message_id, of, security};
use super::world::{Fixture, World};

pub fn a_wrong_sequence_fails_alone<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let message = message_id();
    world.faults.shut();
    let first = world.ask(mail(vec![cast.accepted(cast.ann, message)])).unwrap();
    let again = world.ask(mail(vec![cast.accepted(cast.ann, message)])).unwrap();
    let half = vec![
        cast.accepted(cast.ann, message_id()),
        cast.held(cast.ann, message, Expected::Sequence(7)),
    ];
    let half_ids: Vec<_> = half.iter().map(|row| row.event_id).collect();
    let half = world.ask(mail(half)).unwrap();
    let last = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    world.faults.open();
    let stream = StreamId::message(message);
    assert!(first.wait().is_ok());
    assert_eq!(again.wait(), Err(AppendFailure::Conflict { stream: stream.clone() }));
    assert_eq!(half.wait(), Err(AppendFailure::Conflict { stream }));
    assert!(last.wait().is_ok());
    for id in half_ids {
        assert!(
            !world.log.read().event_present(id).unwrap(),
            "half a request is on record"
        );
    }
    world.check_density();
}

pub fn rows_of_one_request_see_each_other<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let message = message_id();
    let rows = vec![
        cast.accepted(cast.ann, message),
        cast.held(cast.ann, message, Expected::Sequence(1)),
        cast.held(cast.ann, message, Expected::Next),
    ];
    assert_eq!(world.append(mail(rows)).unwrap().sequences, [1, 2, 3]);
    world.check_density();
}

pub fn next_takes_what_is_there<F: Fixture>() {
    let mut world = World::<F>::new();
    let message = message_id();
    for sequence in 1..4 {
        let row = world.cast.held(world.cast.ann, message, Expected::Next);
        assert_eq!(world.append(security(vec![row])).unwrap().sequences, [sequence]);
    }
    world.reopen();
    let row = world.cast.held(world.cast.ann, message, Expected::Next);
    assert_eq!(world.append(security(vec![row])).unwrap().sequences, [4]);
}

pub fn a_conflict_poisons_its_generation_unless_it_is_an_answer<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let wrong = || mail(vec![cast.held(cast.ann, message_id(), Expected::Sequence(1))]);
    let good = || mail(vec![cast.accepted(cast.ann, message_id())]);
    let generation = world.log.new_generation();
    let answer = Append {
        on_conflict: OnConflict::Answer,
        ..of(&generation, wrong())
    };
    assert!(matches!(world.append(answer), Err(AppendFailure::Conflict { .. })));
    assert!(!generation.is_stale());
    assert!(world.append(of(&generation, good())).is_ok());
    assert!(matches!(
        world.append(of(&generation, wrong())),
        Err(AppendFailure::Conflict { .. })
    ));
    assert!(generation.is_stale());
    assert_eq!(
        world.append(of(&generation, good())),
        Err(AppendFailure::StaleGeneration)
    );
    assert!(world.append(of(&world.log.new_generation(), good())).is_ok());
    assert!(
        world.append(good()).is_ok(),
        "a request without a generation stands for itself"
    );
}

/// What one step of the law below hands over.
#[derive(Debug, Clone, Copy)]
enum Step {
    Good,
    Urgent,
    Conflict,
    Refused,
}

/// The law: of each generation, all requests before its first failed one are recorded in the order of handing over, and
/// none behind it; other generations do not notice.
pub fn after_a_failure_nothing_of_its_generation_lands<F: Fixture>() {
    let world = World::<F>::new();
    let step = prop_oneof![
        6 => Just(Step::Good),
        2 => Just(Step::Urgent),
        1 => Just(Step::Conflict),
        1 => Just(Step::Refused),
    ];
    let steps = proptest::collection::vec((0..3_usize, step), 1..40);
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&steps, |steps| check_generations(&world, &steps))
        .unwrap();
    world.check_density();
}

fn check_generations<F: Fixture>(world: &World<F>, steps: &[(usize, Step)]) -> Result<(), TestCaseError> {
    let cast = &world.cast;
    let generations = [(); 3].map(|()| world.log.new_generation());
    // Everything waits behind one commit, so that requests of all generations meet in one round.
    world.faults.shut();
    let first = world.ask(mail(vec![cast.accepted(cast.ben, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let mut asked = Vec::new();
    for (which, step) in steps {
        let row = match step {
            Step::Conflict => cast.held(cast.ann, message_id(), Expected::Sequence(1)),
            Step::Good | Step::Urgent | Step::Refused => cast.accepted(cast.ann, message_id()),
        };
        let event = row.event_id;
        if matches!(step, Step::Refused) {
            world.faults.refuse(event);
        }
        let append = match step {
            Step::Urgent => security(vec![row]),
            Step::Good | Step::Conflict | Step::Refused => mail(vec![row]),
        };
        let ticket = world.ask(of(&generations[*which], append)).unwrap();
        asked.push((*which, *step, event, ticket));
    }
    world.faults.open();
    first.wait().unwrap();
    let (mut failed, mut last) = ([false; 3], [0; 3]);
    for (which, step, event, ticket) in asked {
        let present = |wanted| prop_wanted(world.log.read().event_present(event).unwrap(), wanted);
        match (ticket.wait(), step, failed[which]) {
            // One that conflicts by itself may be told so instead.
            (Err(AppendFailure::StaleGeneration), _, true)
            | (Err(AppendFailure::Conflict { .. }), Step::Conflict, true) => {
                present(false)?;
            }
            (Err(AppendFailure::Conflict { .. }), Step::Conflict | Step::Refused, false) => {
                failed[which] = true;
                present(false)?;
            }
            (Ok(appended), Step::Good | Step::Urgent, false) => {
                present(true)?;
                prop_assert!(appended.first_position > last[which], "out of order");
                last[which] = appended.last_position;
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
    Ok(())
}

fn prop_wanted(found: bool, wanted: bool) -> Result<(), TestCaseError> {
    prop_assert_eq!(found, wanted);
    Ok(())
}

pub fn a_row_that_the_store_refuses_fails_alone<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let twice = cast.accepted(cast.ann, message_id());
    world.append(mail(vec![twice.clone()])).unwrap();
    world.faults.shut();
    let blocker = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let before = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    // Another stream, but the id of an event that is on record.
    let mut copy = cast.accepted(cast.ann, message_id());
    copy.event_id = twice.event_id;
    let guilty = world.ask(mail(vec![copy])).unwrap();
    let after = world.ask(mail(vec![cast.accepted(cast.ben, message_id())])).unwrap();
    world.faults.open();
    assert!(blocker.wait().is_ok() && before.wait().is_ok() && after.wait().is_ok());
    assert!(matches!(guilty.wait(), Err(AppendFailure::Conflict { .. })));
    world.check_density();
}

pub fn a_missing_key_fails_alone<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let generation = world.log.new_generation();
    let mut keyless = cast.accepted(cast.ann, message_id());
    keyless.recipient_key = Some(DataKeyId::from_uuid(draw_uuid()));
    let keyless = of(&generation, mail(vec![cast.accepted(cast.ann, message_id()), keyless]));
    assert_eq!(world.append(keyless), Err(AppendFailure::KeyMissing));
    assert!(generation.is_stale());
    assert_eq!(world.log.read().head(), 1);
    assert!(world.append(mail(vec![cast.accepted(cast.ann, message_id())])).is_ok());
}
