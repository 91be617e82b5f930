//! Answers readers from a small pool of connections that cannot write.

use std::path::PathBuf;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Params, params};
use sealpost_domain::address::AddressToken;
use sealpost_domain::ids::{AccountId, EventId, KeyId, UserId};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::user::LoginToken;
use sealpost_domain::{Instant, Recorded, StreamId};

use crate::log::append::IdempotencyAnswer;
use crate::log::failure::LogFailure;
use crate::log::store::{Reads, Suppressed};

use super::connection::{failed, open_reader};
use super::event_row::{recorded, select_events, uuid};

/// Connections that are kept open between queries.
const POOL: usize = 8;

const EVENTS: &str = select_events!("WHERE e.position > ?1 ORDER BY e.position LIMIT ?2");
const STREAM: &str = select_events!("WHERE s.stream_id = ?1 AND s.stream_type = ?2 ORDER BY e.sequence");
const ACCOUNT: &str = select_events!(
    "WHERE e.account = (SELECT id FROM accounts WHERE account = ?1) AND e.account_seq > ?2
     ORDER BY e.account_seq LIMIT ?3"
);
/// The same list of types as the partial index `streams_control`.
const CONTROL: &str = select_events!(
    "WHERE s.account = (SELECT id FROM accounts WHERE account = ?1)
     AND s.stream_type IN ('account', 'user', 'api_key', 'sending_domain') ORDER BY e.position"
);

/// The readers' side of the embedded store.
#[derive(Debug)]
pub struct SqliteReads {
    path: PathBuf,
    pool: Mutex<Vec<Connection>>,
}

impl SqliteReads {
    /// Reads this file.
    pub(super) const fn of(path: PathBuf) -> Self {
        Self {
            path,
            pool: Mutex::new(Vec::new()),
        }
    }

    /// Closes what is kept open: a connection from before a failure may hold what the failure left in memory.
    pub(super) fn forget(&self) {
        self.pool.lock().clear();
    }

    fn with<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, LogFailure>) -> Result<T, LogFailure> {
        let kept = self.pool.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let answer = ask(&connection);
        // One that failed is not trusted with the next question.
        if answer.is_ok() {
            let mut pool = self.pool.lock();
            if pool.len() < POOL {
                pool.push(connection);
            }
        }
        answer
    }

    fn many(&self, sql: &str, params: impl Params) -> Result<Vec<Recorded>, LogFailure> {
        let doing = "reading events";
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql).map_err(failed(doing))?;
            let mut rows = statement.query(params).map_err(failed(doing))?;
            let mut events = Vec::new();
            while let Some(row) = rows.next().map_err(failed(doing))? {
                events.push(recorded(row)?);
            }
            Ok(events)
        })
    }
}

impl Reads for SqliteReads {
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure> {
        self.many(EVENTS, params![stored(after), stored_size(limit)])
    }

    fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, LogFailure> {
        self.many(STREAM, params![stream.id, stream.stream_type.as_str()])
    }

    fn account(&self, account: AccountId, after_seq: u64, limit: usize) -> Result<Vec<Recorded>, LogFailure> {
        self.many(
            ACCOUNT,
            params![account.as_uuid().as_bytes(), stored(after_seq), stored_size(limit)],
        )
    }

    fn account_control(&self, account: AccountId) -> Result<Vec<Recorded>, LogFailure> {
        self.many(CONTROL, params![account.as_uuid().as_bytes()])
    }

