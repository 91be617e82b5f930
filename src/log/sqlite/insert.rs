//! Writes one round: streams and accounts at first sight, events, index rows, idempotency rows.

use rusqlite::{CachedStatement, Connection, params};
use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;

use crate::log::append::IdempotencyRow;
use crate::log::failure::LogFailure;
use crate::log::index::IndexChange;
use crate::log::round::{PlacedRow, Round};

use super::connection::failed;
use super::reads::{reason_text, stored, stored_size};
use super::write::{Heads, StreamHead};

/// Writes a round into the open transaction, and what it learns into the heads.
///
/// # Errors
/// [`LogFailure::Refused`] when a row breaks a rule of the schema; the store's own failures.
pub(super) fn round(connection: &Connection, heads: &mut Heads, round: &Round) -> Result<(), LogFailure> {
    let doing = "writing events";
    let mut event = connection
        .prepare_cached(
            "INSERT INTO events (position, stream, sequence, account, account_seq, epoch, recorded_at, event_id,
                                 event_type, event_version, payload, metadata, leaf)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )
        .map_err(failed(doing))?;
    let (epoch, recorded_at) = (stored(round.epoch), round.recorded_at.as_millis());
    for placed in &round.rows {
        let account = match placed.row.account {
            Some(account) => Some(account_of(connection, heads, account, placed.account_seq)?),
            None => None,
        };
        let stream = stream_of(connection, heads, placed, account)?;
        event
            .execute(params![
                stored(placed.position),
                stream,
                stored(placed.sequence),
                account,
                placed.account_seq.map(stored),
                epoch,
                recorded_at,
                placed.row.event_id.as_uuid().as_bytes(),
                placed.row.event_type,
                placed.row.event_version,
                placed.row.payload,
                placed.row.metadata,
                placed.leaf,
            ])
            .map_err(failed(doing))?;
        if let Some(change) = &placed.row.index {
            index(connection, heads, change)?;
        }
    }
    sweep(connection, round.recorded_at, swept_with(round.idempotency.len()))?;
    for row in &round.idempotency {
        idempotency(connection, heads, row)?;
    }
    Ok(())
}

/// Expired idempotency rows that a round removes: more than it adds, so that under a load without a pause there are not
/// more and more of them, and few enough that nobody's commit waits for it.
const fn swept_with(added: usize) -> usize {
    added.saturating_mul(2).saturating_add(16)
}

/// Removes idempotency rows that have expired by `now`, at most so many.
pub(super) fn sweep(connection: &Connection, now: Instant, rows_max: usize) -> Result<(), LogFailure> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE (account, key_hash) IN
             (SELECT account, key_hash FROM idempotency WHERE expires_at <= ?1 LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![now.as_millis(), stored_size(rows_max)]))
        .map(drop)
        .map_err(failed("sweeping idempotency keys"))
}

/// The account's number, given at first sight.
fn account_of(
    connection: &Connection,
    heads: &mut Heads,
    account: AccountId,
    seq: Option<u64>,
) -> Result<i64, LogFailure> {
    let known = heads.account(connection, account)?;
    let id = match known.id {
        Some(id) => id,
        None => connection
            .prepare_cached("INSERT INTO accounts (account) VALUES (?1)")
            .and_then(|mut insert: CachedStatement<'_>| insert.insert([account.as_uuid().as_bytes()]))
            .map_err(failed("adding an account"))?,
    };
    heads.put_account(account, id, seq.unwrap_or(known.seq));
    Ok(id)
}

/// The stream's number, given at first sight.
fn stream_of(
    connection: &Connection,
    heads: &mut Heads,
    placed: &PlacedRow,
    account: Option<i64>,
) -> Result<i64, LogFailure> {
    let stream = &placed.row.stream;
    let known = heads.stream(connection, stream)?;
    let id = match known.id {
        Some(id) => id,
        None => connection
            .prepare_cached("INSERT INTO streams (stream_type, stream_id, account) VALUES (?1, ?2, ?3)")
            .and_then(|mut insert| insert.insert(params![stream.stream_type.as_str(), stream.id, account]))
            .map_err(failed("adding a stream"))?,
    };
    let head = StreamHead {
        id: Some(id),
        sequence: placed.sequence,
    };
    heads.put_stream(stream.clone(), head);
    Ok(id)
}

fn index(connection: &Connection, heads: &mut Heads, change: &IndexChange) -> Result<(), LogFailure> {
    let doing = "writing an index";
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map(drop)
            .map_err(failed(doing))
    };
    match change {
        IndexChange::Key { hash, account, key } => run(
            "INSERT INTO key_index (hash, account, key) VALUES (?1, ?2, ?3)",
            &[&hash.as_str(), account.as_uuid().as_bytes(), key.as_uuid().as_bytes()],
        ),
        IndexChange::Login { token, account, user } => run(
            "INSERT INTO login_index (token, account, user) VALUES (?1, ?2, ?3)",
            &[&token.as_str(), account.as_uuid().as_bytes(), user.as_uuid().as_bytes()],
        ),
        IndexChange::Suppressed {
            account,
            token,
            reason,
            until,
        } => {
            let id = account_of(connection, heads, *account, None)?;
            run(
                "INSERT INTO suppressed (account, token, reason, until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account, token) DO UPDATE SET reason = excluded.reason, until = excluded.until",
                &[
                    &id,
                    &token.as_str(),
                    &reason_text(*reason)?,
                    &until.map(|until| until.as_millis()),
                ],
            )
        }
        IndexChange::Released { account, token } => {
            let id = account_of(connection, heads, *account, None)?;
            run(
                "DELETE FROM suppressed WHERE account = ?1 AND token = ?2",
                &[&id, &token.as_str()],
            )
        }
    }
}

/// Replaces an expired row: the plan has seen that there is no other.
fn idempotency(connection: &Connection, heads: &mut Heads, row: &IdempotencyRow) -> Result<(), LogFailure> {
    let account = account_of(connection, heads, row.account, None)?;
    connection
        .prepare_cached(
            "INSERT INTO idempotency (account, key_hash, digest, answer, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account, key_hash) DO UPDATE
             SET digest = excluded.digest, answer = excluded.answer, expires_at = excluded.expires_at",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                account,
                row.key_hash,
                row.digest,
                row.answer,
                row.expires_at.as_millis()
            ])
        })
        .map(drop)
        .map_err(failed("keeping an idempotency key"))
}
