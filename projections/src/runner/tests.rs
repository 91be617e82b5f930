//! A runner follows, stops, starts again, mends its file, and stands still at what it cannot fold.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use sealpost_domain::Recorded;

use super::*;
use crate::activity::Activity;
use crate::digest::digest;
use crate::message_timeline::MessageTimeline;
use crate::projection::{FoldRefusal, RowChange};
use crate::rebuild::rebuild_check;
use crate::sample::{MemoryLog, until};
use crate::spool::{Spool, SpoolQueries};
use crate::story::{Act, Story};

const SOON: Duration = Duration::from_secs(10);

fn log_of(messages: u128) -> Arc<MemoryLog> {
    let log = Arc::new(MemoryLog::default());
    for number in 0..messages {
        Story::new(&log, number).act(Act::Accept);
    }
    log
}

/// Waits until the file at its place holds what the log says, and says so by its digest.
fn until_right<P: Projection>(dir: &Path, log: &MemoryLog) {
    until("the rows are those of the log", log, || {
        let is_there = digest::<P>(dir).is_ok_and(|found| found.position == log.head());
        is_there && rebuild_check::<P>(dir, log).is_ok_and(|report| report.is_equal())
    });
}

#[test]
fn it_follows_the_log_and_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(2_500);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(2_500, SOON));
    until("following", &log, || running.state() == RunnerState::Following);
    assert!(!running.wait_for(2_501, Duration::from_millis(20)));
    Story::new(&log, 9_000).act(Act::Accept);
    assert!(running.wait_for(2_501, SOON));
    let progress = running.progress();
    running.stop();
    assert_eq!((progress.state(), progress.checkpoint()), (RunnerState::Ended, 2_501));
    assert!(!progress.wait_for(2_502, SOON), "nobody is left to wait for");
    Story::new(&log, 9_001).act(Act::Accept);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(2_502, SOON));
    until_right::<Spool>(dir.path(), &log);
}

#[test]
fn nothing_that_is_not_durable_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(3);
    log.hold_back(1);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(2, SOON));
    assert!(!running.wait_for(3, Duration::from_millis(50)));
    log.hold_back(0);
    assert!(running.wait_for(3, SOON));
}

#[test]
fn a_deleted_file_is_built_again_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(20);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(20, SOON));
    let queries = SpoolQueries::open(dir.path());
    assert_eq!(queries.counts().unwrap().queued, 20);
    fs::remove_file(file_of::<Spool>(dir.path())).unwrap();
    until_right::<Spool>(dir.path(), &log);
    Story::new(&log, 9_000).act(Act::Accept);
    assert!(running.wait_for(21, SOON));
    assert_eq!(queries.counts().unwrap().queued, 21, "readers turn to the new file");
}

#[test]
fn a_cut_file_is_built_again_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(20);
    let running = Runner::<Activity>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(20, SOON));
    let file = OpenOptions::new().write(true).open(file_of::<Activity>(dir.path()));
    file.unwrap().set_len(0).unwrap();
    until_right::<Activity>(dir.path(), &log);
    Story::new(&log, 9_000).act(Act::Accept);
    assert!(running.wait_for(21, SOON));
    until_right::<Activity>(dir.path(), &log);
}

#[test]
fn an_emptied_table_is_built_again_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(20);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(20, SOON));
    for damage in [
        "DELETE FROM spool",
        "DROP TABLE spool",
        "DELETE FROM projection_checkpoint",
        "DELETE FROM spool WHERE sequence = 1",
    ] {
        let hand = Connection::open(file_of::<Spool>(dir.path())).unwrap();
        hand.busy_timeout(SOON).unwrap();
        hand.execute_batch(damage).unwrap();
        until_right::<Spool>(dir.path(), &log);
    }
    assert!(running.wait_for(20, SOON));
}

#[test]
fn a_file_that_was_damaged_while_nobody_ran_is_built_again() {
    let log = log_of(20);
    for damage in [
        "empty the file",
        "empty the table",
        "no database",
        "another log",
        "ahead of the log",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
        assert!(running.wait_for(20, SOON));
        running.stop();
        let path = file_of::<Spool>(dir.path());
        let mut now = log.clone();
        match damage {
            "empty the file" => fs::write(&path, "").unwrap(),
            "empty the table" => Connection::open(&path)
                .unwrap()
                .execute_batch("DELETE FROM spool")
                .unwrap(),
            "no database" => fs::write(&path, "not a database, but long enough to look like one".repeat(100)).unwrap(),
            "another log" => {
                now = MemoryLog::of(log.all());
                now.change(20, |last| last.event_id = log.all()[0].event_id);
            }
            _ => now = log_of(7),
        }
        let running = Runner::<Spool>::start(dir.path(), now.clone()).unwrap();
        until_right::<Spool>(dir.path(), &now);
        assert!(running.wait_for(now.head(), SOON), "{damage}");
    }
}

#[test]
fn it_builds_again_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(20);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(20, SOON));
    let hand = Connection::open(file_of::<Spool>(dir.path())).unwrap();
    hand.busy_timeout(SOON).unwrap();
    hand.execute_batch("UPDATE spool SET order_json = '{}'").unwrap();
    assert!(!rebuild_check::<Spool>(dir.path(), &*log).unwrap().is_equal());
    running.rebuild();
    until_right::<Spool>(dir.path(), &log);
}

/// Stops at the third event of the log, each in its way.
struct Refusing;
struct Breaking;
struct Colliding;

fn broken() -> Result<Vec<RowChange>, FoldRefusal> {
    panic!("on purpose");
}

fn third(recorded: &Recorded) -> bool {
    recorded.position == 3
}

