//! The timeline says each event of a message once, in order, with what the event knows.

use std::sync::Arc;

use sealpost_domain::Personal;
use sealpost_domain::event::StreamType;
use sealpost_domain::ids::AccountId;
use sealpost_domain::message::{OutcomeClass, Timings};
use sealpost_domain::metadata::Actor;

use super::{MessageTimeline, TimelineEntry, TimelineQueries};
use crate::round::fold_events;
use crate::sample::{MemoryLog, account, key, message, others, reply, tls};
use crate::store::sqlite::{Shape, Store, file_of};
use crate::story::{Act, Story};

fn timeline(log: &MemoryLog, number: u128) -> Vec<TimelineEntry> {
    let dir = tempfile::tempdir().unwrap();
    let path = file_of::<MessageTimeline>(dir.path());
    let mut store = Store::open(&path, Shape::of::<MessageTimeline>()).unwrap();
    fold_events::<MessageTimeline>(&mut store, &log.all()).unwrap();
    let queries = TimelineQueries::open(dir.path());
    let stranger = AccountId::from_uuid(uuid::Uuid::from_u128(0xbad));
    assert_eq!(queries.message(stranger, message(number)).unwrap(), []);
    queries.message(account(), message(number)).unwrap()
}

/// A story in which every type of event but the rejection occurs.
fn long_story() -> Arc<MemoryLog> {
    let log = Arc::new(MemoryLog::default());
    others(&log);
    let mut story = Story::new(&log, 1);
    story
        .act(Act::Accept)
        .act(Act::Hold)
        .act(Act::Release)
        .act(Act::Start)
        .act(Act::NotStarted);
    story
        .act(Act::Start)
        .act(Act::Defer)
        .act(Act::Start)
        .act(Act::DoubtAndResend)
        .act(Act::Start)
        .act(Act::Deliver);
    story.act(Act::BounceLate).act(Act::Complain);
    Story::new(&log, 2).act(Act::Reject);
    Story::new(&log, 3).act(Act::Accept).act(Act::Discard);
    Story::new(&log, 4)
        .act(Act::Accept)
        .act(Act::Start)
        .act(Act::BounceBeforeData);
    log
}

#[test]
fn every_event_is_a_line_in_the_order_of_the_stream() {
    let log = long_story();
    let lines = timeline(&log, 1);
    let told: Vec<(u64, &str, Option<&str>)> = lines
        .iter()
        .map(|line| (line.sequence, line.event_type.as_str(), line.reason.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (1, "MessageAccepted", None),
            (2, "MessageHeld", Some("asked")),
            (3, "MessageReleased", None),
            (4, "DeliveryStarted", None),
            (5, "DeliveryNotStarted", Some("connection_lost")),
            (6, "DeliveryStarted", None),
            (7, "DeliveryDeferred", Some("reply")),
            (8, "DeliveryStarted", None),
            (9, "DeliveryInDoubt", Some("connection_lost")),
            (10, "DeliveryStarted", None),
            (11, "MessageDelivered", None),
            (1, "BounceReceived", Some("hard")),
            (2, "ComplaintReceived", Some("abuse")),
        ]
    );
    assert_eq!(timeline(&log, 2)[0].reason.as_deref(), Some("hard_bounce"));
    assert_eq!(timeline(&log, 3)[1].event_type, "MessageDiscarded");
    let bounced = timeline(&log, 4);
    assert_eq!(bounced[2].reason.as_deref(), Some("recipient_refused"));
    assert_eq!(bounced[3].reason.as_deref(), Some("hard"));
    // Every type of event of a message stands in one of the stories.
    let mut types: Vec<String> = (1..=4)
        .flat_map(|number| timeline(&log, number))
        .map(|line| line.event_type)
        .collect();
    types.sort_unstable();
    types.dedup();
    let both = [StreamType::Message, StreamType::Engagement];
    assert_eq!(
        types.len(),
        both.iter().map(|stream| stream.event_types().len()).sum::<usize>()
    );
    let late = &lines[11];
    assert_eq!(
        (late.stream, late.host.as_deref()),
        (StreamType::Engagement, Some("mx.example.org"))
    );
    assert_eq!(
        (late.class, late.reply.as_ref()),
        (Some(OutcomeClass::RecipientUnknown), Some(&reply(550)))
    );
}

#[test]
fn a_line_says_who_from_where_and_over_what() {
    let lines = timeline(&long_story(), 1);
    let (accept, start, end) = (&lines[0], &lines[9], &lines[10]);
    assert_eq!(
        (accept.key, accept.actor, accept.content_bytes),
        (Some(key()), Actor::Key(key()), Some(321))
    );
    assert_eq!(accept.ip, Personal::Known("192.0.2.7".parse().unwrap()));
    assert_eq!(accept.user_agent, Personal::Known("client/1".to_owned()));
    assert_eq!(accept.account_seq, Some(4));
    assert_eq!(
        (start.attempt, start.host.as_deref()),
        (Some(3), Some("mx.example.org"))
    );
    assert_eq!(
        (start.peer.as_deref(), start.content_bytes),
        (Some("192.0.2.25:25"), Some(654))
    );
    assert_eq!(start.content_sha256.as_deref(), Some("cd".repeat(32).as_str()));
    assert_eq!((start.attempt_id, start.tls.as_ref()), (end.attempt_id, Some(&tls())));
    assert_eq!(
        (end.reply.as_ref(), end.tls.as_ref()),
        (Some(&reply(250)), Some(&tls()))
    );
    let timings = Timings {
        connect_ms: 3,
        transact_ms: 5,
    };
    assert_eq!(end.timings, Some(timings));
    assert!(lines[6].next_attempt_at.is_some() && lines[8].next_attempt_at.is_some());
}

#[test]
fn what_is_erased_stays_a_line_without_its_personal_values() {
    let log = long_story();
    let (known, erased) = (timeline(&log, 1), timeline(&log.erased(), 1));
    assert_eq!(known.len(), erased.len());
    for (known, erased) in known.iter().zip(&erased) {
        assert_eq!(erased.ip, Personal::Erased);
        assert_eq!(erased.user_agent, Personal::Erased);
        let mut expected = known.clone();
        (expected.ip, expected.user_agent) = (Personal::Erased, Personal::Erased);
        if let Some(reply) = &mut expected.reply {
            reply.text = Personal::Erased;
        }
        assert_eq!(*erased, expected);
    }
}