    fn key(&self, hash: &KeyHash) -> Result<Option<(AccountId, KeyId)>, LogFailure> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT account, key FROM key_index WHERE hash = ?1")
                .and_then(|mut statement| {
                    statement
                        .query_row([hash.as_str()], |row| {
                            Ok((AccountId::from_uuid(uuid(row, 0)?), KeyId::from_uuid(uuid(row, 1)?)))
                        })
                        .optional()
                })
                .map_err(failed("looking up a key"))
        })
    }

    fn login(&self, token: &LoginToken) -> Result<Option<(AccountId, UserId)>, LogFailure> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT account, user FROM login_index WHERE token = ?1")
                .and_then(|mut statement| {
                    statement
                        .query_row([token.as_str()], |row| {
                            Ok((AccountId::from_uuid(uuid(row, 0)?), UserId::from_uuid(uuid(row, 1)?)))
                        })
                        .optional()
                })
                .map_err(failed("looking up a login"))
        })
    }

    fn suppressed(&self, account: AccountId, tokens: &[AddressToken]) -> Result<Vec<Option<Suppressed>>, LogFailure> {
        let doing = "looking up suppressed addresses";
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT reason, until FROM suppressed
                     WHERE account = (SELECT id FROM accounts WHERE account = ?1) AND token = ?2",
                )
                .map_err(failed(doing))?;
            let ask = |token: &AddressToken| {
                statement
                    .query_row(params![account.as_uuid().as_bytes(), token.as_str()], |row| {
                        let until: Option<i64> = row.get(1)?;
                        Ok((row.get::<_, String>(0)?, until.map(Instant::from_millis)))
                    })
                    .optional()
                    .map_err(failed(doing))?
                    .map(|(reason, until)| Ok((reason_of(&reason)?, until)))
                    .transpose()
            };
            tokens.iter().map(ask).collect()
        })
    }

    fn idempotency(&self, account: AccountId, key_hash: &[u8; 32]) -> Result<Option<IdempotencyAnswer>, LogFailure> {
        self.with(|connection| idempotency(connection, account, key_hash))
    }

    fn is_present(&self, event: EventId) -> Result<bool, LogFailure> {
        self.with(|connection| is_present(connection, event))
    }

    fn accounts(&self) -> Result<Vec<AccountId>, LogFailure> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT account FROM accounts ORDER BY id")
                .and_then(|mut statement| {
                    statement
                        .query_map([], |row| uuid(row, 0).map(AccountId::from_uuid))?
                        .collect()
                })
                .map_err(failed("listing accounts"))
        })
    }
}

/// What is kept under an idempotency key; also asked by the writer on its own connection.
pub(super) fn idempotency(
    connection: &Connection,
    account: AccountId,
    key_hash: &[u8; 32],
) -> Result<Option<IdempotencyAnswer>, LogFailure> {
    connection
        .prepare_cached(
            "SELECT digest, answer, expires_at FROM idempotency
             WHERE account = (SELECT id FROM accounts WHERE account = ?1) AND key_hash = ?2",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![account.as_uuid().as_bytes(), key_hash], |row| {
                    Ok(IdempotencyAnswer {
                        digest: row.get(0)?,
                        answer: row.get(1)?,
                        expires_at: Instant::from_millis(row.get(2)?),
                    })
                })
                .optional()
        })
        .map_err(failed("looking up an idempotency key"))
}

/// Whether an event is on record; also asked by the writer on its own connection.
pub(super) fn is_present(connection: &Connection, event: EventId) -> Result<bool, LogFailure> {
    connection
        .prepare_cached("SELECT 1 FROM events WHERE event_id = ?1")
        .and_then(|mut statement| statement.exists([event.as_uuid().as_bytes()]))
        .map_err(failed("looking for an event"))
}

/// The stored form of a reason is that of its event.
pub(super) fn reason_text(reason: SuppressionReason) -> Result<String, LogFailure> {
    serde_json::to_string(&reason).map_err(|source| LogFailure::Store {
        doing: "writing a suppression reason",
        source: Box::new(source),
    })
}

fn reason_of(text: &str) -> Result<SuppressionReason, LogFailure> {
    serde_json::from_str(text).map_err(|source| LogFailure::Store {
        doing: "reading a suppression reason",
        source: Box::new(source),
    })
}

/// SQLite's integers have a sign. What does not fit lies past every row.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of rows as SQLite takes it.
pub(super) fn stored_size(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sqlite::connection::open_writer;

    fn plan(sql: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let connection = open_writer(&dir.path().join("log.db")).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let none = vec![rusqlite::types::Value::Null; statement.parameter_count()];
        let lines = statement
            .query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3))
            .unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn no_query_goes_through_the_whole_log() {
        for (sql, index) in [
            (EVENTS, "e USING INTEGER PRIMARY KEY (rowid>?)"),
            (STREAM, "e USING INDEX events_sequence (stream=?)"),
            (
                ACCOUNT,
                "e USING INDEX events_account_seq (account=? AND account_seq>?)",
            ),
            (CONTROL, "s USING INDEX streams_control (account=?)"),
        ] {
            let plan = plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN e"), "{plan}");
        }
    }

    #[test]
    fn a_reason_is_stored_in_the_form_of_its_event() {
        for reason in [SuppressionReason::HardBounce, SuppressionReason::Manual] {
            assert_eq!(reason_of(&reason_text(reason).unwrap()).unwrap(), reason);
        }
        assert!(reason_of("\"boredom\"").is_err());
    }
}
