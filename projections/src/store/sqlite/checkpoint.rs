//! The place of a read model in the log, kept in the same database as its rows.

use rusqlite::{Connection, OptionalExtension};
use sealpost_domain::ids::EventId;

use super::Shape;

pub(super) const CHECKPOINT_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS projection_checkpoint (
    name TEXT PRIMARY KEY, position BIGINT NOT NULL, event_id TEXT, row_count BIGINT NOT NULL)";

/// A reader's place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Checkpoint {
    /// Position of the last folded event; 0 before the first.
    pub position: u64,
    /// The event at that position: shows whether this is still the log that was folded.
    pub event_id: Option<EventId>,
}

pub(super) fn read_checkpoint(connection: &Connection, shape: Shape) -> rusqlite::Result<Option<(Checkpoint, i64)>> {
    connection
        .prepare_cached("SELECT position, event_id, row_count FROM projection_checkpoint WHERE name = $1")?
        .query_row([shape.name], |row| {
            let event_id: Option<String> = row.get(1)?;
            let checkpoint = Checkpoint {
                position: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                event_id: event_id.and_then(|text| text.parse().ok()),
            };
            Ok((checkpoint, row.get(2)?))
        })
        .optional()
}

/// The place that a reader's transaction sees.
pub(crate) fn position_seen(connection: &Connection, shape: Shape) -> rusqlite::Result<u64> {
    Ok(read_checkpoint(connection, shape)?.map_or(0, |(checkpoint, _)| checkpoint.position))
}

pub(super) fn write_checkpoint(
    connection: &Connection,
    shape: Shape,
    checkpoint: Checkpoint,
    rows: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO projection_checkpoint (name, position, event_id, row_count) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET position = excluded.position, event_id = excluded.event_id,
             row_count = excluded.row_count",
        )?
        .execute((
            shape.name,
            i64::try_from(checkpoint.position).unwrap_or(i64::MAX),
            checkpoint.event_id.map(|id| id.to_hex()),
            rows,
        ))
        .map(|_| ())
}

pub(super) fn counted(connection: &Connection, shape: Shape) -> rusqlite::Result<i64> {
    let count =
        |table: &&str| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    shape.tables.iter().map(count).sum()
}
