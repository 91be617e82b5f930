//! The writer's side: one connection, one transaction per round, checkpoints in its own time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, params};
use sealpost_domain::ids::{AccountId, EventId};
use sealpost_domain::{Instant, StreamId};

use crate::log::append::IdempotencyAnswer;
use crate::log::failure::LogFailure;
use crate::log::folder::Folder;
use crate::log::index::IndexChange;
use crate::log::round::Round;
use crate::log::store::{Head, Load, Reads, Store};
use crate::write_ahead_log;

use super::connection::{failed, open_writer};
use super::event_row::number;
use super::reads::{self, SqliteReads};
use super::{insert, recent::Recent};

/// Streams and accounts whose heads are kept in memory.
const RECENT: usize = 100_000;
/// Size of a page, in bytes.
const PAGE_BYTES: u64 = 8_192;
/// A checkpoint while requests wait: the WAL must not grow without end.
const CHECKPOINT_BUSY_BYTES: u64 = 64 * 1_024 * 1_024;
/// A checkpoint in a pause between rounds.
const CHECKPOINT_QUIET_BYTES: u64 = 4 * 1_024 * 1_024;
/// Expired idempotency rows that one sweep in a pause removes.
const SWEEP_ROWS: usize = 1_000;

/// The embedded store. Owns its folder as long as it lives.
pub struct SqliteStore {
    folder: Folder,
    path: PathBuf,
    connection: Option<Connection>,
    /// Whether a transaction is open: from the first question of a round until its commit, so that the questions cost
    /// no locks of their own.
    in_round: bool,
    heads: Heads,
    reads: Arc<SqliteReads>,
    wal_pages: Arc<AtomicU64>,
}

/// Where a stream ends; no number before its first event.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamHead {
    pub(super) id: Option<i64>,
    pub(super) sequence: u64,
}

/// Where an account's sequence ends; no number before its first event.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccountHead {
    pub(super) id: Option<i64>,
    pub(super) seq: u64,
}

/// The heads that were touched lately. Forgotten whole when a commit fails.
#[derive(Debug)]
pub(super) struct Heads {
    streams: Recent<StreamId, StreamHead>,
    accounts: Recent<AccountId, AccountHead>,
}

impl SqliteStore {
    /// Takes the folder. Nothing is opened before [`Store::begin`].
    ///
    /// # Errors
    /// [`LogFailure::FolderInUse`] and the file system's refusals.
    pub fn at(dir: &Path) -> Result<Self, LogFailure> {
        let folder = Folder::take(dir)?;
        let path = folder.dir().join("log.db");
        Ok(Self {
            reads: Arc::new(SqliteReads::of(path.clone())),
            heads: Heads::new(),
            connection: None,
            in_round: false,
            wal_pages: Arc::default(),
            folder,
            path,
        })
    }

    fn parts(&mut self) -> Result<(&mut Connection, &mut Heads), LogFailure> {
        let connection = self.connection.as_mut().ok_or_else(|| LogFailure::Store {
            doing: "using a store that is not open",
            source: "it is opened by `begin`".into(),
        })?;
        Ok((connection, &mut self.heads))
    }

    /// The same within the round's transaction.
    fn round_parts(&mut self) -> Result<(&mut Connection, &mut Heads), LogFailure> {
        if !self.in_round {
            let (connection, _) = self.parts()?;
            connection
                .prepare_cached("BEGIN IMMEDIATE")
                .and_then(|mut begin| begin.execute([]))
                .map_err(failed("beginning a round"))?;
            self.in_round = true;
        }
        self.parts()
    }

    /// Ends the transaction of a round that has nothing to write, or cannot.
    fn leave_round(&mut self) -> Result<(), LogFailure> {
        if std::mem::take(&mut self.in_round) {
            let (connection, _) = self.parts()?;
            // A failed commit may have ended it already.
            if !connection.is_autocommit() {
                connection
                    .execute_batch("ROLLBACK")
                    .map_err(failed("leaving a round"))?;
            }
        }
        Ok(())
    }

