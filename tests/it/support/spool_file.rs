//! Tampers with the spool's file as nobody should, and offers its rows to the destinations whatever they say.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, params};
use sealpost::actors::Dispatch;
use sealpost::serve::Engine;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::MessageId;
use sealpost_projections::spool::SpoolRow;

/// The file of an engine's spool.
pub struct SpoolFile(PathBuf);

impl SpoolFile {
    /// The file of this engine.
    pub fn of(engine: &Engine) -> Self {
        let files = std::fs::read_dir(engine.read_folder()).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        let file = paths.find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("spool-v") && name.ends_with(".db")
        });
        Self(file.unwrap())
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(&self.0).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }

    /// Deletes the file and what lies beside it.
    pub fn delete(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            drop(std::fs::remove_file(path));
        }
    }

    /// Deletes all rows.
    pub fn empty(&self) {
        self.connect().execute("DELETE FROM spool", []).unwrap();
    }

    /// Writes something into a column of a message's row.
    pub fn corrupt(&self, message: MessageId, column: &str, text: &str) {
        let changed = self
            .connect()
            .execute(
                &format!("UPDATE spool SET {column} = $1 WHERE message = $2"),
                params![text, message.to_hex()],
            )
            .unwrap();
        assert_eq!(changed, 1);
    }

    /// Lets nobody write until the lock is dropped; readers go on.
    pub fn lock(&self) -> SpoolLock {
        let connection = self.connect();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        SpoolLock(connection)
    }

    /// Position of the last event that the rows know.
    pub fn checkpoint(&self) -> u64 {
        let sql = "SELECT position FROM projection_checkpoint";
        let position: i64 = self.connect().query_row(sql, [], |row| row.get(0)).unwrap();
        u64::try_from(position).unwrap()
    }
}

/// Nobody else writes the spool while this is held.
pub struct SpoolLock(Connection);

impl Drop for SpoolLock {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

/// Offers every row that can be read and waits for an attempt, as the refill does; how many were offered.
pub fn offer_all(engine: &Engine) -> usize {
    let mut after = None;
    let mut offered = 0;
    loop {
        // A file that is gone or being made has no rows.
        let Ok(page) = engine.spool().all_open(after.as_deref(), 1_000) else {
            return offered;
        };
        let dispatches: Vec<Dispatch> = page.rows.into_iter().map(dispatch).collect();
        offered += dispatches.len();
        engine.theatre().destinations().dispatch(dispatches);
        match page.next {
            Some(next) => after = Some(next),
            None => return offered,
        }
    }
}

fn dispatch(row: SpoolRow) -> Dispatch {
    Dispatch {
        message: row.message,
        account: row.account,
        recipient: row.recipient,
        reverse_path: Mailbox::parse(&row.reverse_path).unwrap(),
        state: row.state,
        sequence: row.sequence,
        refused_starts: 0,
    }
}
