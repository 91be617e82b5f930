//! Reads a log on a copy of its files, so that the reader neither recovers nor checkpoints what the program left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};
use sealpost::proof::{self, CanonicalEvent};
use sealpost_domain::ids::AccountId;
use sealpost_domain::{Event, StreamType};
use tempfile::TempDir;
use uuid::Uuid;

use super::story::{Fact, Seen};

/// A log that is only looked at.
pub struct LogCopy {
    connection: Connection,
    _folder: Option<TempDir>,
}

impl LogCopy {
    /// Copies the log of a data folder. The program must not run.
    pub fn of(data: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["log.db", "log.db-wal"] {
            let from = data.join("log").join(name);
            if from.exists() {
                fs::copy(from, folder.path().join(name)).unwrap();
            }
        }
        let connection = Connection::open(folder.path().join("log.db")).unwrap();
        Self {
            connection,
            _folder: Some(folder),
        }
    }

    /// The log of a program that runs, seen as its own readers see it.
    pub fn live(data: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(data.join("log/log.db"), flags).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.pragma_update(None, "query_only", "1").unwrap();
        Self {
            connection,
            _folder: None,
        }
    }

    /// All events by position; none when the log was never opened.
    pub fn events(&self) -> Vec<Seen> {
        if !self.connection.table_exists(None, "events").unwrap() {
            return Vec::new();
        }
        let mut statement = self
            .connection
            .prepare(
                "SELECT e.position, a.account, e.account_seq, s.stream_type, s.stream_id, e.sequence, e.event_version,
                        e.event_type, e.payload, e.metadata, e.recorded_at, e.epoch, e.leaf
                 FROM events e JOIN streams s ON s.id = e.stream LEFT JOIN accounts a ON a.id = e.account
                 ORDER BY e.position",
            )
            .unwrap();
        statement
            .query_map([], |row| Ok(seen(row)))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    /// What SQLite finds wrong with the file; `ok` when nothing is.
    pub fn integrity(&self) -> String {
        self.connection
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .unwrap()
    }
}

fn seen(row: &Row<'_>) -> Seen {
    let text = |column: usize| row.get::<_, String>(column).unwrap();
    let number = |column: usize| u64::try_from(row.get::<_, i64>(column).unwrap()).unwrap();
    let account: Option<[u8; 16]> = row.get(1).unwrap();
    let account = account.map(|bytes| AccountId::from_uuid(Uuid::from_bytes(bytes)));
    let account_name = account.map(|account| account.to_string());
    let canonical = proof::canonical(&CanonicalEvent {
        shard: 0,
        position: number(0),
        account: account_name.as_deref(),
        account_seq: account.map(|_| number(2)),
        stream_type: &text(3),
        stream_id: &text(4),
        sequence: number(5),
        version: &text(6),
        event_type: &text(7),
        payload: &text(8),
        metadata: &text(9),
        recorded_at_ms: row.get(10).unwrap(),
        epoch: number(11),
    });
    let leaf: [u8; 32] = row.get(12).unwrap();
    let event = Event::from_payload(StreamType::parse(&text(3)).unwrap(), &text(8)).unwrap();
    Seen {
        position: number(0),
        account: account.map(|account| (account, number(2))),
        leaf_fits: proof::leaf(canonical.as_bytes()) == leaf,
        fact: Fact::of(&text(4), &event),
    }
}