    /// Copies from the WAL into the database and syncs it; whether nothing is left to copy.
    fn checkpoint(&mut self, mode: &str) -> Result<bool, LogFailure> {
        let (connection, _) = self.parts()?;
        let (busy, pages, copied): (i64, i64, i64) = connection
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .map_err(failed("checkpointing"))?;
        let whole = busy == 0 && pages == copied;
        if whole {
            self.wal_pages.store(0, Ordering::Relaxed);
        }
        Ok(whole)
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<Head, LogFailure> {
        if let Some(failed_one) = self.connection.take() {
            // What it holds is not believed: it must not carry the WAL over when it closes.
            write_ahead_log::leave_on_close(&failed_one).map_err(failed("leaving a connection"))?;
        }
        self.in_round = false;
        self.heads = Heads::new();
        self.reads.forget();
        // A sync that failed before may have left rows in the WAL that are in memory alone. Written again, copied and
        // synced with the database they are durable, and only then they count as there. The WAL is emptied: nothing that
        // is appended from here on lies behind what a power loss could take.
        write_ahead_log::write_again(&self.path).map_err(LogFailure::folder("syncing the WAL of", &self.path))?;
        let mut connection = open_writer(&self.path)?;
        let pages = Arc::clone(&self.wal_pages);
        connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
                pages.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(failed("watching the WAL"))?;
        self.connection = Some(connection);
        self.folder.sync()?;
        if !self.checkpoint("TRUNCATE")? {
            return Err(LogFailure::Store {
                doing: "copying the WAL before the log begins",
                source: "a reader holds an older state".into(),
            });
        }
        write_ahead_log::sync(&self.path).map_err(LogFailure::folder("emptying the WAL of", &self.path))?;
        let (connection, _) = self.parts()?;
        let last = connection
            .query_row(
                "SELECT position, epoch, recorded_at FROM events ORDER BY position DESC LIMIT 1",
                [],
                |row| {
                    Ok(Head {
                        position: number(row, 0)?,
                        epoch: number(row, 1)?,
                        recorded_at: Instant::from_millis(row.get(2)?),
                    })
                },
            )
            .optional()
            .map_err(failed("reading the end of the log"))?;
        Ok(last.unwrap_or(Head {
            position: 0,
            epoch: 0,
            recorded_at: Instant::from_millis(0),
        }))
    }

    fn stream_head(&mut self, stream: &StreamId) -> Result<u64, LogFailure> {
        let (connection, heads) = self.round_parts()?;
        Ok(heads.stream(connection, stream)?.sequence)
    }

    fn account_head(&mut self, account: AccountId) -> Result<u64, LogFailure> {
        let (connection, heads) = self.round_parts()?;
        Ok(heads.account(connection, account)?.seq)
    }

    fn is_taken(&mut self, change: &IndexChange) -> Result<bool, LogFailure> {
        let (connection, _) = self.round_parts()?;
        let (sql, name) = match change {
            IndexChange::Key { hash, .. } => ("SELECT 1 FROM key_index WHERE hash = ?1", hash.as_str()),
            IndexChange::Login { token, .. } => ("SELECT 1 FROM login_index WHERE token = ?1", token.as_str()),
            IndexChange::Suppressed { .. } | IndexChange::Released { .. } => return Ok(false),
        };
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.exists([name]))
            .map_err(failed("looking into an index"))
    }

    fn idempotency(
        &mut self,
        account: AccountId,
        key_hash: &[u8; 32],
    ) -> Result<Option<IdempotencyAnswer>, LogFailure> {
        let (connection, _) = self.round_parts()?;
        reads::idempotency(connection, account, key_hash)
    }

    fn is_present(&mut self, event: EventId) -> Result<bool, LogFailure> {
        let (connection, _) = self.parts()?;
        reads::is_present(connection, event)
    }

