//! Searches the activity, newest first, and gives single messages.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::{AccountId, KeyId, MessageId, RequestId};
use sealpost_domain::message::{Reply, TlsLevel};
use sealpost_domain::metadata::{Actor, Channel};
use sealpost_domain::rights::Method;
use sealpost_domain::{Instant, Personal, limits};

use super::attempt::{ActivityAttempt, last_attempts};
use super::filter::{ActivityCursor, ActivityFilter, TextMatch};
use super::fold::Activity;
use super::search_match::Searched;
use super::state::ActivityState;
use crate::columns::{BadColumn, Columns};
use crate::failure::ProjectionFailure;
use crate::projection::{Projection, Value};
use crate::store::sqlite::{Reader, file_of};

/// Rows that one search looks at; it then says where to go on.
const SCANNED_ROWS_MAX: usize = limits::SEARCH_SCANNED_ROWS_MAX as usize;

/// What became of one message. A personal value that the log has erased is `Erased` here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityRow {
    /// The message.
    pub message: MessageId,
    /// Its account.
    pub account: AccountId,
    /// When it was accepted or turned away.
    pub at: Instant,
    /// Where it stands.
    pub state: ActivityState,
    /// The key that sent it.
    pub key: KeyId,
    /// The method that it came by; `None` for one that was turned away.
    pub method: Option<Method>,
    /// Who sent it.
    pub actor: Actor,
    /// By which door.
    pub channel: Channel,
    /// The call that it came by.
    pub request: Option<RequestId>,
    /// Address of the caller.
    pub client_ip: Personal<IpAddr>,
    /// What the caller's program calls itself.
    pub user_agent: Personal<String>,
    /// The header From's address.
    pub sender: Personal<String>,
    /// The recipient's address.
    pub recipient: Personal<String>,
    /// Domain of the recipient's address; `None` for one that was turned away.
    pub recipient_domain: Option<DomainName>,
    /// The subject.
    pub subject: Personal<String>,
    /// The sender's tags.
    pub tags: Personal<Vec<String>>,
    /// The sender's metadata, values as JSON text.
    pub metadata: Personal<BTreeMap<String, String>>,
    /// The Message-ID with its angle brackets; `None` for one that was turned away.
    pub message_id_header: Option<String>,
    /// Length of the stored content, in bytes; `None` for one that was turned away.
    pub size_bytes: Option<u64>,
    /// Least protection that it demands.
    pub tls_required: Option<TlsLevel>,
    /// When it bounces if nobody takes it.
    pub expires_at: Option<Instant>,
    /// When it is tried next; `None` when it is not waiting for a point in time.
    pub next_attempt_at: Option<Instant>,
    /// When it had its last outcome.
    pub finished_at: Option<Instant>,
    /// When a report came in that it did not arrive after all, or that its recipient complained.
    pub late_at: Option<Instant>,
    /// The words of the report that it did not arrive.
    pub late_reply: Option<Reply>,
    /// The last attempts, at most three, the latest at the end.
    pub attempts: Vec<ActivityAttempt>,
}

/// A page of a search, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityPage {
    /// What was found.
    pub rows: Vec<ActivityRow>,
    /// Where to go on: set when the page is full, and when the search looked at as many rows as one may, in which case
    /// the page may be short or empty and more may follow. `None` when all was looked at.
    pub next: Option<ActivityCursor>,
}

/// Questions to the activity. Cheap to clone; each blocks while SQLite reads.
#[derive(Debug, Clone)]
pub struct ActivityQueries(pub(super) Reader);

const COLUMNS: &str = "message, account, at_ms, state, reason, key_id, method, actor, channel, request, client_ip, \
                       user_agent, sender, recipient, recipient_domain, subject, tags_json, metadata_json, \
                       message_id_header, size_bytes, tls_required, expires_at_ms, next_attempt_at_ms, finished_at_ms, \
                       late_at_ms, late_reply_code, late_reply_enhanced, late_reply_text";

impl ActivityQueries {
    /// Reads the activity in the folder of read models, which its runner may still have to make.
    #[must_use]
    pub fn open(dir: &Path) -> Self {
        Self(Reader::new(Activity::NAME, file_of::<Activity>(dir)))
    }

    /// Searches the messages of an account.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn search(&self, account: AccountId, filter: &ActivityFilter) -> Result<ActivityPage, ProjectionFailure> {
        self.0.ask(|rows| search(rows, account, filter, SCANNED_ROWS_MAX))
    }

    /// One message of an account; `None` when it is not the account's, or not here yet.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn get(&self, account: AccountId, message: MessageId) -> Result<Option<ActivityRow>, ProjectionFailure> {
        self.0
            .ask(|rows| Ok(load(rows, message)?.filter(|row| row.account == account)))
    }
}