macro_rules! poisoned {
    ($name:ident, $file:literal, $third:expr) => {
        impl Projection for $name {
            const NAME: &'static str = $file;
            const VERSION: u32 = 1;
            const SCHEMA: &'static str = "CREATE TABLE seen (place BIGINT PRIMARY KEY)";
            const TABLES: &'static [&'static str] = &["seen"];

            fn fold(recorded: &Recorded) -> Result<Vec<RowChange>, FoldRefusal> {
                if third(recorded) {
                    return $third;
                }
                Ok(vec![RowChange::new(
                    "INSERT INTO seen (place) VALUES ($1)",
                    [recorded.position.into()],
                )])
            }
        }
    };
}
poisoned!(Refusing, "refusing", Err(FoldRefusal::FieldUnknown("it")));
poisoned!(Breaking, "breaking", broken());
poisoned!(Colliding, "colliding", {
    let insert = |place: i64| RowChange::new("INSERT INTO seen (place) VALUES ($1)", [place.into()]);
    Ok(vec![insert(33), insert(1)])
});

fn stops_at_the_third<P: Projection>(refusal: &FoldRefusal) {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(5);
    let other = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    for _ in 0..2 {
        let running = Runner::<P>::start(dir.path(), log.clone()).unwrap();
        assert!(!running.wait_for(3, SOON), "it says at once that it will not come");
        let RunnerState::Stopped(poison) = running.state() else {
            panic!("{:?}", running.state());
        };
        assert_eq!((poison.position, &poison.refusal), (3, refusal));
        assert_eq!(poison.event_type, "MessageAccepted");
        assert_eq!(running.checkpoint(), 2, "what came before is in");
    }
    let hand = Connection::open(file_of::<P>(dir.path())).unwrap();
    let rows: i64 = hand
        .query_row("SELECT count(*) FROM seen", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2, "and nothing of the event itself");
    assert!(other.wait_for(5, SOON), "others go on");
}

#[test]
fn a_poison_event_stops_its_projection_alone() {
    stops_at_the_third::<Refusing>(&FoldRefusal::FieldUnknown("it"));
    stops_at_the_third::<Breaking>(&FoldRefusal::Panicked);
    stops_at_the_third::<Colliding>(&FoldRefusal::RowNotTaken);
}

#[test]
fn a_gap_in_the_log_is_not_folded_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(5);
    log.change(3, |event| event.position = 4);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    until("it waits", &log, || {
        matches!(running.state(), RunnerState::Waiting { .. })
    });
    assert_eq!(running.checkpoint(), 0);
    log.change(3, |event| event.position = 3);
    assert!(running.wait_for(5, SOON), "it tries again by itself");
}

#[test]
fn an_event_that_cannot_be_read_is_waited_for_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(5);
    log.damage(Some(4));
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(3, SOON));
    until(
        "it waits",
        &log,
        || matches!(running.state(), RunnerState::Waiting { failure } if failure.contains("position 4")),
    );
    log.damage(None);
    assert!(running.wait_for(5, SOON));
}

#[test]
fn a_message_of_which_an_event_cannot_be_read_stands_aside_and_the_spool_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(5);
    log.damage_content(5);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(5, SOON));
    until("following", &log, || running.state() == RunnerState::Following);
    running.stop();
    // The checkpoint names the event that cannot be read, and the rows are those of this log all the same.
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    Story::new(&log, 9_000).act(Act::Accept);
    assert!(running.wait_for(6, SOON));
    until_right::<Spool>(dir.path(), &log);
    let counts = SpoolQueries::open(dir.path()).counts().unwrap();
    assert_eq!((counts.queued, counts.parked), (5, 1));
}

#[test]
fn what_people_look_at_waits_at_an_event_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(5);
    log.damage_content(4);
    let running = Runner::<Activity>::start(dir.path(), log.clone()).unwrap();
    assert!(running.wait_for(3, SOON));
    until(
        "it waits",
        &log,
        || matches!(running.state(), RunnerState::Waiting { failure } if failure.contains("position 4")),
    );
    log.damage(None);
    assert!(running.wait_for(5, SOON));
}

#[test]
fn files_of_other_versions_go_once_it_has_caught_up_and_files_of_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "spool-v0.db",
        "spool-v0.db-wal",
        "spool-v99.db",
        "spool-vx.db",
        "spooler-v0.db",
        "spool-v0.txt",
    ] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let own = format!("shadow-spool-{}-0", std::process::id());
    for name in ["shadow-spool-0-1", "shadow-other-0-1", &own] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    let log = log_of(1);
    let running = Runner::<Spool>::start(dir.path(), log.clone()).unwrap();
    until("tidied", &log, || {
        ["spool-v99.db", "spool-v0.db-wal", "shadow-spool-0-1"]
            .iter()
            .all(|name| !dir.path().join(name).exists())
    });
    running.stop();
    let mut left: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let current = format!("spool-v{}.db", Spool::VERSION);
    assert_eq!(
        left,
        [
            "shadow-other-0-1",
            &own,
            "spool-v0.txt",
            &current,
            "spool-vx.db",
            "spooler-v0.db"
        ]
    );
}

#[test]
fn the_file_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let running = Runner::<MessageTimeline>::start(dir.path(), log_of(3)).unwrap();
    assert!(running.wait_for(3, SOON));
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_said_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("models");
    fs::write(&place, "a file where a folder should be").unwrap();
    let log = log_of(3);
    let running = Runner::<Spool>::start(&place, log.clone()).unwrap();
    until("it waits", &log, || {
        matches!(running.state(), RunnerState::Waiting { .. })
    });
    fs::remove_file(&place).unwrap();
    assert!(running.wait_for(3, SOON));
}
