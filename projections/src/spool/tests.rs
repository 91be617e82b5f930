//! The spool says of every message what its stream says; what cannot be folded or read stands aside alone.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use sealpost_domain::account::AccountEvent;
use sealpost_domain::address::DomainName;
use sealpost_domain::api_key::ApiKeyEvent;
use sealpost_domain::event::{Event, StreamId};
use sealpost_domain::message::{Message, MessageEvent, Phase};
use sealpost_domain::{Instant, Personal, StreamType};

use super::{DueMark, DuePage, Spool, SpoolQueries};
use crate::progress::RunnerState;
use crate::projection::Projection;
use crate::round::{Folded, fold_events};
use crate::runner::Runner;
use crate::sample::{MemoryLog, accepted, account, at, key, message};
use crate::store::sqlite::{Shape, Store, file_of};
use crate::story::{Act, Story};

fn folded(log: &MemoryLog, round: usize) -> (tempfile::TempDir, SpoolQueries) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&file_of::<Spool>(dir.path()), Shape::of::<Spool>()).unwrap();
    for events in log.all().chunks(round.max(1)) {
        assert!(matches!(
            fold_events::<Spool>(&mut store, events).unwrap(),
            Folded::All { .. }
        ));
    }
    let queries = SpoolQueries::open(dir.path());
    (dir, queries)
}

fn due(spool: &SpoolQueries, until: Instant, limit: usize) -> DuePage {
    let domain = DomainName::parse("example.org").unwrap();
    spool.due_of(&domain, until, &DueMark::default(), limit).unwrap()
}

fn acts() -> impl Strategy<Value = Vec<(u128, Act)>> {
    // Accepts and starts often, so that the stories get somewhere.
    let act = prop_oneof![
        2 => Just(Act::Accept),
        4 => Just(Act::Start),
        6 => proptest::sample::select(Act::ALL.to_vec()),
    ];
    proptest::collection::vec((0_u128..4, act), 0..60)
}

fn told(acts: &[(u128, Act)]) -> (Arc<MemoryLog>, Vec<Story>) {
    let log = Arc::new(MemoryLog::default());
    let mut stories: Vec<Story> = (0..4).map(|number| Story::new(&log, number)).collect();
    for (number, act) in acts {
        stories[usize::try_from(*number).unwrap()].act(*act);
    }
    (log, stories)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_row_is_what_the_aggregate_is(acts in acts(), round in 1_usize..8) {
        let (log, stories) = told(&acts);
        let (_dir, spool) = folded(&log, round);
        let page = spool.all_open(None, 100).unwrap();
        prop_assert!(page.parked.is_empty());
        let open: Vec<&Story> = stories.iter().filter(|story| story.sequence > 0 && !story.state.is_finished()).collect();
        prop_assert_eq!(page.rows.len(), open.len());
        for (row, story) in page.rows.iter().zip(&open) {
            prop_assert_eq!(row.message, message(story.number));
            prop_assert_eq!(&row.state, &story.state);
            prop_assert_eq!(row.sequence, story.sequence);
            prop_assert_eq!(row.account, account());
            prop_assert_eq!(row.key, key());
        }
        let due = due(&spool, at(10_000_000), 100).rows;
        prop_assert_eq!(due.len(), open.iter().filter(|story| story.state.phase == Phase::Queued).count());
        let starts = spool.open_starts().unwrap();
        let in_flight: Vec<&&Story> = open.iter().filter(|s| matches!(s.state.phase, Phase::InFlight { .. })).collect();
        prop_assert_eq!(starts.len(), in_flight.len());
        for (start, story) in starts.iter().zip(in_flight) {
            prop_assert_eq!((&start.state, start.sequence), (&story.state, story.sequence));
        }
    }

    #[test]
    fn erased_messages_are_parked_and_nothing_else_breaks(acts in acts(), round in 1_usize..8) {
        let (log, stories) = told(&acts);
        let (_dir, spool) = folded(&log.erased(), round);
        let page = spool.all_open(None, 100).unwrap();
        prop_assert!(page.rows.is_empty());
        let open = stories.iter().filter(|story| story.sequence > 0 && !story.state.is_finished()).count();
        prop_assert_eq!(page.parked.len(), open);
        for parked in &page.parked {
            prop_assert_eq!(parked.error.as_str(), "the field recipient is not known");
        }
    }
}