    fn commit(&mut self, round: &Round) -> Result<(), LogFailure> {
        let (connection, heads) = self.round_parts()?;
        let done = insert::round(connection, heads, round).and_then(|()| {
            connection
                .prepare_cached("COMMIT")
                .and_then(|mut commit| commit.execute([]))
                .map(drop)
                .map_err(failed("committing a round"))
        });
        match done {
            Ok(()) => self.in_round = false,
            Err(_) => {
                // They hold what the round would have made true.
                self.heads.clear();
                self.leave_round()?;
            }
        }
        done
    }

    fn tend(&mut self, load: Load, now: Instant) -> Result<(), LogFailure> {
        self.leave_round()?;
        let wal_bytes = self.wal_pages.load(Ordering::Relaxed).saturating_mul(PAGE_BYTES);
        let due = match load {
            Load::Busy => wal_bytes >= CHECKPOINT_BUSY_BYTES,
            Load::Quiet => wal_bytes >= CHECKPOINT_QUIET_BYTES,
            Load::Idle => wal_bytes > 0,
        };
        if load == Load::Idle {
            let (connection, _) = self.parts()?;
            insert::sweep(connection, now, SWEEP_ROWS)?;
        }
        if due {
            // What a reader still holds is copied next time.
            self.checkpoint("PASSIVE")?;
        }
        Ok(())
    }

    fn free_bytes(&self) -> Option<u64> {
        self.folder.free_bytes()
    }

    fn reads(&self) -> Arc<dyn Reads> {
        Arc::clone(&self.reads) as Arc<dyn Reads>
    }
}

impl Heads {
    fn new() -> Self {
        Self {
            streams: Recent::new(RECENT),
            accounts: Recent::new(RECENT),
        }
    }

    fn clear(&mut self) {
        self.streams.clear();
        self.accounts.clear();
    }

    /// The stream's head, from memory or from the database.
    pub(super) fn stream(&mut self, connection: &Connection, stream: &StreamId) -> Result<StreamHead, LogFailure> {
        if let Some(head) = self.streams.get(stream) {
            return Ok(head);
        }
        let head = connection
            .prepare_cached(
                "SELECT id, (SELECT max(sequence) FROM events WHERE stream = streams.id) FROM streams
                 WHERE stream_id = ?1 AND stream_type = ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![stream.id, stream.stream_type.as_str()], |row| {
                        Ok(StreamHead {
                            id: Some(row.get(0)?),
                            sequence: number(row, 1)?,
                        })
                    })
                    .optional()
            })
            .map_err(failed("reading a stream's head"))?
            .unwrap_or(StreamHead { id: None, sequence: 0 });
        self.streams.put(stream.clone(), head);
        Ok(head)
    }

    /// The account's head, from memory or from the database.
    pub(super) fn account(&mut self, connection: &Connection, account: AccountId) -> Result<AccountHead, LogFailure> {
        if let Some(head) = self.accounts.get(&account) {
            return Ok(head);
        }
        let head = connection
            .prepare_cached(
                "SELECT id, (SELECT max(account_seq) FROM events WHERE account = accounts.id) FROM accounts
                 WHERE account = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([account.as_uuid().as_bytes()], |row| {
                        let seq: Option<i64> = row.get(1)?;
                        Ok(AccountHead {
                            id: Some(row.get(0)?),
                            seq: seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
                        })
                    })
                    .optional()
            })
            .map_err(failed("reading an account's head"))?
            .unwrap_or(AccountHead { id: None, seq: 0 });
        self.accounts.put(account, head);
        Ok(head)
    }

    /// Remembers where a stream ends.
    pub(super) fn put_stream(&mut self, stream: StreamId, head: StreamHead) {
        self.streams.put(stream, head);
    }

    /// Remembers where an account ends.
    pub(super) fn put_account(&mut self, account: AccountId, id: i64, seq: u64) {
        self.accounts.put(account, AccountHead { id: Some(id), seq });
    }
}

#[cfg(test)]
mod tests;
