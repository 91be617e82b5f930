//! The activity tells what became of each message, finds it again, and forgets what was erased.

use std::sync::Arc;

use rusqlite::Connection;
use sealpost_domain::Personal;
use sealpost_domain::engagement::ComplaintKind;
use sealpost_domain::ids::{AccountId, KeyId};
use sealpost_domain::message::{
    BounceKind, DeferralReason, HoldReason, InDoubtCause, MessageCommand, NotStartedReason, RejectReason,
};
use sealpost_domain::metadata::{Actor, Channel};

use super::query::search;
use super::*;
use crate::projection::{EventSource, Projection};
use crate::round::{Folded, fold_events};
use crate::sample::{MemoryLog, account, at, key, message, others, rejected, reply, tls};
use crate::store::sqlite::{Shape, Store, file_of};
use crate::story::{Act, Story};

fn folded(log: &MemoryLog) -> (tempfile::TempDir, ActivityQueries) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&file_of::<Activity>(dir.path()), Shape::of::<Activity>()).unwrap();
    let folded = fold_events::<Activity>(&mut store, &log.all()).unwrap();
    assert_eq!(folded, Folded::All { parked: 0 });
    let queries = ActivityQueries::open(dir.path());
    (dir, queries)
}

fn found(queries: &ActivityQueries, filter: &ActivityFilter) -> Vec<u128> {
    let rows = queries.search(account(), filter).unwrap().rows;
    rows.iter()
        .map(|row| row.message.as_uuid().as_u128() - 0x1000)
        .collect()
}

fn state(queries: &ActivityQueries, number: u128) -> ActivityState {
    queries.get(account(), message(number)).unwrap().unwrap().state
}

#[test]
fn each_story_ends_in_its_state() {
    use ActivityState::*;
    let stories: &[(&[Act], ActivityState, &str)] = &[
        (&[], Queued, "queued"),
        (&[Act::Hold], Held(HoldReason::Asked), "queued"),
        (&[Act::Hold, Act::Release], Queued, "queued"),
        (&[Act::Discard], Discarded, "canceled"),
        (&[Act::Start], Sending, "queued"),
        (&[Act::Start, Act::NotStarted], Queued, "queued"),
        (&[Act::Start, Act::Deliver], Delivered, "sent"),
        (&[Act::Defer], Deferred(DeferralReason::Reply), "deferred"),
        (
            &[Act::Defer, Act::Start, Act::Bounce],
            Bounced(BounceKind::Hard),
            "bounced",
        ),
        (
            &[Act::Start, Act::BounceBeforeData],
            Bounced(BounceKind::Hard),
            "bounced",
        ),
        (
            &[Act::Start, Act::DoubtAndResend],
            InDoubt(InDoubtCause::ConnectionLost),
            "deferred",
        ),
        (&[Act::Start, Act::DoubtAndHold], Held(HoldReason::InDoubt), "queued"),
        (
            &[Act::Start, Act::Deliver, Act::BounceLate],
            BouncedLate(BounceKind::Hard),
            "bounced",
        ),
        // A report may be faster than the outcome that it is about.
        (
            &[Act::Start, Act::BounceLate, Act::Deliver],
            BouncedLate(BounceKind::Hard),
            "bounced",
        ),
        (
            &[Act::Start, Act::Deliver, Act::Complain, Act::BounceLate],
            Complained(ComplaintKind::Abuse),
            "spam",
        ),
        (
            &[Act::Start, Act::Deliver, Act::BounceLate, Act::Complain],
            Complained(ComplaintKind::Abuse),
            "spam",
        ),
    ];
    let log = Arc::new(MemoryLog::default());
    others(&log);
    for (number, (acts, ..)) in (0..).zip(stories) {
        let mut story = Story::new(&log, number);
        story.act(Act::Accept);
        for act in *acts {
            story.act(*act);
        }
    }
    Story::new(&log, 99).act(Act::Reject);
    let (_dir, queries) = folded(&log);
    for (number, (acts, expected, mandrill)) in (0..).zip(stories) {
        assert_eq!(state(&queries, number), *expected, "{acts:?}");
        assert_eq!(expected.mandrill(), *mandrill);
        assert_eq!(StateName::parse(expected.name().as_str()), Some(expected.name()));
    }
    assert_eq!(state(&queries, 99), Rejected(RejectReason::HardBounce));
    assert_eq!(Rejected(RejectReason::HardBounce).mandrill(), "rejected");
}

