//! Appends that are taken: places, time, atomicity, what is stored.

use std::time::Duration;

use sealpost::log::{AppendFailure, Expected};
use sealpost::proof::{self, CanonicalEvent};
use sealpost_domain::{StreamId, StreamType};

use super::events::{mail, message_id, security};
use super::world::{Fixture, World};

pub fn positions_and_both_sequences_are_dense<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    // The epoch's own event is the first.
    assert_eq!(world.log.read().head(), 1);
    let first = world.append(security(vec![cast.opened(cast.ann)])).unwrap();
    assert_eq!((first.first_position, first.last_position), (2, 2));
    world.append(security(vec![cast.opened(cast.ben)])).unwrap();
    let message = message_id();
    let accept = world.append(mail(vec![cast.accepted(cast.ann, message)])).unwrap();
    assert_eq!((accept.first_position, accept.sequences), (4, vec![1]));
    let hold = cast.held(cast.ann, message, Expected::Sequence(1));
    assert_eq!(world.append(security(vec![hold])).unwrap().sequences, [2]);
    world.check_density();
    let seqs: Vec<_> = world.all().iter().map(|event| event.account_seq).collect();
    assert_eq!(seqs, [None, Some(1), Some(1), Some(2), Some(3)]);
}

pub fn a_request_is_recorded_whole_and_side_by_side<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let rows: Vec<_> = (0..10).map(|_| cast.accepted(cast.ann, message_id())).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.event_id).collect();
    let appended = world.append(mail(rows)).unwrap();
    assert_eq!(appended.last_position - appended.first_position, 9);
    let read = world.log.read().events(appended.first_position - 1, 100).unwrap();
    assert_eq!(read.iter().map(|event| event.event_id).collect::<Vec<_>>(), ids);
    assert!(read.iter().all(|event| event.recorded_at == appended.recorded_at));
    assert!(world.log.read().event_present(ids[9]).unwrap());
    assert!(!world.log.read().event_present(super::events::event_id()).unwrap());
}

pub fn many_callers_leave_no_gap<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    std::thread::scope(|scope| {
        for account in [cast.ann, cast.ben, cast.ann, cast.ben] {
            let world = &world;
            scope.spawn(move || {
                let tickets: Vec<_> = (0..100)
                    .map(|n| {
                        let message = message_id();
                        let mut rows = vec![cast.accepted(account, message)];
                        if n % 3 == 0 {
                            rows.push(cast.held(account, message, Expected::Sequence(1)));
                        }
                        // One in ten believes in an event that is not there.
                        if n % 10 == 0 {
                            rows.push(cast.held(account, message_id(), Expected::Sequence(5)));
                        }
                        world.ask(mail(rows)).unwrap()
                    })
                    .collect();
                let answers: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait()).collect();
                assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 10);
            });
        }
    });
    world.check_density();
}

pub fn time_never_falls<F: Fixture>() {
    let mut world = World::<F>::new();
    let cast = &world.cast;
    let before = world.append(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    world.clock.set(1_600_000_000_000);
    let after = world.append(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    assert_eq!(after.recorded_at, before.recorded_at, "a clock that was set back");
    world.reopen();
    let cast = &world.cast;
    world.clock.set(1_700_000_000_000);
    world.clock.advance(Duration::from_millis(5));
    let later = world.append(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    assert_eq!(later.recorded_at.since(before.recorded_at), Duration::from_millis(5));
    world.check_density();
}

pub fn a_malformed_request_is_answered_and_records_nothing<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let accepted = || cast.accepted(cast.ann, message_id());
    let mut foreign = accepted();
    foreign.stream = StreamId::new(StreamType::Account, cast.ann);
    let mut homeless = accepted();
    homeless.account = None;
    let mut torn = accepted();
    torn.account = Some(cast.ben);
    for rows in [
        vec![],
        vec![foreign],
        vec![homeless],
        vec![torn],
        vec![accepted(); 2_001],
    ] {
        assert!(matches!(world.append(mail(rows)), Err(AppendFailure::Malformed(_))));
    }
    assert_eq!(world.log.read().head(), 1);
}

pub fn what_is_stored_is_what_the_leaf_covers<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.append(security(vec![cast.opened(cast.ann)])).unwrap();
    world.append(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    let leaves = world.fixture.leaves();
    let stored = world.fixture.es_rows();
    for (event, leaf) in world.all().iter().zip(&leaves) {
        let row = stored
            .iter()
            .find(|row| row.aggregate_id == event.stream.id && row.aggregate_type == event.stream.stream_type.as_str())
            .unwrap();
        let account = event.account.map(|account| account.to_string());
        let text = proof::canonical(&CanonicalEvent {
            shard: event.shard,
            position: event.position,
            account: account.as_deref(),
            account_seq: event.account_seq,
            stream_type: &row.aggregate_type,
            stream_id: &row.aggregate_id,
            sequence: event.sequence,
            version: &row.event_version,
            event_type: &row.event_type,
            payload: &row.payload,
            metadata: &row.metadata,
            recorded_at_ms: event.recorded_at.as_millis(),
            epoch: event.epoch,
        });
        assert_eq!(proof::leaf(text.as_bytes()), *leaf);
    }
    assert_eq!(leaves.len(), 3);
}

pub fn a_stored_event_can_neither_be_changed_nor_removed<F: Fixture>() {
    let world = World::<F>::new();
    world.append(security(vec![world.cast.opened(world.cast.ann)])).unwrap();
    let before = world.all();
    let errors = world.fixture.tamper(2);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().all(|error| error.contains("append-only")), "{errors:?}");
    assert_eq!(world.all(), before);
}
