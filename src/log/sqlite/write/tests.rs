//! The embedded store by itself: what SQLite's own failures leave behind, checkpoints, sweeping.

use sealpost_domain::StreamType;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::clock::draw_uuid;
use crate::log::append::{Expected, IdempotencyRow};
use crate::log::round::PlacedRow;
use crate::log::sealed::SealedRow;

const ACCOUNT: AccountId = AccountId::from_uuid(Uuid::from_u128(1));

fn store() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::at(dir.path()).unwrap();
    assert_eq!(store.begin().unwrap().position, 0);
    (dir, store)
}

fn now() -> Instant {
    Instant::from_millis(1_700_000_000_000)
}

/// A round of one event with a payload of this size, at a position that is its sequence in stream and account too.
fn round(position: u64, payload_bytes: usize) -> Round {
    let row = SealedRow {
        stream: StreamId::new(StreamType::Account, ACCOUNT),
        expected: Expected::Next,
        account: Some(ACCOUNT),
        event_id: EventId::from_uuid(draw_uuid()),
        event_type: "ContactChanged".to_owned(),
        event_version: "1".to_owned(),
        payload: format!("\"{}\"", "x".repeat(payload_bytes)),
        metadata: "{}".to_owned(),
        index: None,
    };
    Round {
        epoch: 1,
        recorded_at: now(),
        rows: vec![PlacedRow {
            position,
            sequence: position,
            account_seq: Some(position),
            leaf: [0; 32],
            row,
        }],
        idempotency: Vec::new(),
    }
}

fn limit_pages(store: &SqliteStore, pages: i64) {
    let connection = store.connection.as_ref().unwrap();
    connection.pragma_update(None, "max_page_count", pages).unwrap();
}

#[test]
fn a_round_that_finds_the_disk_full_is_not_there_and_the_next_one_is() {
    let (_dir, mut store) = store();
    store.commit(&round(1, 10)).unwrap();
    limit_pages(&store, 1);
    let failed = round(2, 1_000_000);
    assert!(matches!(store.commit(&failed), Err(LogFailure::DiskFull { .. })));
    let head = store.begin().unwrap();
    assert_eq!((head.position, head.epoch, head.recorded_at), (1, 1, now()));
    assert!(!store.is_present(failed.rows[0].row.event_id).unwrap());
    assert_eq!(store.stream_head(&failed.rows[0].row.stream).unwrap(), 1);
    assert_eq!(store.account_head(ACCOUNT).unwrap(), 1);
    let next = round(2, 10);
    store.commit(&next).unwrap();
    assert!(store.is_present(next.rows[0].row.event_id).unwrap());
}

#[test]
fn a_refused_round_leaves_no_trace_in_memory() {
    let (_dir, mut store) = store();
    store.commit(&round(1, 10)).unwrap();
    // A position that is taken.
    assert!(matches!(store.commit(&round(1, 10)), Err(LogFailure::Refused { .. })));
    assert_eq!(
        store.stream_head(&StreamId::new(StreamType::Account, ACCOUNT)).unwrap(),
        1
    );
    store.commit(&round(2, 10)).unwrap();
    assert_eq!(store.account_head(ACCOUNT).unwrap(), 2);
}

#[test]
fn questions_alone_leave_no_transaction_behind() {
    let (_dir, mut store) = store();
    assert_eq!(store.account_head(ACCOUNT).unwrap(), 0);
    assert!(store.in_round);
    store.tend(Load::Quiet, now()).unwrap();
    assert!(!store.in_round && store.connection.as_ref().unwrap().is_autocommit());
    store.commit(&round(1, 10)).unwrap();
}

