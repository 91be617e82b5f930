//! Room in the channel: new mail is told "busy" first, what must get through does.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use sealpost::log::{Busy, Expected, Lane, LogState};
use sealpost_domain::limits;

use super::events::{block_on, mail, message_id, of, outcome, request, security};
use super::world::{Fixture, World};

pub fn new_mail_is_told_busy_while_outcomes_and_security_get_through<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.faults.shut();
    let blocker = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let batch = || mail((0..500).map(|_| cast.accepted(cast.ann, message_id())).collect());
    let mut tickets = Vec::new();
    let busy = loop {
        match world.ask(batch()) {
            Ok(ticket) => tickets.push(ticket),
            Err(busy) => break busy,
        }
    };
    assert_eq!(busy, Busy::QueueFull);
    let rows = u64::try_from(tickets.len()).unwrap() * 500;
    assert_eq!(rows, limits::LOG_QUEUE_ROWS_MAX);
    let slot = world.log.reserve_outcome().unwrap();
    let urgent = [
        world.ask(security(vec![cast.opened(cast.ann)])).unwrap(),
        world
            .ask(request(Lane::Start, vec![cast.accepted(cast.ann, message_id())]))
            .unwrap(),
        world
            .ask(outcome(slot, vec![cast.held(cast.ben, message_id(), Expected::Next)]))
            .unwrap(),
    ];
    world.faults.open();
    blocker.wait().unwrap();
    let urgent = urgent.map(|ticket| ticket.wait().unwrap().first_position);
    let first_mail = tickets.remove(0).wait().unwrap().first_position;
    assert!(
        urgent.iter().all(|position| *position < first_mail),
        "{urgent:?} {first_mail}"
    );
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    world.append(batch()).unwrap();
}

pub fn a_slot_is_held_until_its_outcome_is_answered<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let all = usize::try_from(limits::OUTCOME_SLOTS).unwrap();
    let mut slots: Vec<_> = (0..all).map(|_| world.log.reserve_outcome().unwrap()).collect();
    assert!(world.log.reserve_outcome().is_none());
    world.faults.shut();
    let slot = slots.pop().unwrap();
    let ticket = world
        .ask(outcome(slot, vec![cast.held(cast.ann, message_id(), Expected::Next)]))
        .unwrap();
    world.faults.wait_until_one_waits();
    assert!(world.log.reserve_outcome().is_none(), "its outcome is not durable");
    world.faults.open();
    ticket.wait().unwrap();
    // The next free slot is the one of the answered outcome.
    assert!(block_on(world.log.outcome_slot()).is_some());
    drop(slots);
    world.log.close();
    assert!(block_on(world.log.outcome_slot()).is_none());
}

pub fn a_full_disk_stops_new_mail_alone<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    assert_eq!(world.log.state(), LogState::Serving);
    world.faults.set_free_bytes(999);
    // The mark is looked at with every round.
    world.append(security(vec![cast.opened(cast.ann)])).unwrap();
    world.append(security(vec![cast.opened(cast.ben)])).unwrap();
    assert_eq!(world.log.state(), LogState::DiskMark);
    let new_mail = || mail(vec![cast.accepted(cast.ann, message_id())]);
    assert_eq!(world.ask(new_mail()).unwrap_err(), Busy::DiskMark);
    let start = request(Lane::Start, vec![cast.accepted(cast.ann, message_id())]);
    world.append(start).unwrap();
    world.faults.set_free_bytes(1_000);
    let slot = world.log.reserve_outcome().unwrap();
    world
        .append(outcome(slot, vec![cast.held(cast.ann, message_id(), Expected::Next)]))
        .unwrap();
    assert_eq!(world.log.state(), LogState::Serving);
    world.append(new_mail()).unwrap();
}

pub fn a_generation_keeps_its_order_across_lanes<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let (mine, other) = (world.log.new_generation(), world.log.new_generation());
    let message = message_id();
    world.faults.shut();
    let blocker = world.ask(mail(vec![cast.accepted(cast.ben, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let accept = mail(vec![cast.accepted(cast.ann, message)]);
    let accept = world.ask(of(&mine, accept)).unwrap();
    // Decided on the accept that waits in a slower lane.
    let hold = security(vec![cast.held(cast.ann, message, Expected::Sequence(1))]);
    let hold = world.ask(of(&mine, hold)).unwrap();
    let elsewhere = world.ask(of(&other, security(vec![cast.opened(cast.ben)]))).unwrap();
    world.faults.open();
    blocker.wait().unwrap();
    let [accept, hold, elsewhere] = [accept, hold, elsewhere].map(|ticket| ticket.wait().unwrap().first_position);
    assert!(elsewhere < accept && accept < hold, "{elsewhere} {accept} {hold}");
}

pub fn a_fence_is_passed_when_all_before_it_is_answered<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    world.faults.shut();
    let blocker = world.ask(mail(vec![cast.accepted(cast.ann, message_id())])).unwrap();
    world.faults.wait_until_one_waits();
    let before: Vec<_> = [Lane::NewMail, Lane::Start, Lane::Security]
        .map(|lane| {
            let row = cast.accepted(cast.ann, message_id());
            (row.event_id, world.ask(request(lane, vec![row])).unwrap())
        })
        .into();
    let mut fence = world.log.fence();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut fence).poll(&mut context).is_pending());
    std::thread::scope(|scope| {
        let passed = scope.spawn(|| {
            fence.wait().unwrap();
            let reader = world.log.read();
            before.iter().all(|(event, _)| reader.event_present(*event).unwrap())
        });
        world.faults.open();
        assert!(passed.join().unwrap());
    });
    blocker.wait().unwrap();
    world.log.fence().wait().unwrap();
    assert_eq!(world.log.read().head(), 5, "a fence records nothing");
    world.log.close();
    assert_eq!(block_on(world.log.fence()), Err(Busy::Closed));
}
