//! Turns a stored row back into an event. Opens nothing: personal fields stay sealed.

use std::collections::BTreeMap;
use std::error::Error;

use rusqlite::Row;
use rusqlite::types::Type;
use sealpost_domain::ids::{AccountId, EventId};
use sealpost_domain::metadata::Metadata;
use sealpost_domain::{Event, Instant, Recorded, StreamId, StreamType, Unread};
use uuid::Uuid;

use crate::log::failure::LogFailure;
use crate::log::round::SHARD;

/// The columns that [`recorded`] reads, in its order, and the tables that they stand in.
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT e.position, e.account_seq, e.epoch, e.recorded_at, e.event_id, s.stream_type, s.stream_id, ",
            "e.sequence, e.payload, e.metadata, a.account ",
            "FROM events e JOIN streams s ON s.id = e.stream LEFT JOIN accounts a ON a.id = e.account ",
            $rest
        )
    };
}
pub(super) use select_events;

/// A column that holds a UUID in 16 bytes.
pub(super) fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(Uuid::from_bytes(bytes))
}

/// A column that holds a number that is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number)
        .map_err(|source| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, source.into()))
}

/// Reads one row of `select_events!`.
///
/// # Errors
/// [`LogFailure::Unreadable`] with the position, when it is not in its form.
pub(super) fn recorded(row: &Row<'_>) -> Result<Recorded, LogFailure> {
    let position = number(row, 0).unwrap_or(0);
    read(row, position).map_err(|source| LogFailure::Unreadable {
        position,
        unread: unread(row, position).ok().map(Box::new),
        source,
    })
}

/// What stands beside the content of an event.
fn unread(row: &Row<'_>, position: u64) -> Result<Unread, Box<dyn Error + Send + Sync>> {
    Ok(Unread {
        position,
        event_id: EventId::from_uuid(uuid(row, 4)?),
        account: account(row)?,
        stream: StreamId {
            stream_type: StreamType::parse(text(row, 5)?)?,
            id: text(row, 6)?.to_owned(),
        },
        sequence: number(row, 7)?,
    })
}

fn account(row: &Row<'_>) -> Result<Option<AccountId>, Box<dyn Error + Send + Sync>> {
    Ok(match row.get_ref(10)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(AccountId::from_uuid(uuid(row, 10)?)),
    })
}

fn read(row: &Row<'_>, position: u64) -> Result<Recorded, Box<dyn Error + Send + Sync>> {
    let account_seq = match row.get_ref(1)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(number(row, 1)?),
    };
    let stream_type = StreamType::parse(text(row, 5)?)?;
    let wire: BTreeMap<String, String> = serde_json::from_str(text(row, 9)?)?;
    Ok(Recorded {
        shard: SHARD,
        position,
        account: account(row)?,
        account_seq,
        epoch: number(row, 2)?,
        recorded_at: Instant::from_millis(row.get(3)?),
        event_id: EventId::from_uuid(uuid(row, 4)?),
        stream: StreamId {
            stream_type,
            id: text(row, 6)?.to_owned(),
        },
        sequence: number(row, 7)?,
        metadata: Metadata::from_wire(&wire)?,
        event: Event::from_payload(stream_type, text(row, 8)?)?,
    })
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Box<dyn Error + Send + Sync>> {
    Ok(row.get_ref(column)?.as_str()?)
}
