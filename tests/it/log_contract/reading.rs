//! What readers see: streams, accounts, the tail, and nothing in clear.

use std::time::Duration;

use cqrs_es::EventEnvelope;
use cqrs_es::persist::SerializedEvent;
use sealpost::clock::draw_uuid;
use sealpost::log::Expected;
use sealpost_domain::account::Account;
use sealpost_domain::api_key::ApiKey;
use sealpost_domain::ids::{KeyId, UserId};
use sealpost_domain::message::{Message, MessageEvent};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::shard::Shard;
use sealpost_domain::suppression::{Suppression, SuppressionReason};
use sealpost_domain::user::{LoginToken, User};
use sealpost_domain::{Event, Personal, StreamId, StreamType};
use sealpost_projections::EventSource;

use super::events::{PLANTED, block_on, mail, message_id, security};
use super::world::{EsRow, Fixture, LONG, World};

/// One request of each kind of event that the suite knows.
fn fill<F: Fixture>(world: &World<F>) {
    let cast = &world.cast;
    let key = KeyId::from_uuid(draw_uuid());
    let (user, login) = (UserId::from_uuid(draw_uuid()), LoginToken::from_hex("cd".repeat(16)));
    let message = message_id();
    world
        .append(security(vec![
            cast.opened(cast.ann),
            cast.registered(&world.vault, cast.ann, user, &login),
            cast.issued(cast.ann, key, &KeyHash::from_hex("ab".repeat(32))),
        ]))
        .unwrap();
    world.append(security(vec![cast.opened(cast.ben)])).unwrap();
    world
        .append(mail(vec![
            cast.accepted(cast.ann, message),
            cast.held(cast.ann, message, Expected::Sequence(1)),
        ]))
        .unwrap();
    world
        .append(security(vec![cast.suppressed(
            cast.ann,
            SuppressionReason::HardBounce,
            None,
        )]))
        .unwrap();
}

pub fn events_come_in_pages<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    let all = world.all();
    let reader = world.log.read();
    let mut paged = Vec::new();
    while let Some(page) =
        Some(reader.events(u64::try_from(paged.len()).unwrap(), 3).unwrap()).filter(|p| !p.is_empty())
    {
        assert!(page.len() <= 3);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(reader.events(reader.head(), 3).unwrap(), []);
}

pub fn an_account_s_own_sequence_has_no_gap<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    let reader = world.log.read();
    let of_ann = reader.account(world.cast.ann, 0, 100).unwrap();
    let seqs: Vec<_> = of_ann.iter().map(|event| event.account_seq.unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    assert_eq!(reader.account(world.cast.ann, 2, 2).unwrap(), of_ann[2..4]);
    assert_eq!(reader.accounts().unwrap(), [world.cast.ann, world.cast.ben]);
    assert_eq!(
        reader
            .account(sealpost_domain::ids::AccountId::from_uuid(draw_uuid()), 0, 9)
            .unwrap(),
        []
    );
}

pub fn an_actor_is_woken_from_control_streams_alone<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    let control = world.log.read().account_control(world.cast.ann).unwrap();
    let kinds: Vec<_> = control.iter().map(|event| event.stream.stream_type).collect();
    assert_eq!(kinds, [StreamType::Account, StreamType::User, StreamType::ApiKey]);
    let stream = StreamId::new(StreamType::Account, world.cast.ann);
    assert_eq!(world.log.read().stream(&stream).unwrap(), control[..1]);
}

pub fn the_tail_tells_tasks_and_threads<F: Fixture>() {
    let world = World::<F>::new();
    let reader = world.log.read();
    let mut tail = reader.tail();
    let head = reader.head();
    assert_eq!(*tail.borrow_and_update(), head);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| reader.wait_past(head, LONG));
        let appended = world.append(security(vec![world.cast.opened(world.cast.ann)])).unwrap();
        assert_eq!(thread.join().unwrap(), appended.last_position);
        block_on(tail.changed()).unwrap();
        assert_eq!(*tail.borrow_and_update(), appended.last_position);
    });
    assert_eq!(reader.wait_past(reader.head(), Duration::ZERO), reader.head());
}

pub fn projections_get_events_in_clear<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    let source = world.log.source();
    assert_eq!(source.head(), world.log.read().head());
    let events = source.events(0, 100).unwrap();
    assert_eq!(events.len(), world.all().len());
    let accepted = events.iter().find_map(|event| match &event.event {
        Event::Message(MessageEvent::MessageAccepted(accepted)) => Some((accepted, &event.metadata)),
        _ => None,
    });
    let (accepted, metadata) = accepted.unwrap();
    assert_eq!(accepted.subject, Personal::Known(PLANTED[3].to_owned()));
    assert_eq!(metadata.ip, Some(Personal::Known(PLANTED[5].parse().unwrap())));
    let sealed = world.all();
    assert!(
        sealed
            .iter()
            .any(|event| matches!(&event.metadata.ip, Some(Personal::Sealed(_))))
    );
}

/// Reads a row with the types that postgres-es reads its rows into, and back into an event of its aggregate.
fn read_back(row: &EsRow) -> Result<(), cqrs_es::persist::PersistenceError> {
    let serialized = SerializedEvent::new(
        row.aggregate_id.clone(),
        usize::try_from(row.sequence).unwrap(),
        row.aggregate_type.clone(),
        row.event_type.clone(),
        row.event_version.clone(),
        serde_json::from_str(&row.payload).unwrap(),
        serde_json::from_str(&row.metadata).unwrap(),
    );
    match row.aggregate_type.as_str() {
        "account" => EventEnvelope::<Account>::try_from(serialized).map(drop),
        "user" => EventEnvelope::<User>::try_from(serialized).map(drop),
        "api_key" => EventEnvelope::<ApiKey>::try_from(serialized).map(drop),
        "message" => EventEnvelope::<Message>::try_from(serialized).map(drop),
        "suppression" => EventEnvelope::<Suppression>::try_from(serialized).map(drop),
        "shard" => EventEnvelope::<Shard>::try_from(serialized).map(drop),
        other => panic!("an aggregate that the suite does not fill: {other}"),
    }
}

pub fn the_seven_columns_are_read_by_the_types_of_cqrs<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    let rows = world.fixture.es_rows();
    assert_eq!(rows.len(), world.all().len());
    for row in rows {
        read_back(&row).unwrap_or_else(|error| panic!("{}: {error}", row.event_type));
    }
}

pub fn nothing_personal_lies_in_clear<F: Fixture>() {
    let world = World::<F>::new();
    fill(&world);
    world.log.close();
    for (name, bytes) in world.fixture.stored_bytes() {
        for planted in PLANTED {
            let found = bytes.windows(planted.len()).any(|window| window == planted.as_bytes());
            assert!(!found, "{planted} in {}", name.display());
        }
    }
}
