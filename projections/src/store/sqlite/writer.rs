//! The one connection that writes a read model: rows and checkpoint together, and noticing that the file is not ours.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::hooks::Action;
use rusqlite::{Connection, Statement, Transaction, TransactionBehavior};

use super::checkpoint::{CHECKPOINT_SCHEMA, Checkpoint, counted, read_checkpoint, write_checkpoint};
use super::file::{FileIdentity, remove, remove_beside};
use super::{Shape, is_damage};
use crate::failure::ProjectionFailure;
use crate::projection::{RowChange, Value};

/// Whether the file is as this connection left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody else wrote.
    Sound,
    /// The file was deleted, remade or cut: only a new one helps.
    FileLost,
    /// Somebody else removed rows or moved the checkpoint.
    RowsLost,
}

/// The one connection that writes a read model.
pub(crate) struct Store {
    connection: Connection,
    shape: Shape,
    path: PathBuf,
    identity: FileIdentity,
    length_bytes_min: u64,
    data_version: i64,
    checkpoint: Checkpoint,
    row_count: i64,
    /// Rows inserted less rows deleted since the transaction began; counted by the update hook.
    row_delta: Arc<AtomicI64>,
}

impl Store {
    /// Opens or makes the file. A file that is no database, or lost its rows, is made anew.
    pub fn open(path: &Path, shape: Shape) -> Result<Self, ProjectionFailure> {
        match Self::open_as_it_is(path, shape) {
            Err(ProjectionFailure::Store { source, .. }) if is_damage(&source) => {
                tracing::error!(
                    projection.name = shape.name,
                    "the read model is damaged and is built again"
                );
                remove(path)?;
                Self::open_as_it_is(path, shape)
            }
            opened => opened,
        }
    }

    fn open_as_it_is(path: &Path, shape: Shape) -> Result<Self, ProjectionFailure> {
        let at_file = |source| ProjectionFailure::File {
            path: path.to_owned(),
            source,
        };
        let at_store = |source| ProjectionFailure::Store {
            projection: shape.name,
            source,
        };
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(at_file)?;
        }
        // Made before SQLite does, since it holds personal data in clear; the -wal and -shm files take its mode over.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        drop(made.map_err(at_file)?);
        if FileIdentity::at(path)
            .map_err(at_file)?
            .is_some_and(|(_, len)| len == 0)
        {
            // A write-ahead log beside an emptied file would bring pages of another life back.
            remove_beside(path)?;
        }
        let mut connection = Connection::open(path).map_err(at_store)?;
        let row_delta = prepare(&mut connection, shape).map_err(at_store)?;
        let (identity, length_bytes) = FileIdentity::at(path)
            .and_then(|found| found.ok_or_else(|| io::ErrorKind::NotFound.into()))
            .map_err(at_file)?;
        let mut store = Self {
            connection,
            shape,
            path: path.to_owned(),
            identity,
            length_bytes_min: length_bytes,
            data_version: 0,
            checkpoint: Checkpoint::default(),
            row_count: 0,
            row_delta,
        };
        store.load().map_err(at_store)?;
        Ok(store)
    }

    fn load(&mut self) -> rusqlite::Result<()> {
        self.data_version = self.read_data_version()?;
        match read_checkpoint(&self.connection, self.shape)? {
            Some((checkpoint, rows)) if counted(&self.connection, self.shape).is_ok_and(|found| found == rows) => {
                self.checkpoint = checkpoint;
                self.row_count = rows;
                Ok(())
            }
            found => {
                if found.is_some() {
                    tracing::error!(
                        projection.name = self.shape.name,
                        "rows are missing: the read model is built again"
                    );
                }
                self.reset_rows()
            }
        }
    }

    /// The place that the rows stand for.
    pub const fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// Whether the file is as this connection left it. Cheap: one `stat` and one pragma, unless somebody else wrote.
    pub fn standing(&mut self) -> Result<Standing, ProjectionFailure> {
        let found = FileIdentity::at(&self.path).map_err(|source| self.at_file(source))?;
        match found {
            // The file only grows: nothing here vacuums it.
            Some((identity, length)) if identity == self.identity && length >= self.length_bytes_min => {
                self.length_bytes_min = length;
            }
            _ => return Ok(Standing::FileLost),
        }
        let version = self.read_data_version().map_err(|source| self.at_store(source))?;
        if version == self.data_version {
            return Ok(Standing::Sound);
        }
        self.data_version = version;
        let ours = (self.checkpoint, self.row_count);
        let found = read_checkpoint(&self.connection, self.shape).ok().flatten();
        let rows = counted(&self.connection, self.shape).ok();
        Ok(if found == Some(ours) && rows == Some(ours.1) {
            Standing::Sound
        } else {
            Standing::RowsLost
        })
    }

    /// Empties the tables and sets the checkpoint to zero, in one transaction.
    pub fn reset(&mut self) -> Result<(), ProjectionFailure> {
        self.reset_rows().map_err(|source| self.at_store(source))
    }

    fn reset_rows(&mut self) -> rusqlite::Result<()> {
        let transaction = immediate(&mut self.connection)?;
        for table in self.shape.tables {
            transaction.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
        }
        transaction.execute_batch("DROP TABLE IF EXISTS projection_checkpoint")?;
        transaction.execute_batch(CHECKPOINT_SCHEMA)?;
        transaction.execute_batch(self.shape.schema)?;
        write_checkpoint(&transaction, self.shape, Checkpoint::default(), 0)?;
        transaction.commit()?;
        self.checkpoint = Checkpoint::default();
        self.row_count = 0;
        Ok(())
    }

    /// Makes the file anew: what stood at its path is removed.
    pub fn remake(self) -> Result<Self, ProjectionFailure> {
        let (path, shape) = (self.path.clone(), self.shape);
        drop(self);
        remove(&path)?;
        Self::open(&path, shape)
    }

    /// Begins the transaction that takes rows and checkpoint together.
    pub fn begin(&mut self) -> rusqlite::Result<Round<'_>> {
        self.row_delta.store(0, Ordering::Relaxed);
        Ok(Round {
            transaction: immediate(&mut self.connection)?,
            shape: self.shape,
            checkpoint: &mut self.checkpoint,
            row_count: &mut self.row_count,
            row_delta: &self.row_delta,
        })
    }

    /// The connection, for a digest of its own rows.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    fn read_data_version(&self) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))
    }

    fn at_file(&self, source: io::Error) -> ProjectionFailure {
        ProjectionFailure::File {
            path: self.path.clone(),
            source,
        }
    }

    pub(crate) const fn at_store(&self, source: rusqlite::Error) -> ProjectionFailure {
        ProjectionFailure::Store {
            projection: self.shape.name,
            source,
        }
    }
}

