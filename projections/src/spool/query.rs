//! Reads the spool: what is open, what is parked, one message.

use std::fmt;
use std::path::Path;

use rusqlite::{Connection, Row, params};
use sealpost_domain::Instant;
use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::{AccountId, AttemptId, KeyId, MessageId};
use sealpost_domain::message::{Message, Order, Phase};

use super::Spool;
use crate::columns::{BadColumn, Columns};
use crate::failure::ProjectionFailure;
use crate::projection::Projection;
use crate::store::sqlite::{Reader, file_of};

/// A message that waits, is held, or has an attempt open, with all that its next attempt needs.
#[derive(Clone, PartialEq, Eq)]
pub struct SpoolRow {
    /// The message.
    pub message: MessageId,
    /// Its account.
    pub account: AccountId,
    /// The key that sent it.
    pub key: KeyId,
    /// The forward-path.
    pub recipient: Mailbox,
    /// The reverse-path without its angle brackets; printable ASCII, empty for the null reverse-path.
    pub reverse_path: String,
    /// The Message-ID with its angle brackets.
    pub message_id_header: String,
    /// The aggregate as its events left it; `order` is never `None` here.
    pub state: Message,
    /// Events in its stream: what the next append expects.
    pub sequence: u64,
}

impl SpoolRow {
    /// The attempt that is open, if one is.
    #[must_use]
    pub const fn open_attempt(&self) -> Option<AttemptId> {
        match self.state.phase {
            Phase::InFlight { attempt_id } => Some(attempt_id),
            _ => None,
        }
    }
}

impl fmt::Debug for SpoolRow {
    /// Without addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolRow")
            .field("message", &self.message)
            .field("account", &self.account)
            .field("phase", &self.state.phase)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// An attempt without an outcome. Read leniently, so that a parked message's is found too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStart {
    /// The message.
    pub message: MessageId,
    /// Its account.
    pub account: AccountId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The aggregate with its phase and deferrals; `order` may be missing where the row is damaged.
    pub state: Message,
    /// Events in its stream: what the next append expects.
    pub sequence: u64,
}

/// A message that stands aside: its row could not be folded, or cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRow {
    /// Id of the message's stream.
    pub stream: String,
    /// Its account, where the row still says it.
    pub account: Option<AccountId>,
    /// Why it stands aside; names fields, never their values.
    pub error: String,
}

impl ParkedRow {
    /// The message; `None` when the stream's id is none.
    #[must_use]
    pub fn message(&self) -> Option<MessageId> {
        self.stream.parse().ok()
    }
}

/// A page of the spool in the order of message ids, which is about the order of acceptance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolPage {
    /// What can be dispatched, released or discarded.
    pub rows: Vec<SpoolRow>,
    /// What stands aside.
    pub parked: Vec<ParkedRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// How many messages are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolCounts {
    /// Wait for their next attempt.
    pub queued: u64,
    /// Are held.
    pub held: u64,
    /// Have an attempt open.
    pub in_flight: u64,
    /// Stand aside, whatever their phase.
    pub parked: u64,
}

/// Questions to the spool. Cheap to clone; each blocks while SQLite reads.
#[derive(Debug, Clone)]
pub struct SpoolQueries(pub(super) Reader);

pub(super) const COLUMNS: &str = "message, account, key_id, recipient, reverse_path, message_id_header, phase, attempt_id, \
                       deferrals, due_at_ms, last_closed, last_class, order_json, sequence, error";

impl SpoolQueries {
    /// Reads the spool in the folder of read models, which its runner may still have to make.
    #[must_use]
    pub fn open(dir: &Path) -> Self {
        Self(Reader::new(Spool::NAME, file_of::<Spool>(dir)))
    }

