//! What a projection is, what it reads from, and what it says: events in, row changes out.

use std::fmt;
use std::time::Duration;

use sealpost_domain::event::StreamType;
use sealpost_domain::{Recorded, Unread};
use thiserror::Error;

/// Why the log could not be read. The runner waits and asks again.
#[derive(Debug, Error)]
pub enum SourceFailure {
    /// The store behind the log did not answer.
    #[error("the log could not be read after position {after}")]
    Unreadable {
        /// Position after which was read.
        after: u64,
        /// What the store says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An event lies in a form that nobody knows: a newer program wrote it, or the store is damaged.
    #[error("the event at position {position} cannot be read")]
    BadEvent {
        /// Where it lies.
        position: u64,
        /// What it concerns, where that much can be read.
        unread: Option<Box<Unread>>,
        /// What the reader says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
}

/// Where recorded events come from: the log, with personal fields opened where their keys exist.
pub trait EventSource: Send + Sync {
    /// Durable events after a position, in the order of their positions without a gap, at most `limit`. None only
    /// where the log ends; fewer anywhere. Blocks.
    ///
    /// # Errors
    /// As [`SourceFailure`] says.
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, SourceFailure>;

    /// Position of the last durable event; 0 in an empty log. Never falls while the program runs.
    fn head(&self) -> u64;

    /// Blocks until the head lies past `position`, at most for `at_most`. Returns the head.
    fn wait_past(&self, position: u64, at_most: Duration) -> u64;
}

/// A value of a column.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl fmt::Debug for Value {
    /// Texts are redacted: an address in a program log is a leak.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Integer(number) => write!(f, "Integer({number})"),
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// What lies above `i64::MAX` counts as that.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One statement that changes rows, in the SQL that SQLite and Postgres share. Its parameters are `$1` to `$32`; each may
/// stand anywhere and more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The statement; constant, so that no value can become a part of it.
    pub sql: &'static str,
    /// Its parameters.
    pub params: Vec<Value>,
}

impl RowChange {
    /// A statement and its parameters.
    #[must_use]
    pub fn new(sql: &'static str, params: impl Into<Vec<Value>>) -> Self {
        Self {
            sql,
            params: params.into(),
        }
    }
}

/// Why an event cannot be folded. Depends on the event alone, so that every rebuild meets it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoldRefusal {
    /// A message or suppression event that belongs to no account.
    #[error("the event belongs to no account")]
    NoAccount,
    /// The stream's id is not in the form of its kind.
    #[error("the id of the {} stream is not in its form", .0.as_str())]
    BadStreamId(StreamType),
    /// A personal field that the row cannot do without is not known: its key is gone or cannot be found.
    #[error("the field {0} is not known")]
    FieldUnknown(&'static str),
    /// A field does not have the form that the row needs.
    #[error("the field {0} is not in its form")]
    BadField(&'static str),
    /// The read model's store does not take the row, e.g. because it has one of that key.
    #[error("the store does not take the row")]
    RowNotTaken,
    /// The fold itself broke.
    #[error("the fold broke")]
    Panicked,
}

/// A fold of the log into tables of its own.
pub trait Projection: Send + 'static {
    /// Name of the projection and of its file, snake case.
    const NAME: &'static str;
    /// Version of schema and fold together. A higher one builds a new file beside the old.
    const VERSION: u32;
    /// Statements that make its tables and indexes, in the SQL that SQLite and Postgres share.
    const SCHEMA: &'static str;
    /// Its tables, each with a primary key: what the digest covers.
    const TABLES: &'static [&'static str];

    /// What an event changes. Pure: depends on nothing but the event, and takes known, sealed and erased personal fields.
    ///
    /// # Errors
    /// When the event cannot be folded; the projection then stops there, or parks what the event concerns.
    fn fold(recorded: &Recorded) -> Result<Vec<RowChange>, FoldRefusal>;

    /// What an event that cannot be folded changes instead, where one row may stand aside so that the others go on.
    /// `None` stops the projection at this event. Pure as [`Projection::fold`].
    fn park(_recorded: &Recorded, _refusal: &FoldRefusal) -> Option<Vec<RowChange>> {
        None
    }

    /// What an event changes whose content cannot be read, where what it concerns may stand aside so that the rest goes
    /// on. `None` waits at this event until it can be read. Pure as [`Projection::fold`].
    fn park_unread(_unread: &Unread) -> Option<Vec<RowChange>> {
        None
    }
}