#[test]
fn a_row_has_all_that_a_message_info_needs() {
    let log = Arc::new(MemoryLog::default());
    let mut story = Story::new(&log, 1);
    story
        .accept("Ann@example.org", "Hello")
        .act(Act::Start)
        .act(Act::NotStarted);
    for _ in 0..2 {
        story.act(Act::Start).act(Act::Defer);
    }
    story.act(Act::Start).act(Act::Deliver);
    let (_dir, queries) = folded(&log);
    let row = queries.get(account(), message(1)).unwrap().unwrap();
    assert_eq!(
        (row.at, row.key, row.channel, row.actor),
        (at(1), key(), Channel::Api, Actor::Key(key()))
    );
    assert_eq!(row.recipient, Personal::Known("Ann@example.org".to_owned()));
    assert_eq!(row.sender, Personal::Known("news@shop.test".to_owned()));
    assert_eq!(row.subject, Personal::Known("Hello".to_owned()));
    assert_eq!(row.tags, Personal::Known(vec!["vip".to_owned()]));
    assert_eq!(row.metadata.known().unwrap().get("customer").unwrap(), "\"4711\"");
    assert_eq!(row.client_ip, Personal::Known("192.0.2.7".parse().unwrap()));
    assert_eq!(row.user_agent, Personal::Known("client/1".to_owned()));
    assert_eq!(row.method.as_ref().unwrap().as_str(), "messages/send");
    assert_eq!(row.recipient_domain.as_ref().unwrap().as_str(), "example.org");
    assert_eq!((row.size_bytes, row.next_attempt_at), (Some(321), None));
    assert_eq!(row.finished_at, Some(at(log.head())));
    assert_eq!((row.late_at, row.late_reply.as_ref()), (None, None));
    story.act(Act::BounceLate);
    let (_dir, queries) = folded(&log);
    let late = queries.get(account(), message(1)).unwrap().unwrap();
    assert_eq!(
        (late.late_at, late.late_reply),
        (Some(at(log.head())), Some(reply(550)))
    );
    assert_eq!(late.finished_at, row.finished_at, "it was taken then");
    let results: Vec<AttemptResult> = row.attempts.iter().map(|attempt| attempt.result).collect();
    let deferred = AttemptResult::Deferred(DeferralReason::Reply);
    assert_eq!(results, [deferred, deferred, AttemptResult::Delivered]);
    let last = row.attempts.last().unwrap();
    // The start named the peer and the length, the outcome the reply.
    assert_eq!(
        (last.peer.as_deref(), last.content_bytes),
        (Some("192.0.2.25:25"), Some(654))
    );
    assert_eq!(
        (last.tls.as_ref(), last.reply.as_ref()),
        (Some(&tls()), Some(&reply(250)))
    );
}

#[test]
fn the_first_attempt_that_did_not_start_is_told() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1)
        .act(Act::Accept)
        .act(Act::Start)
        .act(Act::NotStarted);
    let (_dir, queries) = folded(&log);
    let row = queries.get(account(), message(1)).unwrap().unwrap();
    let expected = AttemptResult::NotStarted(NotStartedReason::ConnectionLost);
    assert_eq!(row.attempts.first().unwrap().result, expected);
}