#[test]
fn due_rows_come_in_the_order_of_their_time_a_page_at_a_time() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept).act(Act::Start).act(Act::Defer);
    Story::new(&log, 2).act(Act::Accept);
    Story::new(&log, 3).act(Act::Accept).act(Act::Hold);
    Story::new(&log, 4).act(Act::Accept);
    Story::new(&log, 5).accept("ann@elsewhere.test", "Hi");
    let (_dir, spool) = folded(&log, 100);
    let ids = |page: &DuePage| page.rows.iter().map(|row| row.message).collect::<Vec<_>>();
    assert_eq!(ids(&due(&spool, at(1), 9)), []);
    assert_eq!(ids(&due(&spool, at(5), 9)), [message(2)]);
    let all = due(&spool, at(100), 9);
    assert_eq!(ids(&all), [message(2), message(4), message(1)]);
    assert_eq!((all.next, all.later), (None, None));
    let deferred_to = all.rows[2].state.due_at.unwrap();
    assert_eq!(due(&spool, at(5), 9).later, all.rows[1].state.due_at);
    assert_eq!(due(&spool, at(7), 9).later, Some(deferred_to));
    let first = due(&spool, at(100), 2);
    assert_eq!(
        first.next,
        Some(DueMark::of(all.rows[1].state.due_at.unwrap(), message(4)))
    );
    let domain = DomainName::parse("example.org").unwrap();
    let rest = spool.due_of(&domain, at(100), &first.next.unwrap(), 2).unwrap();
    assert_eq!((ids(&rest), rest.next), (vec![message(1)], None));
    let counts = spool.counts().unwrap();
    assert_eq!(
        (counts.queued, counts.held, counts.in_flight, counts.parked),
        (4, 1, 0, 0)
    );
}

#[test]
fn each_domain_with_mail_that_waits_is_named_with_its_first_time() {
    let log = Arc::new(MemoryLog::default());
    for (number, recipient) in ["a@c.test", "b@a.test", "c@b.test", "d@a.test"].into_iter().enumerate() {
        Story::new(&log, u128::try_from(number).unwrap()).accept(recipient, "Hi");
    }
    Story::new(&log, 9).accept("e@held.test", "Hi").act(Act::Hold);
    let (_dir, spool) = folded(&log, 100);
    let name = |text: &str| DomainName::parse(text).unwrap();
    let page = spool.waiting_domains(None, 2).unwrap();
    assert_eq!(page.domains, [(name("a.test"), at(2)), (name("b.test"), at(3))]);
    let page = spool.waiting_domains(page.next.as_deref(), 2).unwrap();
    assert_eq!((page.domains, page.next), (vec![(name("c.test"), at(1))], None));
}

#[test]
fn what_rests_is_in_nobody_s_way_until_it_may_go() {
    let log = Arc::new(MemoryLog::default());
    let frozen = || ApiKeyEvent::KeyFrozen {
        reason: Personal::Known("leaked?".to_owned()),
    };
    let suspended = || AccountEvent::AccountSuspended {
        reason: Personal::Erased,
    };
    let of_key = || StreamId::new(StreamType::ApiKey, key());
    let of_account = || StreamId::new(StreamType::Account, account());
    let seen = |log: &Arc<MemoryLog>| {
        let (_dir, spool) = folded(log, 1);
        let domains = spool.waiting_domains(None, 9).unwrap().domains.len();
        (due(&spool, at(100), 9).rows.len(), domains)
    };
    Story::new(&log, 1).act(Act::Accept);
    log.append(Some(account()), of_key(), 1, frozen());
    Story::new(&log, 2).act(Act::Accept);
    assert_eq!(seen(&log), (0, 0), "what was there rests, and what comes");
    log.append(Some(account()), of_account(), 1, suspended());
    log.append(Some(account()), of_key(), 2, ApiKeyEvent::KeyThawed);
    assert_eq!(seen(&log), (0, 0), "the account is suspended besides");
    log.append(Some(account()), of_account(), 2, AccountEvent::AccountReinstated);
    assert_eq!(seen(&log), (2, 1));
    log.append(Some(account()), of_key(), 3, frozen());
    let reason = Personal::Erased;
    log.append(Some(account()), of_key(), 4, ApiKeyEvent::KeyRevoked { reason });
    assert_eq!(seen(&log), (0, 0), "a revocation lets nothing go");
    log.append(Some(account()), of_key(), 5, ApiKeyEvent::KeyThawed);
    Story::new(&log, 3).act(Act::Accept);
    assert_eq!(seen(&log), (3, 1));
}

#[test]
fn pages_lead_through_all_rows_once() {
    let log = Arc::new(MemoryLog::default());
    for number in 0..7 {
        Story::new(&log, number).act(Act::Accept);
    }
    let (_dir, spool) = folded(&log, 100);
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = spool.by_key(key(), next.as_deref(), 3).unwrap();
        seen.extend(page.rows.into_iter().map(|row| row.message));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..7).map(message).collect::<Vec<_>>());
}

