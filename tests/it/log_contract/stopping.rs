//! Failed writes: no false answer in either direction, and the way back.

use sealpost::log::{AppendFailure, Busy, LogState};
use sealpost_domain::shard::ShardEvent;
use sealpost_domain::{Event, Recorded};

use super::events::{mail, message_id, of, security};
use super::faults::Fault;
use super::world::{Fixture, LONG, World};

fn owned(event: &Recorded) -> Option<u64> {
    match &event.event {
        Event::Shard(ShardEvent::ShardOwned { epoch, .. }) => Some(*epoch),
        _ => None,
    }
}

/// Waits until the log has come back: its first act is to own the shard again.
fn wait_for_epoch<F: Fixture>(world: &World<F>, epoch: u64) {
    let reader = world.log.read();
    let mut head = 0;
    while !world.all().iter().any(|event| owned(event) == Some(epoch)) {
        let moved = reader.wait_past(head, LONG);
        assert!(moved > head, "the log did not come back");
        head = moved;
    }
}

pub fn a_failed_commit_acknowledges_nothing_and_the_log_comes_back<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let (writing, bystander) = (world.log.new_generation(), world.log.new_generation());
    world.faults.shut();
    let first = world
        .ask(of(&writing, mail(vec![cast.accepted(cast.ann, message_id())])))
        .unwrap();
    world.faults.wait_until_one_waits();
    let queued = world
        .ask(of(&bystander, mail(vec![cast.accepted(cast.ben, message_id())])))
        .unwrap();
    let alone = world.ask(security(vec![cast.opened(cast.ben)])).unwrap();
    world.faults.fail_next(Fault::Before);
    world.faults.open();
    assert_eq!(first.wait(), Err(AppendFailure::Unavailable));
    assert_eq!(
        queued.wait(),
        Err(AppendFailure::StaleGeneration),
        "hot state of before is not trusted"
    );
    assert!(writing.is_stale() && bystander.is_stale());
    let alone = alone.wait().unwrap();
    let events = world.all();
    assert_eq!(events.iter().filter_map(owned).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(alone.first_position, 3, "the new epoch comes before anything else");
    assert!(world.append(mail(vec![cast.accepted(cast.ann, message_id())])).is_ok());
    world.check_density();
}

pub fn what_is_on_record_after_all_is_acknowledged<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let row = cast.accepted(cast.ann, message_id());
    let event = row.event_id;
    world.faults.fail_next(Fault::After);
    let appended = world.append(mail(vec![row])).unwrap();
    assert!(world.log.read().event_present(event).unwrap());
    wait_for_epoch(&world, 2);
    let found = world
        .all()
        .into_iter()
        .find(|recorded| recorded.event_id == event)
        .unwrap();
    assert_eq!(found.position, appended.first_position);
    assert_eq!(vec![found.sequence], appended.sequences);
    world.check_density();
}

pub fn a_store_that_stays_away_stops_the_log_until_it_is_back<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.faults.set_away(true);
    world.faults.fail_next(Fault::After);
    let row = cast.accepted(cast.ann, message_id());
    let held = world.ask(mail(vec![row.clone()])).unwrap();
    // The first is the opening of the log.
    world.faults.wait_for_begins(3);
    assert_eq!(world.log.state(), LogState::Stopped);
    let refused = world.ask(security(vec![cast.opened(cast.ann)]));
    assert_eq!(refused.unwrap_err(), Busy::Stopped);
    assert_eq!(world.log.fence().wait(), Err(Busy::Stopped), "something is in doubt");
    let blind = world.log.new_generation();
    world.faults.set_away(false);
    let appended = held.wait().unwrap();
    assert!(
        blind.is_stale(),
        "what was read meanwhile lacks what is on record after all"
    );
    assert!(world.log.read().event_present(row.event_id).unwrap());
    wait_for_epoch(&world, 2);
    assert_eq!(appended.first_position, 2);
    // The state follows the epoch's event at once; the next answer proves it.
    while world.log.state() == LogState::Stopped {
        std::thread::yield_now();
    }
    world.append(security(vec![cast.opened(cast.ann)])).unwrap();
    world.check_density();
}

pub fn a_full_disk_is_told_as_such<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.faults.fail_next(Fault::DiskFull);
    let failed = world.append(mail(vec![cast.accepted(cast.ann, message_id())]));
    assert_eq!(failed, Err(AppendFailure::DiskFull));
    wait_for_epoch(&world, 2);
    world.check_density();
}

pub fn a_store_that_lost_what_was_acknowledged_is_not_appended_to<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.append(security(vec![cast.opened(cast.ann)])).unwrap();
    world.faults.set_lost(true);
    world.faults.fail_next(Fault::Before);
    let held = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    // The first opened the log; a third shows that the second was not taken.
    world.faults.wait_for_begins(3);
    assert_eq!(world.log.state(), LogState::Stopped);
    world.faults.set_lost(false);
    assert_eq!(held.wait(), Err(AppendFailure::Unavailable));
    wait_for_epoch(&world, 2);
    world.check_density();
}
