//! One attempt of a message as the activity shows it: server, TLS, reply, result.

use rusqlite::Connection;
use sealpost_domain::Instant;
use sealpost_domain::ids::{AttemptId, MessageId};
use sealpost_domain::message::{
    BounceKind, DeferralReason, InDoubtCause, NotStartedReason, OutcomeClass, Reply, TlsFacts,
};
use sealpost_domain::tls_rule::{ClearReason, TlsRecord};

use crate::columns::{BadColumn, Columns, named};
use crate::tls_seen::TlsSeen;

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptResult {
    /// Its outcome is not known yet.
    Open,
    /// It never reached `DATA`.
    NotStarted(NotStartedReason),
    /// Not now.
    Deferred(DeferralReason),
    /// The server took the message.
    Delivered,
    /// The message will not arrive.
    Bounced(BounceKind),
    /// It may have arrived.
    InDoubt(InDoubtCause),
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityAttempt {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// When its last event was: its start, then its end.
    pub at: Instant,
    /// What came of it.
    pub result: AttemptResult,
    /// Name of the server, where one was chosen.
    pub host: Option<String>,
    /// Address and port that were dialled.
    pub peer: Option<String>,
    /// The TLS session; `None` where there was none.
    pub tls: Option<TlsFacts>,
    /// What of TLS was wanted and reached, and what failed; `None` until it has an outcome.
    pub tls_record: Option<TlsRecord>,
    /// Why it goes, or went, in clear text.
    pub clear: Option<ClearReason>,
    /// Length of the content that went out, in bytes; `None` when none did.
    pub content_bytes: Option<u64>,
    /// The class that rules found, where they judged.
    pub class: Option<OutcomeClass>,
    /// The server's words, where it said any.
    pub reply: Option<Reply>,
}

/// Attempts that a row shows, as many as Mandrill's `smtp_events`.
const SHOWN: i64 = 3;

/// The last attempts of a message, the latest at the end. One that cannot be read is left out.
pub(super) fn last_attempts(rows: &Connection, message: MessageId) -> rusqlite::Result<Vec<ActivityAttempt>> {
    let mut statement = rows.prepare_cached(
        "SELECT attempt_id, at_ms, result, reason, class, host, peer, tls_json, content_bytes, reply_code,
         reply_enhanced, reply_text FROM activity_attempt WHERE message = $1 ORDER BY sequence DESC LIMIT $2",
    )?;
    let found = statement.query_map((message.to_hex(), SHOWN), |row| Ok(read(&mut Columns::of(row)).ok()))?;
    let mut attempts: Vec<ActivityAttempt> = found.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    attempts.reverse();
    Ok(attempts)
}

fn read(columns: &mut Columns<'_, '_>) -> Result<ActivityAttempt, BadColumn> {
    let (attempt_id, at) = (columns.parsed()?, columns.instant()?);
    let (result, reason): (String, Option<String>) = (columns.take()?, columns.take()?);
    let class = columns.named_if_any()?;
    let result = read_result(&result, reason.as_deref()).ok_or(BadColumn(2))?;
    let (host, peer) = (columns.take()?, columns.take()?);
    let seen: TlsSeen = columns.json_if_any()?.unwrap_or_default();
    Ok(ActivityAttempt {
        attempt_id,
        at,
        result,
        class,
        host,
        peer,
        tls: seen.facts,
        tls_record: seen.record,
        clear: seen.clear,
        content_bytes: columns.number_if_any()?,
        reply: columns.reply()?,
    })
}

fn read_result(result: &str, reason: Option<&str>) -> Option<AttemptResult> {
    Some(match result {
        "open" => AttemptResult::Open,
        "not_started" => AttemptResult::NotStarted(named(reason?)?),
        "deferred" => AttemptResult::Deferred(named(reason?)?),
        "delivered" => AttemptResult::Delivered,
        "bounced" => AttemptResult::Bounced(named(reason?)?),
        "in_doubt" => AttemptResult::InDoubt(named(reason?)?),
        _ => return None,
    })
}
