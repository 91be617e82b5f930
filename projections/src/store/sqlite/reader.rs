//! Connections that read a read model and cannot write it, kept open between questions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::file::FileIdentity;
use crate::failure::ProjectionFailure;

/// Connections that wait for the next question; more are opened when more questions come at once, and closed after.
const IDLE_CONNECTIONS_MAX: usize = 4;

/// Opens and keeps reading connections to one read model. Cheap to clone; blocks while it asks.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    projection: &'static str,
    path: PathBuf,
    idle: Arc<Mutex<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    identity: FileIdentity,
}

impl Reader {
    /// Reads the file at `path`, which need not be there yet.
    pub fn new(projection: &'static str, path: PathBuf) -> Self {
        Self {
            projection,
            path,
            idle: Arc::default(),
        }
    }

    /// Asks on one snapshot of the rows.
    pub fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ProjectionFailure> {
        let found = FileIdentity::at(&self.path).map_err(|source| ProjectionFailure::File {
            path: self.path.clone(),
            source,
        })?;
        let Some((identity, _)) = found else {
            return Err(ProjectionFailure::Unbuilt {
                projection: self.projection,
            });
        };
        let idle = match self.take(identity) {
            Some(idle) => idle,
            None => self.open(identity).map_err(|source| self.at_store(source))?,
        };
        let answer = idle
            .connection
            .unchecked_transaction()
            .and_then(|snapshot| question(&snapshot));
        match answer {
            Ok(answer) => {
                self.keep(idle);
                Ok(answer)
            }
            Err(source) if is_unbuilt(&source) => Err(ProjectionFailure::Unbuilt {
                projection: self.projection,
            }),
            Err(source) => Err(self.at_store(source)),
        }
    }

    /// A kept connection to the file that stands there now; those to an earlier one are closed.
    fn take(&self, identity: FileIdentity) -> Option<Idle> {
        let mut idle = self.idle.lock();
        idle.retain(|kept| kept.identity == identity);
        idle.pop()
    }

    fn keep(&self, connection: Idle) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(connection);
        }
    }

    fn open(&self, identity: FileIdentity) -> rusqlite::Result<Idle> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "query_only", "ON")?;
        Ok(Idle { connection, identity })
    }

    const fn at_store(&self, source: rusqlite::Error) -> ProjectionFailure {
        ProjectionFailure::Store {
            projection: self.projection,
            source,
        }
    }
}

/// A file between its making and its first table.
fn is_unbuilt(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(_, Some(text)) if text.starts_with("no such table"))
        || matches!(error, rusqlite::Error::SqlInputError { msg, .. } if msg.starts_with("no such table"))
}
