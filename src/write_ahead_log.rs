//! Makes durable what lies in the write-ahead log of a SQLite database whose last sync failed, or whose writer was killed.
//!
//! After a failed sync the system may hold pages in memory that it takes for written: SQLite reads them, a later sync
//! succeeds, and a power loss takes them back. [`write_again`] comes before the database is opened, a checkpoint that
//! truncates the log comes then, and [`sync`] after it: from there on nothing rests on a sync that failed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Bytes that are written again at once.
const PIECE_BYTES: usize = 256 * 1_024;

/// Writes the log of `database` as it reads onto itself, and syncs it: a page that only seemed written is written now.
/// No connection may write meanwhile; those that read may go on.
///
/// # Errors
/// The file system's refusal. A log that is not there is fine.
pub fn write_again(database: &Path) -> io::Result<()> {
    let Some(log) = open(database)? else { return Ok(()) };
    let mut piece = vec![0; PIECE_BYTES];
    let mut offset = 0;
    loop {
        let length = log.read_at(&mut piece, offset)?;
        let read = piece.get(..length).unwrap_or_default();
        if read.is_empty() {
            return log.sync_all();
        }
        log.write_all_at(read, offset)?;
        offset = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
}

/// Makes durable that the log of `database` was emptied: otherwise a power loss could bring back an older one.
///
/// # Errors
/// The file system's refusal. A log that is not there is fine.
pub fn sync(database: &Path) -> io::Result<()> {
    open(database)?.map_or(Ok(()), |log| log.sync_all())
}

/// Keeps a connection from carrying the log over and removing it when it is the last one to close.
///
/// # Errors
/// SQLite's refusal.
pub fn leave_on_close(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map(drop)
}

fn open(database: &Path) -> io::Result<Option<File>> {
    match File::options().read(true).write(true).open(path_of(database)) {
        Ok(log) => Ok(Some(log)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn path_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-wal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_really_written_again_and_reads_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        write_again(&database).unwrap();
        sync(&database).unwrap();
        assert!(!path_of(&database).exists());
        let bytes: Vec<u8> = (0..=255_u8).cycle().take(2 * PIECE_BYTES + 7).collect();
        std::fs::write(path_of(&database), &bytes).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        open(&database).unwrap().unwrap().set_modified(long_ago).unwrap();
        write_again(&database).unwrap();
        assert_eq!(std::fs::read(path_of(&database)).unwrap(), bytes);
        let modified = std::fs::metadata(path_of(&database)).unwrap().modified().unwrap();
        assert!(modified > long_ago, "a sync alone writes no page that seems written");
    }
}