#[test]
fn the_wal_is_copied_when_nothing_waits_or_when_it_is_long() {
    let (dir, mut store) = store();
    let wal = |store: &SqliteStore| store.wal_pages.load(Ordering::Relaxed) * PAGE_BYTES;
    store.commit(&round(1, 10)).unwrap();
    store.tend(Load::Quiet, now()).unwrap();
    assert!(wal(&store) > 0, "a few pages are not worth a pause");
    store.tend(Load::Idle, now()).unwrap();
    assert_eq!(wal(&store), 0);
    store.commit(&round(2, 5_000_000)).unwrap();
    store.tend(Load::Busy, now()).unwrap();
    assert!(wal(&store) >= CHECKPOINT_QUIET_BYTES, "whoever waits goes first");
    store.tend(Load::Quiet, now()).unwrap();
    assert_eq!(wal(&store), 0);
    let copied = std::fs::metadata(dir.path().join("log.db")).unwrap().len();
    assert!(copied > 5_000_000);
}

fn kept(key: u8, expires_at: Instant) -> Arc<IdempotencyRow> {
    Arc::new(IdempotencyRow {
        account: ACCOUNT,
        key_hash: [key; 32],
        digest: [key; 32],
        answer: "{}".to_owned(),
        expires_at,
    })
}

#[test]
fn under_a_load_without_a_pause_expired_idempotency_rows_do_not_grow() {
    let (_dir, mut store) = store();
    let count = |store: &SqliteStore| -> i64 {
        let connection = store.connection.as_ref().unwrap();
        let counted = connection.query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0));
        counted.unwrap()
    };
    // As many as two hundred rounds leave, long expired.
    let mut first = round(1, 10);
    first.idempotency = (0..200).map(|key| kept(key, Instant::from_millis(1))).collect();
    store.commit(&first).unwrap();
    let mut before = count(&store);
    for position in 2..12 {
        let mut next = round(position, 10);
        let live = u8::try_from(200 + position).unwrap();
        next.idempotency = vec![kept(live, Instant::from_millis(now().as_millis() + 1))];
        store.commit(&next).unwrap();
        store.tend(Load::Busy, now()).unwrap();
        let after = count(&store);
        assert!(
            (1..=20).contains(&(before - after)),
            "a few each time: {before}, {after}"
        );
        before = after;
    }
    assert!(store.idempotency(ACCOUNT, &[202; 32]).unwrap().is_some());
}

#[test]
fn expired_idempotency_rows_are_swept_and_others_are_not() {
    let (_dir, mut store) = store();
    let mut first = round(1, 10);
    first.idempotency = vec![kept(1, now()), kept(2, Instant::from_millis(now().as_millis() + 1))];
    store.commit(&first).unwrap();
    store.tend(Load::Idle, now()).unwrap();
    assert_eq!(store.idempotency(ACCOUNT, &[1; 32]).unwrap(), None);
    assert!(store.idempotency(ACCOUNT, &[2; 32]).unwrap().is_some());
}

#[test]
fn a_reader_that_holds_an_older_state_keeps_the_log_from_beginning_anew() {
    let (dir, mut store) = store();
    store.commit(&round(1, 10)).unwrap();
    let reader = Connection::open(dir.path().join("log.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    store.commit(&round(2, 10)).unwrap();
    // What is in the WAL behind the reader's state cannot be copied, so nobody could say that it is durable.
    assert!(matches!(store.begin(), Err(LogFailure::Store { .. })));
    reader.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.begin().unwrap().position, 2);
}

#[test]
fn a_log_that_begins_has_an_empty_wal_and_keeps_what_was_in_it() {
    let (dir, mut store) = store();
    let wal = dir.path().join("log.db-wal");
    let length = || std::fs::metadata(&wal).unwrap().len();
    store.commit(&round(1, 10)).unwrap();
    assert!(length() > 0);
    assert_eq!(store.begin().unwrap().position, 1);
    assert_eq!(length(), 0, "nothing is appended behind what may have been lost");
    // Also with a reader's connection open, and the writer's the last to close.
    store.reads().accounts().unwrap();
    store.commit(&round(2, 10)).unwrap();
    assert_eq!(store.begin().unwrap().position, 2);
    assert_eq!(length(), 0);
}
