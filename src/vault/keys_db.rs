//! The tables of `keys.db`: wrapped data keys, and the wrapped keys of content parts.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use uuid::Uuid;

use sealpost_domain::ids::{DataKeyId, MessageId};

use super::data_key::ScopeBytes;
use super::failure::VaultFailure;
use super::master_key::sync_folder_of;
use crate::write_ahead_log;

/// Ids are random or sort by time; `WITHOUT ROWID` keeps one tree per table, which one overwrite then empties.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS master_check (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    box BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS data_key (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL UNIQUE,
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part_wrap (
    message BLOB PRIMARY KEY,
    data_key BLOB NOT NULL,
    box BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A wrapped data key as stored.
pub struct StoredKey {
    /// Its id.
    pub id: DataKeyId,
    /// Whose it is.
    pub scope: ScopeBytes,
    /// Its wrapped form.
    pub wrapped: Vec<u8>,
}

/// Opens the connection that writes, and makes what is not there yet.
pub fn open_writer(path: &Path) -> Result<Connection, VaultFailure> {
    // SQLite gives its WAL the mode of the database: nobody else may read either.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(VaultFailure::io("opening", path))?;
    // A process that ended inside a commit, or a sync that failed, may have left keys in the write-ahead log that are in
    // the system's memory alone. They are found, so they will be used; when this returns they are in the database and on
    // disk, and no key that is written from here on lies behind them.
    write_ahead_log::write_again(path).map_err(VaultFailure::io("syncing the write-ahead log of", path))?;
    let db = Connection::open(path).map_err(VaultFailure::db("opening"))?;
    let set_up = || {
        db.busy_timeout(Duration::from_secs(5))?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;",
        )?;
        db.execute_batch(SCHEMA)
    };
    set_up().map_err(VaultFailure::db("setting up"))?;
    sync_folder_of(path)?;
    checkpoint(&db, Checkpoint::Truncate)?;
    write_ahead_log::sync(path).map_err(VaultFailure::io("emptying the write-ahead log of", path))?;
    Ok(db)
}

/// Opens a connection that only reads.
pub fn open_reader(path: &Path) -> Result<Connection, VaultFailure> {
    let failed = VaultFailure::db("opening a reader");
    let open = || {
        // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL database must be able to write its shared memory.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.execute_batch("PRAGMA query_only = ON;")?;
        write_ahead_log::leave_on_close(&db)?;
        Ok(db)
    };
    open().map_err(failed)
}

/// The value that only the right master key opens, when the vault has been used before.
pub fn master_check(db: &Connection) -> Result<Option<Vec<u8>>, VaultFailure> {
    db.query_row("SELECT box FROM master_check", [], |row| row.get(0))
        .optional()
        .map_err(VaultFailure::db("reading the check value"))
}

/// Stores that value, once.
pub fn insert_master_check(db: &Connection, boxed: &[u8]) -> Result<(), VaultFailure> {
    db.execute("INSERT INTO master_check (one, box) VALUES (1, ?1)", params![boxed])
        .map(drop)
        .map_err(VaultFailure::db("writing the check value"))
}

/// Finds a data key by its id.
pub fn key_by_id(db: &Connection, id: DataKeyId) -> Result<Option<StoredKey>, VaultFailure> {
    one_key(
        db,
        "SELECT id, scope, wrapped FROM data_key WHERE id = ?1",
        id.as_uuid().as_bytes(),
    )
}

/// Finds the data key of a scope.
pub fn key_by_scope(db: &Connection, scope: &ScopeBytes) -> Result<Option<StoredKey>, VaultFailure> {
    one_key(
        db,
        "SELECT id, scope, wrapped FROM data_key WHERE scope = ?1",
        scope.as_bytes(),
    )
}

fn one_key(db: &Connection, sql: &str, by: &[u8]) -> Result<Option<StoredKey>, VaultFailure> {
    db.prepare_cached(sql)
        .and_then(|mut select| select.query_row(params![by], stored_key).optional())
        .map_err(VaultFailure::db("reading a data key"))
}

fn stored_key(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    let id: [u8; 16] = row.get(0)?;
    Ok(StoredKey {
        id: DataKeyId::from_uuid(Uuid::from_bytes(id)),
        scope: ScopeBytes::from_stored(row.get(1)?),
        wrapped: row.get(2)?,
    })
}

