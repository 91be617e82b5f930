//! Tampers with the log's file as nobody can through the program.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, params};
use sealpost::config::Config;

/// The file of a log.
pub struct LogFile(PathBuf);

impl LogFile {
    /// The file of the log in this configuration's folder.
    pub fn of(config: &Config) -> Self {
        Self(config.data.join("log/log.db"))
    }

    /// Replaces what an event says. Which: the first of this type whose stream or account has this id.
    pub fn replace_payload(&self, event_type: &str, id: &str, payload: &str) -> String {
        let connection = self.connect();
        let bytes = uuid::Uuid::parse_str(id).unwrap();
        let stream = bytes.hyphenated().to_string();
        let (position, before): (i64, String) = connection
            .query_row(
                "SELECT e.position, e.payload FROM events e JOIN streams s ON s.id = e.stream
                 LEFT JOIN accounts a ON a.id = e.account
                 WHERE e.event_type = ?1 AND (s.stream_id IN (?2, ?3) OR a.account = ?4) ORDER BY e.position LIMIT 1",
                params![event_type, stream, id, bytes.as_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        connection
            .execute_batch("BEGIN IMMEDIATE; DROP TRIGGER events_are_never_changed;")
            .unwrap();
        let changed = connection
            .execute(
                "UPDATE events SET payload = ?2 WHERE position = ?1",
                params![position, payload],
            )
            .unwrap();
        connection
            .execute_batch(
                "CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
                 BEGIN SELECT RAISE (ABORT, 'the log is append-only'); END; COMMIT;",
            )
            .unwrap();
        assert_eq!(changed, 1);
        before
    }

    /// Renames the kind of all streams of this kind, so that not even the columns of their events can be read.
    pub fn rename_streams(&self, from: &str, to: &str) {
        let rename = "UPDATE streams SET stream_type = ?2 WHERE stream_type = ?1";
        assert!(self.connect().execute(rename, params![from, to]).unwrap() > 0);
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(&self.0).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }
}
