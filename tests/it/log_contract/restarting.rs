//! Closing and opening: the log goes on where it stopped, in one process at a time.

use sealpost::log::{Busy, LogFailure};
use sealpost_domain::shard::ShardEvent;
use sealpost_domain::{Event, StreamId, StreamType};

use super::events::{mail, message_id, security};
use super::world::{Fixture, World};

pub fn a_log_goes_on_where_it_stopped<F: Fixture>() {
    let mut world = World::<F>::new();
    world.append(security(vec![world.cast.opened(world.cast.ann)])).unwrap();
    let before = world.all();
    world.reopen();
    let after = world.all();
    assert_eq!(after[..before.len()], before);
    let owned = world.log.read().stream(&StreamId::new(StreamType::Shard, 0)).unwrap();
    let epochs: Vec<_> = owned
        .iter()
        .map(|event| match &event.event {
            Event::Shard(ShardEvent::ShardOwned { epoch, node }) => {
                (*epoch, node.as_str(), event.epoch, event.position)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(epochs, [(1, "node-1", 1, 1), (2, "node-1", 2, 3)]);
    assert_eq!(world.log.read().head(), 3);
    let next = world.append(mail(vec![world.cast.accepted(world.cast.ann, message_id())]));
    assert_eq!(next.unwrap().first_position, 4);
    world.check_density();
}

pub fn a_second_owner_is_refused<F: Fixture>() {
    let world = World::<F>::new();
    match world.fixture.store().map(|_| ()) {
        Err(LogFailure::FolderInUse { .. }) => {}
        other => panic!("{other:?}"),
    }
    world.append(security(vec![world.cast.opened(world.cast.ann)])).unwrap();
}

pub fn closing_writes_what_waits<F: Fixture>() {
    let mut world = World::<F>::new();
    let cast = &world.cast;
    let tickets: Vec<_> = (0..50)
        .map(|_| world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap())
        .collect();
    assert!(!world.log.is_ended());
    world.log.close();
    assert!(world.log.is_ended(), "nobody writes any more");
    let late = world.ask(mail(vec![cast.accepted(cast.ann, message_id())]));
    assert_eq!(late.unwrap_err(), Busy::Closed);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    world.reopen();
    assert_eq!(world.log.read().head(), 52);
    world.check_density();
}
