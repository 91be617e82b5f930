//! Two builds of one log are equal, byte for byte; a changed row is found.

use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::activity::Activity;
use crate::message_timeline::MessageTimeline;
use crate::sample::{MemoryLog, others};
use crate::spool::Spool;
use crate::story::{Act, Story};

/// Builds live rows, a round of `round` events at a time.
fn live<P: Projection>(dir: &Path, log: &MemoryLog, round: usize) {
    let mut store = Store::open(&file_of::<P>(dir), Shape::of::<P>()).unwrap();
    for events in log.all().chunks(round) {
        fold_events::<P>(&mut store, events).unwrap();
    }
}

fn is_equal<P: Projection>(log: &MemoryLog, round: usize) -> bool {
    let dir = tempfile::tempdir().unwrap();
    live::<P>(dir.path(), log, round);
    let report = rebuild_check::<P>(dir.path(), log).unwrap();
    let mut left = std::fs::read_dir(dir.path()).unwrap();
    assert!(left.all(|entry| entry.unwrap().path().is_file()), "the shadow is gone");
    report.is_equal() && report.events == log.head()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_projection_is_built_again_byte_for_byte(
        acts in proptest::collection::vec((0_u128..3, proptest::sample::select(Act::ALL.to_vec())), 1..60),
        round in 1_usize..7,
    ) {
        let log = Arc::new(MemoryLog::default());
        others(&log);
        let mut stories: Vec<Story> = (0..3).map(|number| Story::new(&log, number)).collect();
        for (number, act) in acts {
            stories[usize::try_from(number).unwrap()].act(act);
        }
        for log in [log.clone(), log.erased()] {
            prop_assert!(is_equal::<Spool>(&log, round));
            prop_assert!(is_equal::<Activity>(&log, round));
            prop_assert!(is_equal::<MessageTimeline>(&log, round));
        }
    }
}

#[test]
fn a_changed_added_or_missing_row_is_found() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept).act(Act::Start).act(Act::Deliver);
    for damage in [
        "UPDATE activity SET subject = 'Other'",
        "UPDATE activity SET reason = ''",
        "DELETE FROM activity_attempt",
        "INSERT INTO activity_attempt (message, attempt_id, sequence, at_ms, result) VALUES ('a', 'b', 1, 1, 'open')",
    ] {
        let dir = tempfile::tempdir().unwrap();
        live::<Activity>(dir.path(), &log, 10);
        let hand = Connection::open(file_of::<Activity>(dir.path())).unwrap();
        hand.execute_batch(damage).unwrap();
        assert!(
            !rebuild_check::<Activity>(dir.path(), &*log).unwrap().is_equal(),
            "{damage}"
        );
    }
}

#[test]
fn the_digest_stands_for_contents_not_for_the_file() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept);
    let dir = tempfile::tempdir().unwrap();
    live::<Spool>(dir.path(), &log, 10);
    let before = digest::<Spool>(dir.path()).unwrap();
    Connection::open(file_of::<Spool>(dir.path()))
        .unwrap()
        .execute_batch("VACUUM")
        .unwrap();
    assert_eq!(digest::<Spool>(dir.path()).unwrap(), before);
    assert_eq!(before.sha256.len(), 64);
}

#[test]
fn no_file_and_a_log_that_ends_early_are_said() {
    let log = Arc::new(MemoryLog::default());
    Story::new(&log, 1).act(Act::Accept).act(Act::Hold);
    let dir = tempfile::tempdir().unwrap();
    let unbuilt = rebuild_check::<Spool>(dir.path(), &*log).unwrap_err();
    assert!(matches!(unbuilt, ProjectionFailure::Unbuilt { projection: "spool" }));
    live::<Spool>(dir.path(), &log, 10);
    let shorter = MemoryLog::of(log.all().into_iter().take(1).collect());
    assert!(!rebuild_check::<Spool>(dir.path(), &*shorter).unwrap().is_equal());
}