fn three() -> Arc<MemoryLog> {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1)
        .accept("ann@example.org", "Your order 4711 is on its way")
        .act(Act::Start)
        .act(Act::Deliver);
    Story::new(&log, 2).accept("bob@Example.org", "Reset your password");
    let mut bad = rejected("Ann@Example.org", at(5));
    bad.tags = Personal::Known(vec!["Orders".to_owned()]);
    Story::new(&log, 3).ask(MessageCommand::Reject(Box::new(bad)));
    log
}

fn exact(text: &str) -> Option<TextMatch> {
    Some(TextMatch::Exact(text.to_owned()))
}

fn query(text: &str) -> Option<SearchQuery> {
    SearchQuery::parse(text).ok()
}

fn subject(text: &str) -> Option<SearchQuery> {
    SearchQuery::parse_in_subject(text).ok()
}

/// Sets a filter; the messages that it finds.
type Case = (fn(&mut ActivityFilter), &'static [u128]);

const CASES: &[Case] = &[
    (|_| {}, &[3, 2, 1]),
    (|f| f.recipient = exact("ANN@example.org"), &[3, 1]),
    (|f| f.recipient = exact("nn@example.org"), &[]),
    (|f| f.recipient = Some(TextMatch::Part("OB@".to_owned())), &[2]),
    (|f| f.senders.extend(exact("news@shop.test")), &[3, 2, 1]),
    (|f| f.senders.extend(exact("other@shop.test")), &[]),
    (|f| f.subject = subject("order way"), &[1]),
    (|f| f.subject = subject("\"your password\""), &[2]),
    (|f| f.subject = subject("ann"), &[]),
    (|f| f.tags = vec!["orders".to_owned(), "absent".to_owned()], &[3]),
    (|f| f.keys = vec![key()], &[3, 2, 1]),
    (|f| f.keys = vec![KeyId::from_uuid(uuid::Uuid::nil())], &[]),
    (|f| f.states = vec![StateName::Delivered, StateName::Rejected], &[3, 1]),
    (|f| f.client_ip = "192.0.2.7".parse().ok(), &[3, 2, 1]),
    (|f| f.client_ip = "192.0.2.8".parse().ok(), &[]),
    (|f| f.from = Some(at(4)), &[3, 2]),
    (|f| f.to = Some(at(4)), &[1]),
    (|f| f.limit = 2, &[3, 2]),
    (|f| f.limit = 0, &[]),
    (|f| f.query = query("ann state:sent"), &[1]),
    (|f| f.query = query("u_customer:4711 OR tags:orders"), &[3, 2, 1]),
    (|f| f.query = query("' OR 1=1 --"), &[]),
    (|f| f.query = query("'; DROP TABLE activity; --"), &[]),
    (|f| f.query = query("%"), &[3, 2, 1]),
];

#[test]
fn each_filter_finds_its_rows_newest_first() {
    let (_dir, queries) = folded(&three());
    for (number, (set, expected)) in CASES.iter().enumerate() {
        let mut filter = ActivityFilter::default();
        set(&mut filter);
        assert_eq!(found(&queries, &filter), *expected, "{number}: {filter:?}");
    }
}

#[test]
fn pages_join_without_gap_or_repeat_whatever_ends_them() {
    let log = Arc::new(MemoryLog::default());
    for number in 0..11 {
        Story::new(&log, number).act(Act::Accept);
        // Two messages of one moment are told apart by their id.
        log.change(usize::try_from(number).unwrap() + 1, |recorded| {
            if let sealpost_domain::Event::Message(sealpost_domain::message::MessageEvent::MessageAccepted(accepted)) =
                &mut recorded.event
            {
                accepted.accepted_at = at(u64::try_from(number / 2).unwrap());
            }
        });
    }
    let (dir, _queries) = folded(&log);
    let rows = Connection::open(file_of::<Activity>(dir.path())).unwrap();
    for (limit, scanned_max) in [(3, 100), (100, 2), (4, 3), (11, 11)] {
        let mut filter = ActivityFilter {
            limit,
            ..ActivityFilter::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = search(&rows, account(), &filter, scanned_max).unwrap();
            seen.extend(page.rows.iter().map(|row| row.message));
            let Some(next) = page.next else { break };
            assert_eq!(next.to_string().parse::<ActivityCursor>(), Ok(next));
            filter.before = Some(next);
        }
        assert_eq!(
            seen,
            (0..11).rev().map(message).collect::<Vec<_>>(),
            "{limit} {scanned_max}"
        );
    }
    assert!("1".parse::<ActivityCursor>().is_err() && "-".parse::<ActivityCursor>().is_err());
}

#[test]
fn an_account_sees_its_own_messages_alone() {
    let (_dir, queries) = folded(&three());
    let stranger = AccountId::from_uuid(uuid::Uuid::from_u128(0xbad));
    assert_eq!(queries.search(stranger, &ActivityFilter::default()).unwrap().rows, []);
    assert_eq!(queries.get(stranger, message(1)).unwrap(), None);
    assert_eq!(queries.get(account(), message(77)).unwrap(), None);
}

#[test]
fn what_is_erased_has_no_value_and_is_not_found() {
    let (dir, queries) = folded(&three().erased());
    let row = queries.get(account(), message(1)).unwrap().unwrap();
    assert_eq!(row.state, ActivityState::Delivered);
    assert_eq!(
        (row.recipient, row.sender, row.subject),
        (Personal::Erased, Personal::Erased, Personal::Erased)
    );
    assert_eq!(
        (row.tags, row.metadata, row.client_ip),
        (Personal::Erased, Personal::Erased, Personal::Erased)
    );
    assert_eq!(row.attempts[0].reply.as_ref().unwrap().text, Personal::Erased);
    assert_eq!(row.attempts[0].reply.as_ref().unwrap().code, 250);
    for text in [
        "ann",
        "order",
        "email:*",
        "subject:*",
        "u_customer:4711",
        "client_ip:192.0.2.7",
    ] {
        let filter = ActivityFilter {
            query: SearchQuery::parse(text).ok(),
            ..ActivityFilter::default()
        };
        assert_eq!(found(&queries, &filter), Vec::<u128>::new(), "{text}");
    }
    assert_eq!(found(&queries, &ActivityFilter::default()), [3, 2, 1]);
    let bytes = std::fs::read(file_of::<Activity>(dir.path())).unwrap();
    assert!(
        !bytes.windows(11).any(|window| window == b"example.org") || !bytes.windows(4).any(|window| window == b"ann@")
    );
}

#[test]
fn a_late_bounce_of_somebody_who_is_erased_keeps_its_code_alone() {
    let log = three();
    let mut story = Story::new(&log, 7);
    story
        .act(Act::Accept)
        .act(Act::Start)
        .act(Act::Deliver)
        .act(Act::BounceLate);
    let (_dir, queries) = folded(&log.erased());
    let row = queries.get(account(), message(7)).unwrap().unwrap();
    assert_eq!(row.state, ActivityState::BouncedLate(BounceKind::Hard));
    let late = row.late_reply.unwrap();
    assert_eq!((late.code, late.text), (550, Personal::Erased));
}

#[test]
fn a_damaged_row_costs_nobody_the_others() {
    let (dir, queries) = folded(&three());
    let hand = Connection::open(file_of::<Activity>(dir.path())).unwrap();
    hand.execute(
        "UPDATE activity SET state = 'strange' WHERE message = $1",
        [message(2).to_hex()],
    )
    .unwrap();
    assert_eq!(found(&queries, &ActivityFilter::default()), [3, 1]);
    assert_eq!(queries.get(account(), message(2)).unwrap(), None);
}

#[test]
fn a_message_of_no_account_stops_the_projection() {
    let log = three();
    log.change(1, |recorded| recorded.account = None);
    assert_eq!(Activity::fold(&log.all()[0]), Err(crate::FoldRefusal::NoAccount));
}
