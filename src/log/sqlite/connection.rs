//! Opens connections with the settings that the promise "on disk" rests on, and brings the schema up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::log::failure::LogFailure;
use crate::write_ahead_log;

/// Migrations in order; the number of those applied is the file's `user_version`.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/sqlite/0001_log.sql")];
/// Marks the file as a log of Sealpost: "SPlg".
const APPLICATION_ID: i64 = 0x5350_6c67;
/// How long a connection waits for another's lock.
const BUSY: Duration = Duration::from_secs(2);

/// For `map_err` of database calls: tells what follows from the error.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> LogFailure {
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogFailure::DiskFull { doing },
        Some(ErrorCode::ConstraintViolation) => LogFailure::Refused {
            doing,
            source: Box::new(source),
        },
        _ => LogFailure::Store {
            doing,
            source: Box::new(source),
        },
    }
}

/// Opens the one connection that writes, and makes the schema when the file is new.
///
/// # Errors
/// The file cannot be opened, is of a newer program, or does not take a setting that durability rests on.
pub(super) fn open_writer(path: &Path) -> Result<Connection, LogFailure> {
    let connection = Connection::open(path).map_err(failed("opening log.db"))?;
    connection.busy_timeout(BUSY).map_err(failed("opening log.db"))?;
    connection.set_prepared_statement_cache_capacity(64);
    // The page size only takes hold in a new file. The rest belongs to the connection. Nothing is ever removed that a
    // foreign key leads to, so that its check would cost two look-ups per event for nothing.
    for (setting, value) in [
        ("page_size", "8192"),
        ("cache_size", "-65536"),
        ("temp_store", "MEMORY"),
    ] {
        connection
            .pragma_update(None, setting, value)
            .map_err(failed("setting up log.db"))?;
    }
    must_be(&connection, "journal_mode", "WAL", "wal")?;
    must_be(&connection, "synchronous", "FULL", "2")?;
    // Checkpoints happen when the writer says so, never inside somebody's commit.
    must_be(&connection, "wal_autocheckpoint", "0", "0")?;
    migrate(&connection)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogFailure> {
    // Not read-only: such a connection could not make the shared index of the WAL. `query_only` refuses every write.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed("opening log.db to read"))?;
    connection
        .busy_timeout(BUSY)
        .map_err(failed("opening log.db to read"))?;
    connection.set_prepared_statement_cache_capacity(32);
    must_be(&connection, "query_only", "1", "1")?;
    must_be(&connection, "wal_autocheckpoint", "0", "0")?;
    write_ahead_log::leave_on_close(&connection).map_err(failed("opening log.db to read"))?;
    Ok(connection)
}

/// Sets a pragma and reads it back: a build with other defaults must not weaken the promise in silence.
fn must_be(connection: &Connection, setting: &'static str, value: &str, wanted: &str) -> Result<(), LogFailure> {
    connection
        .execute_batch(&format!("PRAGMA {setting} = {value}"))
        .map_err(failed("setting up log.db"))?;
    let found = connection
        .pragma_query_value(None, setting, |row| row.get::<_, rusqlite::types::Value>(0))
        .map_err(failed("setting up log.db"))?;
    let found = match found {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    if found == wanted {
        Ok(())
    } else {
        Err(LogFailure::Setting { setting, found })
    }
}

fn migrate(connection: &Connection) -> Result<(), LogFailure> {
    let doing = "migrating log.db";
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed(doing))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(LogFailure::SchemaTooNew { found, known });
    }
    for (number, sql) in (1_i64..).zip(MIGRATIONS) {
        if number > found {
            connection
                .execute_batch(&format!(
                    "BEGIN IMMEDIATE; {sql} PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
                ))
                .map_err(failed(doing))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.db");
        (dir, path)
    }

    #[test]
    fn a_commit_is_synced_and_a_reader_cannot_write() {
        let (_dir, path) = file();
        let writer = open_writer(&path).unwrap();
        let setting = |name| -> i64 { writer.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
        assert_eq!((setting("synchronous"), setting("wal_autocheckpoint")), (2, 0));
        assert_eq!((setting("page_size"), setting("user_version")), (8_192, 1));
        let reader = open_reader(&path).unwrap();
        let refused = reader.execute("INSERT INTO accounts (account) VALUES (zeroblob(16))", []);
        assert!(refused.unwrap_err().to_string().contains("readonly"));
    }

    #[test]
    fn a_setting_that_does_not_take_hold_is_named() {
        let (_dir, path) = file();
        let writer = open_writer(&path).unwrap();
        match must_be(&writer, "synchronous", "OFF", "2") {
            Err(LogFailure::Setting { setting, found }) => assert_eq!((setting, found.as_str()), ("synchronous", "0")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_of_a_newer_program_is_left_alone() {
        let (_dir, path) = file();
        let writer = open_writer(&path).unwrap();
        writer.pragma_update(None, "user_version", 99).unwrap();
        match open_writer(&path) {
            Err(LogFailure::SchemaTooNew { found: 99, known: 1 }) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_and_what_fails_otherwise_is_doubt() {
        let (_dir, path) = file();
        let writer = open_writer(&path).unwrap();
        let add = || writer.execute("INSERT INTO accounts (account) VALUES (zeroblob(16))", []);
        add().unwrap();
        assert!(matches!(
            add().map_err(failed("adding")),
            Err(LogFailure::Refused { .. })
        ));
        let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
        assert!(matches!(failed("adding")(full), LogFailure::DiskFull { .. }));
        let io = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC), None);
        assert!(matches!(failed("adding")(io), LogFailure::Store { .. }));
    }
}