/// Stores a new data key.
pub fn insert_key(db: &Connection, key: &StoredKey) -> Result<(), VaultFailure> {
    db.prepare_cached("INSERT INTO data_key (id, scope, wrapped) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![key.id.as_uuid().as_bytes(), key.scope.as_bytes(), key.wrapped]))
        .map(drop)
        .map_err(VaultFailure::db("writing a data key"))
}

/// Removes a data key, overwriting it. What it wrapped stays and can never be opened.
pub fn delete_key(db: &Connection, id: DataKeyId) -> Result<(), VaultFailure> {
    let by = id.as_uuid();
    db.execute("DELETE FROM data_key WHERE id = ?1", params![by.as_bytes()])
        .map(drop)
        .map_err(VaultFailure::db("destroying a data key"))
}

/// Stores the wrapped part keys of a message.
pub fn insert_wrap(db: &Connection, message: MessageId, key: DataKeyId, boxed: &[u8]) -> Result<(), VaultFailure> {
    db.prepare_cached("INSERT INTO part_wrap (message, data_key, box) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![message.as_uuid().as_bytes(), key.as_uuid().as_bytes(), boxed]))
        .map(drop)
        .map_err(VaultFailure::db("writing a wrap"))
}

/// Finds the wrapped part keys of a message, and the data key that opens them.
pub fn wrap_of(db: &Connection, message: MessageId) -> Result<Option<(DataKeyId, Vec<u8>)>, VaultFailure> {
    let read = |row: &Row<'_>| {
        let id: [u8; 16] = row.get(0)?;
        Ok((DataKeyId::from_uuid(Uuid::from_bytes(id)), row.get(1)?))
    };
    db.prepare_cached("SELECT data_key, box FROM part_wrap WHERE message = ?1")
        .and_then(|mut select| select.query_row(params![message.as_uuid().as_bytes()], read).optional())
        .map_err(VaultFailure::db("reading a wrap"))
}

/// Removes the wrapped part keys of a message, overwriting them.
pub fn delete_wrap(db: &Connection, message: MessageId) -> Result<(), VaultFailure> {
    db.execute(
        "DELETE FROM part_wrap WHERE message = ?1",
        params![message.as_uuid().as_bytes()],
    )
    .map(drop)
    .map_err(VaultFailure::db("erasing a wrap"))
}

/// How much of the write-ahead log is carried over into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// What nobody reads.
    Passive,
    /// All of it, and its file is emptied.
    Truncate,
}

/// Carries the write-ahead log over into the database.
pub fn checkpoint(db: &Connection, how: Checkpoint) -> Result<(), VaultFailure> {
    let sql = match how {
        Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    let busy: i64 = db
        .query_row(sql, [], |row| row.get(0))
        .map_err(VaultFailure::db("carrying the write-ahead log over"))?;
    if busy == 0 || how == Checkpoint::Passive {
        return Ok(());
    }
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    Err(VaultFailure::db("carrying the write-ahead log over, all of it,")(
        rusqlite::Error::SqliteFailure(busy, None),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_syncs_every_commit_and_overwrites_what_it_deletes() {
        let folder = tempfile::tempdir().unwrap();
        let db = open_writer(&folder.path().join("keys.db")).unwrap();
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA synchronous"), 2, "FULL");
        assert_eq!(number("PRAGMA secure_delete"), 1);
        assert_eq!(number("PRAGMA wal_autocheckpoint"), 0);
        let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    #[test]
    fn what_a_killed_process_left_in_the_write_ahead_log_is_in_the_database_after_opening() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| folder.path().join(name);
        let killed = open_writer(&named("keys.db")).unwrap();
        insert_master_check(&killed, b"box").unwrap();
        std::fs::copy(named("keys.db"), named("left.db")).unwrap();
        std::fs::copy(named("keys.db-wal"), named("left.db-wal")).unwrap();
        let opened = open_writer(&named("left.db")).unwrap();
        let left = std::fs::metadata(named("left.db-wal")).unwrap().len();
        assert_eq!(left, 0, "new keys are never written behind what may have been lost");
        std::fs::copy(named("left.db"), named("alone.db")).unwrap();
        drop(opened);
        assert!(
            master_check(&open_writer(&named("alone.db")).unwrap())
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn a_reader_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.db");
        let writer = open_writer(&path).unwrap();
        let reader = open_reader(&path).unwrap();
        insert_master_check(&writer, b"box").unwrap();
        assert_eq!(master_check(&reader).unwrap().as_deref(), Some(b"box".as_slice()));
        assert!(reader.execute("DELETE FROM master_check", []).is_err());
    }
}