/// One transaction of a read model. Dropped without [`Round::commit`], it leaves nothing behind.
pub(crate) struct Round<'a> {
    transaction: Transaction<'a>,
    shape: Shape,
    checkpoint: &'a mut Checkpoint,
    row_count: &'a mut i64,
    row_delta: &'a AtomicI64,
}

impl Round<'_> {
    /// Applies the changes of one event.
    pub fn apply(&self, changes: &[RowChange]) -> rusqlite::Result<()> {
        for change in changes {
            let mut statement = self.transaction.prepare_cached(change.sql)?;
            bind(&mut statement, change)?;
            statement.raw_execute()?;
        }
        Ok(())
    }

    /// Applies the changes of one event, all or none.
    pub fn apply_or_undo(&self, changes: &[RowChange]) -> rusqlite::Result<()> {
        let delta = self.row_delta.load(Ordering::Relaxed);
        self.transaction.execute_batch("SAVEPOINT one_event")?;
        let applied = self.apply(changes);
        if applied.is_err() {
            self.transaction.execute_batch("ROLLBACK TO one_event")?;
            self.row_delta.store(delta, Ordering::Relaxed);
        }
        self.transaction.execute_batch("RELEASE one_event")?;
        applied
    }

    /// Writes the checkpoint and makes both visible at once.
    pub fn commit(self, checkpoint: Checkpoint) -> rusqlite::Result<()> {
        let rows = self.row_count.saturating_add(self.row_delta.load(Ordering::Relaxed));
        write_checkpoint(&self.transaction, self.shape, checkpoint, rows)?;
        self.transaction.commit()?;
        *self.checkpoint = checkpoint;
        *self.row_count = rows;
        Ok(())
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// SQLite takes `$1` for a name and counts names by their first appearance, Postgres by their number: bind by name, so
/// that one text means the same to both.
fn bind(statement: &mut Statement<'_>, change: &RowChange) -> rusqlite::Result<()> {
    if statement.parameter_count() != change.params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(
            change.params.len(),
            statement.parameter_count(),
        ));
    }
    for (name, value) in NAMES.iter().zip(&change.params) {
        let index = statement.parameter_index(name)?;
        let index = index.ok_or_else(|| rusqlite::Error::InvalidParameterName((*name).to_owned()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

/// Names of parameters; no statement has more.
const NAMES: [&str; 32] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17",
    "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32",
];

fn immediate(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn prepare(connection: &mut Connection, shape: Shape) -> rusqlite::Result<Arc<AtomicI64>> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A read model lost to a power cut is built again, so it need not wait for the disk.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", 16_777_216)?;
    connection.execute_batch(CHECKPOINT_SCHEMA)?;
    let delta = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&delta);
    let tables = shape.tables;
    connection.update_hook(Some(move |action, _: &str, table: &str, _| {
        if tables.contains(&table) {
            match action {
                Action::SQLITE_INSERT => drop(counted.fetch_add(1, Ordering::Relaxed)),
                Action::SQLITE_DELETE => drop(counted.fetch_sub(1, Ordering::Relaxed)),
                _ => {}
            }
        }
    }))?;
    Ok(delta)
}
