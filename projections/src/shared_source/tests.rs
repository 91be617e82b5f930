//! Followers of one source get what the log says, each event is read once, and nothing is kept that all have passed.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::sample::MemoryLog;
use crate::story::{Act, Story};

/// Counts the events that are read from the log itself.
struct Counting {
    log: Arc<MemoryLog>,
    read: AtomicUsize,
}

impl EventSource for Counting {
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, SourceFailure> {
        let events = self.log.events(after, limit)?;
        self.read.fetch_add(events.len(), Ordering::Relaxed);
        Ok(events)
    }

    fn head(&self) -> u64 {
        self.log.head()
    }

    fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        self.log.wait_past(position, at_most)
    }
}

fn counting(messages: u128) -> Arc<Counting> {
    let log = Arc::new(MemoryLog::default());
    grow(&log, 0..messages);
    let read = AtomicUsize::new(0);
    Arc::new(Counting { log, read })
}

fn grow(log: &Arc<MemoryLog>, numbers: std::ops::Range<u128>) {
    for number in numbers {
        Story::new(log, number).act(Act::Accept);
    }
}

#[test]
fn each_event_is_read_once_and_let_go_when_all_have_passed() {
    let source = counting(10);
    let shared = SharedSource::new(source.clone());
    let followers = [shared.follower(), shared.follower(), shared.follower()];
    for round in 0..5 {
        for follower in &followers {
            let events = follower.events(round * 2, 2).unwrap();
            assert_eq!(events, source.log.events(round * 2, 2).unwrap());
        }
    }
    assert_eq!(source.read.load(Ordering::Relaxed), 10);
    assert_eq!(
        shared.kept.lock().events.len(),
        2,
        "nobody said yet that it has folded them"
    );
    for follower in &followers {
        follower.wait_past(10, Duration::ZERO);
    }
    assert_eq!(shared.kept.lock().events.len(), 0);
}

#[test]
fn one_follower_alone_keeps_nothing_and_one_that_is_gone_holds_nothing() {
    let source = counting(10);
    let shared = SharedSource::new(source.clone());
    let first = shared.follower();
    first.events(0, 10).unwrap();
    assert_eq!(shared.kept.lock().events.len(), 0);
    let second = shared.follower();
    grow(&source.log, 10..12);
    assert_eq!(first.events(10, 10).unwrap().len(), 2);
    assert_eq!(shared.kept.lock().events.len(), 2);
    drop(second);
    first.wait_past(12, Duration::ZERO);
    assert_eq!(shared.kept.lock().events.len(), 0);
}

#[test]
fn one_that_lags_does_not_make_the_others_keep_all() {
    let source = counting(0);
    grow(&source.log, 0..9_000);
    let shared = SharedSource::new(source.clone());
    let (fast, slow) = (shared.follower(), shared.follower());
    for round in 0..9 {
        assert_eq!(fast.events(round * 1_000, 1_000).unwrap().len(), 1_000);
    }
    assert_eq!(shared.kept.lock().events.len(), KEPT_EVENTS_MAX);
    assert_eq!(slow.events(0, 1_000).unwrap(), source.log.events(0, 1_000).unwrap());
}

proptest! {
    #[test]
    fn every_follower_always_gets_the_next_events(
        steps in proptest::collection::vec((0_usize..3, 1_usize..9, 0_u128..4, any::<bool>()), 1..60),
    ) {
        let source = counting(0);
        let shared = SharedSource::new(source.clone());
        let followers = [shared.follower(), shared.follower(), shared.follower()];
        let (mut places, mut told) = ([0_u64; 3], 0);
        for (number, limit, more, begins_again) in steps {
            grow(&source.log, told..told + more);
            told += more;
            let place = &mut places[number];
            if begins_again && limit == 1 {
                *place = 0;
            }
            let events = followers[number].events(*place, limit).unwrap();
            let expected = source.log.events(*place, limit).unwrap();
            // A page may be short where what is kept ends, but never empty where the log goes on.
            prop_assert_eq!(&events[..], &expected[..events.len()]);
            prop_assert_eq!(events.is_empty(), expected.is_empty());
            *place += u64::try_from(events.len()).unwrap();
        }
    }
}