    /// Queued messages whose time has come at `before`, the longest due first, at most `limit`. Rows that cannot be read
    /// are passed over: [`SpoolQueries::all_open`] shows them.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn due(&self, before: Instant, limit: usize) -> Result<Vec<SpoolRow>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM spool WHERE phase = 'queued' AND error IS NULL AND due_at_ms <= $1
                 ORDER BY due_at_ms, message"
            ))?;
            let mut found = statement.query([before.as_millis()])?;
            let mut due = Vec::new();
            while due.len() < limit
                && let Some(row) = found.next()?
            {
                due.extend(read(row).ok());
            }
            Ok(due)
        })
    }

    /// All messages that are not finished, after a page's `next`, at most `limit` rows of either kind.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn all_open(&self, after: Option<&str>, limit: usize) -> Result<SpoolPage, ProjectionFailure> {
        self.0.ask(|rows| {
            let sql = format!("SELECT {COLUMNS} FROM spool WHERE message > $1 ORDER BY message LIMIT $2");
            page(rows, &sql, params![after.unwrap_or_default(), as_limit(limit)], limit)
        })
    }

    /// Messages of a key that are not finished, after a page's `next`, at most `limit` rows of either kind.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn by_key(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<SpoolPage, ProjectionFailure> {
        self.0.ask(|rows| {
            let sql =
                format!("SELECT {COLUMNS} FROM spool WHERE key_id = $1 AND message > $2 ORDER BY message LIMIT $3");
            let params = params![key.to_hex(), after.unwrap_or_default(), as_limit(limit)];
            page(rows, &sql, params, limit)
        })
    }

    /// Rows that could not be folded, after a message id, at most `limit`.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn parked(&self, after: Option<&str>, limit: usize) -> Result<SpoolPage, ProjectionFailure> {
        self.0.ask(|rows| {
            let sql = format!(
                "SELECT {COLUMNS} FROM spool WHERE error IS NOT NULL AND message > $1 ORDER BY message LIMIT $2"
            );
            page(rows, &sql, params![after.unwrap_or_default(), as_limit(limit)], limit)
        })
    }

    /// Attempts without an outcome. There are never more than there were outcome slots.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn open_starts(&self) -> Result<Vec<OpenStart>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(
                "SELECT message, account, attempt_id, deferrals, due_at_ms, sequence, last_closed, last_class, order_json
                 FROM spool
                 WHERE phase = 'in_flight' ORDER BY message",
            )?;
            let mut found = statement.query([])?;
            let mut open = Vec::new();
            while let Some(row) = found.next()? {
                match read_open(row) {
                    Ok(start) => open.push(start),
                    Err(bad) => tracing::error!("an open start of the spool cannot be read: {bad}"),
                }
            }
            Ok(open)
        })
    }

    /// One message; `None` when it is finished, unknown, or parked.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn message(&self, message: MessageId) -> Result<Option<SpoolRow>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(&format!("SELECT {COLUMNS} FROM spool WHERE message = $1"))?;
            let mut found = statement.query([message.to_hex()])?;
            Ok(found.next()?.and_then(|row| read(row).ok()))
        })
    }

    /// How many messages are where.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn counts(&self) -> Result<SpoolCounts, ProjectionFailure> {
        self.0.ask(|rows| {
            let count = |wanted: &str| -> rusqlite::Result<u64> {
                let sql = format!("SELECT count(*) FROM spool WHERE {wanted}");
                let number: i64 = rows.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
                Ok(u64::try_from(number).unwrap_or(0))
            };
            Ok(SpoolCounts {
                queued: count("phase = 'queued' AND error IS NULL")?,
                held: count("phase = 'held' AND error IS NULL")?,
                in_flight: count("phase = 'in_flight'")?,
                parked: count("error IS NOT NULL")?,
            })
        })
    }
}

fn page(rows: &Connection, sql: &str, params: &[&dyn rusqlite::ToSql], limit: usize) -> rusqlite::Result<SpoolPage> {
    let mut statement = rows.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut page = SpoolPage::default();
    let mut last = None;
    while let Some(row) = found.next()? {
        // A damaged id is no text; it sorts behind all texts, so that no page has to begin after it.
        let stream: Option<String> = row.get(0).ok();
        match read(row) {
            Ok(open) => page.rows.push(open),
            Err(error) => page.parked.push(ParkedRow {
                stream: stream.clone().unwrap_or_default(),
                account: Columns::from(row, 1).parsed_if_any().unwrap_or_default(),
                error,
            }),
        }
        last = stream.or(last);
    }
    let is_full = page.rows.len() + page.parked.len() >= limit;
    page.next = last.filter(|_| is_full);
    Ok(page)
}

/// Reads a row, or says why it stands aside: the error that its fold left, or the column that is damaged.
pub(super) fn read(row: &Row<'_>) -> Result<SpoolRow, String> {
    let error: Option<String> = row.get("error").map_err(|_| BadColumn(14).to_string())?;
    match error {
        Some(error) => Err(error),
        None => read_columns(&mut Columns::of(row)).map_err(|bad| bad.to_string()),
    }
}

fn read_columns(columns: &mut Columns<'_, '_>) -> Result<SpoolRow, BadColumn> {
    let (message, account, key) = (columns.parsed()?, columns.parsed()?, columns.parsed()?);
    let recipient = columns.take::<String>()?;
    let (reverse_path, message_id_header) = (columns.take()?, columns.take()?);
    let phase: String = columns.take()?;
    let attempt_id: Option<AttemptId> = columns.parsed_if_any()?;
    let deferrals = columns.number()?;
    let due_at = columns.instant_if_any()?;
    let (last_closed, last_class) = (columns.parsed_if_any()?, columns.named_if_any()?);
    let order: Option<Order> = columns.json_if_any()?;
    Ok(SpoolRow {
        message,
        account,
        key,
        recipient: Mailbox::parse(&recipient).map_err(|_| BadColumn(3))?,
        reverse_path,
        message_id_header,
        state: Message {
            phase: read_phase(&phase, attempt_id).ok_or(BadColumn(6))?,
            deferrals,
            due_at,
            last_closed,
            last_class,
            order: Some(order.ok_or(BadColumn(12))?),
        },
        sequence: columns.number()?,
    })
}

fn read_phase(phase: &str, attempt_id: Option<AttemptId>) -> Option<Phase> {
    match (phase, attempt_id) {
        ("queued", None) => Some(Phase::Queued),
        ("held", None) => Some(Phase::Held),
        ("in_flight", Some(attempt_id)) => Some(Phase::InFlight { attempt_id }),
        _ => None,
    }
}

fn read_open(row: &Row<'_>) -> Result<OpenStart, BadColumn> {
    let mut columns = Columns::of(row);
    let (message, account) = (columns.parsed()?, columns.parsed()?);
    let attempt_id = columns.parsed()?;
    let (deferrals, due_at) = (columns.number()?, columns.instant_if_any()?);
    let sequence = columns.number()?;
    Ok(OpenStart {
        message,
        account,
        attempt_id,
        state: Message {
            phase: Phase::InFlight { attempt_id },
            deferrals,
            due_at,
            last_closed: columns.parsed_if_any().unwrap_or_default(),
            last_class: columns.named_if_any().unwrap_or_default(),
            order: columns.json_if_any().unwrap_or_default(),
        },
        sequence,
    })
}

pub(super) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
