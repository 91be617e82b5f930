//! Given/when/then of a shard.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::address::DomainName;
use crate::ids::{AccountId, MessageId};

fn own(epoch: u64) -> ShardCommand {
    ShardCommand::OwnShard {
        epoch,
        node: "n1".to_owned(),
    }
}

fn owned(epoch: u64) -> ShardEvent {
    ShardEvent::ShardOwned {
        epoch,
        node: "n1".to_owned(),
    }
}

fn actors() -> [ParkedActor; 3] {
    [
        ParkedActor::Account(AccountId::from_uuid(Uuid::from_u128(1))),
        ParkedActor::Destination(DomainName::parse("example.org").unwrap()),
        ParkedActor::Message(MessageId::from_uuid(Uuid::from_u128(1))),
    ]
}

fn park(actor: &ParkedActor) -> ShardCommand {
    ShardCommand::ParkActor {
        actor: actor.clone(),
        panics: 3,
    }
}

fn parked(actor: &ParkedActor) -> ShardEvent {
    ShardEvent::ActorParked {
        actor: actor.clone(),
        panics: 3,
    }
}

fn unpark(actor: &ParkedActor) -> ShardCommand {
    ShardCommand::UnparkActor { actor: actor.clone() }
}

fn unparked(actor: &ParkedActor) -> ShardEvent {
    ShardEvent::ActorUnparked { actor: actor.clone() }
}

fn then_event(given: Vec<ShardEvent>, when: ShardCommand, then: ShardEvent) {
    TestFramework::<Shard>::with(())
        .given(given)
        .when(when)
        .then_expect_events(vec![then]);
}

fn then_refusal(given: Vec<ShardEvent>, when: ShardCommand, then: ShardRefusal) {
    TestFramework::<Shard>::with(())
        .given(given)
        .when(when)
        .then_expect_error(then);
}

#[test]
fn an_epoch_only_ever_rises() {
    then_event(vec![], own(1), owned(1));
    then_event(vec![owned(1)], own(2), owned(2));
    for stale in [0, 1, 2] {
        then_refusal(vec![owned(1), owned(2)], own(stale), ShardRefusal::StaleEpoch);
    }
    then_refusal(vec![], own(0), ShardRefusal::StaleEpoch);
}

#[test]
fn each_kind_of_actor_is_parked_once_and_let_go_once() {
    for actor in &actors() {
        then_event(vec![], park(actor), parked(actor));
        then_refusal(vec![parked(actor)], park(actor), ShardRefusal::AlreadyParked);
        then_event(vec![parked(actor)], unpark(actor), unparked(actor));
        then_refusal(
            vec![parked(actor), unparked(actor)],
            unpark(actor),
            ShardRefusal::NotParked,
        );
        then_event(vec![parked(actor), unparked(actor)], park(actor), parked(actor));
    }
}

#[test]
fn letting_one_go_leaves_the_others_parked() {
    let [account, destination, message] = actors();
    // The account and the message bear the same number: the kind tells them apart.
    let given = vec![
        parked(&account),
        parked(&destination),
        parked(&message),
        unparked(&account),
    ];
    then_refusal(given.clone(), unpark(&account), ShardRefusal::NotParked);
    then_event(given.clone(), unpark(&message), unparked(&message));
    then_event(given, unpark(&destination), unparked(&destination));
}

#[test]
fn a_new_epoch_lets_nothing_go() {
    let [account, ..] = actors();
    then_refusal(
        vec![parked(&account), owned(1)],
        park(&account),
        ShardRefusal::AlreadyParked,
    );
}