pub(super) fn search(
    rows: &Connection,
    account: AccountId,
    filter: &ActivityFilter,
    scanned_max: usize,
) -> rusqlite::Result<ActivityPage> {
    let (sql, params) = coarse(account, filter);
    let mut statement = rows.prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(&params))?;
    let mut page = ActivityPage {
        rows: Vec::new(),
        next: None,
    };
    let (mut scanned, mut last) = (0, filter.before);
    while let Some(row) = found.next()? {
        if page.rows.len() >= filter.limit || scanned >= scanned_max {
            page.next = last;
            break;
        }
        scanned += 1;
        let mut columns = Columns::of(row);
        let (Ok(message), Ok(at)) = (columns.parsed(), columns.instant()) else {
            continue;
        };
        last = Some(ActivityCursor { at, message });
        if is_wanted(row, message, at, filter).unwrap_or(false) {
            page.rows.extend(load(rows, message)?);
        }
    }
    Ok(page)
}

/// What SQL can ask for by an index: account, time, place, and the one address that most searches are about. Every text
/// of the statement is constant; what the caller gave are parameters.
fn coarse(account: AccountId, filter: &ActivityFilter) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(account.to_hex())];
    let mut sql = "SELECT message, at_ms, state, reason, key_id, client_ip, sender, recipient, subject, tags_json, \
                   metadata_json FROM activity WHERE account = $1"
        .to_owned();
    let mut ask = |condition: &str, value: Value| {
        params.push(value);
        sql.push_str(&format!(" AND {condition} ${}", params.len()));
    };
    if let Some(TextMatch::Exact(address)) = &filter.recipient {
        ask("recipient_folded =", address.to_lowercase().into());
    }
    if let Some(from) = filter.from {
        ask("at_ms >=", from.as_millis().into());
    }
    if let Some(to) = filter.to {
        ask("at_ms <", to.as_millis().into());
    }
    if let Some(before) = filter.before {
        params.extend([before.at.as_millis().into(), before.message.to_hex().into()]);
        sql.push_str(&format!(
            " AND (at_ms, message) < (${}, ${})",
            params.len() - 1,
            params.len()
        ));
    }
    sql.push_str(" ORDER BY at_ms DESC, message DESC");
    (sql, params)
}

fn is_wanted(row: &Row<'_>, message: MessageId, at: Instant, filter: &ActivityFilter) -> Result<bool, BadColumn> {
    let mut columns = Columns::from(row, 2);
    let state = columns.state()?;
    let key = columns.parsed_if_any()?;
    Ok(filter.matches(&Searched {
        message,
        at,
        state,
        key,
        client_ip: columns.text_if_any()?,
        sender: columns.text_if_any()?,
        recipient: columns.text_if_any()?,
        subject: columns.text_if_any()?,
        tags: columns.json_if_any()?.unwrap_or_default(),
        metadata: columns.json_if_any()?.unwrap_or_default(),
    }))
}

/// A whole row with its attempts. One that cannot be read is left out: it must not cost the account the others.
fn load(rows: &Connection, message: MessageId) -> rusqlite::Result<Option<ActivityRow>> {
    let mut statement = rows.prepare_cached(&format!("SELECT {COLUMNS} FROM activity WHERE message = $1"))?;
    let read = statement
        .query_row([message.to_hex()], |row| Ok(read(&mut Columns::of(row))))
        .optional()?;
    match read {
        None => Ok(None),
        Some(Ok(row)) => Ok(Some(ActivityRow {
            attempts: last_attempts(rows, message)?,
            ..row
        })),
        Some(Err(bad)) => {
            tracing::error!(message.id = %message, "a row of the activity cannot be read: {bad}");
            Ok(None)
        }
    }
}

fn read(columns: &mut Columns<'_, '_>) -> Result<ActivityRow, BadColumn> {
    Ok(ActivityRow {
        message: columns.parsed()?,
        account: columns.parsed()?,
        at: columns.instant()?,
        state: columns.state()?,
        key: columns.parsed()?,
        method: columns.named_if_any()?,
        actor: columns.parsed()?,
        channel: columns.named()?,
        request: columns.parsed_if_any()?,
        client_ip: columns.parsed_if_any()?.map_or(Personal::Erased, Personal::Known),
        user_agent: columns.personal()?,
        sender: columns.personal()?,
        recipient: columns.personal()?,
        recipient_domain: columns.named_if_any()?,
        subject: columns.personal()?,
        tags: columns.personal_json()?,
        metadata: columns.personal_json()?,
        message_id_header: columns.take()?,
        size_bytes: columns.number_if_any()?,
        tls_required: columns.named_if_any()?,
        expires_at: columns.instant_if_any()?,
        next_attempt_at: columns.instant_if_any()?,
        finished_at: columns.instant_if_any()?,
        late_at: columns.instant_if_any()?,
        late_reply: columns.reply()?,
        attempts: Vec::new(),
    })
}

impl Columns<'_, '_> {
    /// Two columns: the name of a state and the word of its reason.
    pub(super) fn state(&mut self) -> Result<ActivityState, BadColumn> {
        let name = self.named()?;
        let reason: Option<String> = self.take()?;
        ActivityState::read(name, reason.as_deref()).ok_or(BadColumn(3))
    }
}