#[test]
fn only_what_cannot_be_folded_is_parked_and_the_spool_counts_as_caught_up() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept);
    let unknown = |number| {
        let mut unknown = accepted(number, "bob@example.org", "Hi", at(2));
        unknown.recipient = Personal::Erased;
        MessageEvent::MessageAccepted(Box::new(unknown))
    };
    log.append(Some(account()), StreamId::message(message(2)), 1, unknown(2));
    Story::new(&log, 3).accept("no address", "Hi");
    log.append(None, StreamId::message(message(4)), 1, unknown(4));
    log.append(
        Some(account()),
        StreamId::new(sealpost_domain::StreamType::Message, "no-id"),
        1,
        unknown(5),
    );
    Story::new(&log, 6).act(Act::Accept);
    // The same stream begins twice: the store itself refuses the row.
    Story::new(&log, 6).act(Act::Accept);
    Story::new(&log, 7).act(Act::Accept);

    let dir = tempfile::tempdir().unwrap();
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(8, Duration::from_secs(10)));
    let spool = SpoolQueries::open(dir.path());
    let page = spool.all_open(None, 100).unwrap();
    assert_eq!(
        page.rows.iter().map(|row| row.message).collect::<Vec<_>>(),
        [message(1), message(7)]
    );
    let errors: Vec<(String, String)> = page
        .parked
        .iter()
        .map(|row| (row.stream.clone(), row.error.clone()))
        .collect();
    let expected = [
        (message(2).to_hex(), "the field recipient is not known"),
        (message(3).to_hex(), "the field recipient is not in its form"),
        (message(4).to_hex(), "the field recipient is not known"),
        (message(6).to_hex(), "the store does not take the row"),
        ("no-id".to_owned(), "the id of the message stream is not in its form"),
    ];
    assert_eq!(errors, expected.map(|(id, error)| (id, error.to_owned())));
    assert_eq!(spool.parked(None, 2).unwrap().parked.len(), 2);
    assert_eq!(spool.counts().unwrap().parked, 5);
    assert_eq!(due(&spool, at(1_000), 10).rows.len(), 2);
    assert_eq!(spool.message(message(2)).unwrap(), None);
    until_following(&running);
}

fn until_following(running: &crate::runner::Running) {
    let idle = MemoryLog::default();
    crate::sample::until("following", &idle, || running.state() == RunnerState::Following);
}

#[test]
fn a_parked_message_leaves_when_it_is_discarded() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept).act(Act::Discard);
    let (_dir, spool) = folded(&log.erased(), 1);
    assert_eq!(spool.counts().unwrap(), super::SpoolCounts::default());
}

#[test]
fn a_damaged_row_stands_aside_and_the_others_are_read() {
    let log = Arc::new(MemoryLog::default());
    for number in 0..8 {
        Story::new(&log, number).act(Act::Accept);
    }
    Story::new(&log, 8).act(Act::Accept).act(Act::Start);
    let (dir, spool) = folded(&log, 100);
    let hand = Connection::open(file_of::<Spool>(dir.path())).unwrap();
    for (number, damage) in [
        "order_json = '{'",
        "order_json = NULL",
        "phase = 'strange'",
        "recipient = 'nobody'",
        "sequence = -1",
        "account = 'x'",
        "deferrals = 'many'",
    ]
    .into_iter()
    .enumerate()
    {
        let id = message(u128::try_from(number).unwrap()).to_hex();
        hand.execute(&format!("UPDATE spool SET {damage} WHERE message = $1"), [id])
            .unwrap();
    }
    let open = message(8).to_hex();
    hand.execute("UPDATE spool SET order_json = x'00' WHERE message = $1", [&open])
        .unwrap();
    let page = spool.all_open(None, 100).unwrap();
    assert_eq!(
        page.rows.iter().map(|row| row.message).collect::<Vec<_>>(),
        [message(7)]
    );
    assert_eq!(page.parked.len(), 8);
    assert!(
        page.parked
            .iter()
            .all(|parked| parked.error.contains("is not in its form"))
    );
    let due = due(&spool, at(1_000), 10);
    assert_eq!(due.rows.len(), 1);
    // One has a phase that nobody knows: it is not among what waits.
    assert_eq!(due.unreadable.len(), 6);
    // Its open start must still be declared in doubt.
    let starts = spool.open_starts().unwrap();
    assert_eq!(
        (starts.len(), starts[0].message, &starts[0].state.order),
        (1, message(8), &None)
    );
}

#[test]
fn no_debug_shows_an_address() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).accept("secret@example.org", "Hi");
    let (_dir, spool) = folded(&log, 1);
    let shown = format!("{:?}", spool.all_open(None, 1).unwrap());
    assert!(!shown.contains("secret") && !shown.contains("bounce+1"), "{shown}");
}

#[test]
fn events_of_other_streams_change_nothing() {
    let log = Arc::new(MemoryLog::default());
    crate::sample::others(&log);
    for recorded in log.all() {
        assert!(!matches!(recorded.event, Event::Message(_)));
        let changes = Spool::fold(&recorded).unwrap();
        // Whether an account is suspended, its mail has to know.
        let is_told = matches!(recorded.event, Event::Account(_));
        assert_eq!(changes.is_empty(), !is_told);
    }
    assert_eq!(Message::default().phase, Phase::New);
}
