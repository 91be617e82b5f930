//! Makes the stored text of a request: seals its personal fields and writes event and metadata as JSON.

use std::sync::Arc;

use sealpost_domain::ids::{AccountId, EventId};
use sealpost_domain::personal::{HasPersonal, PersonalField, PersonalVisitor, Subject};
use sealpost_domain::{StreamId, StreamType, limits};

use crate::vault::{SealContext, Vault};

use super::append::{Append, AppendFailure, Expected, IdempotencyRow, OnConflict, Row};
use super::generation::Generation;
use super::index::IndexChange;

/// A row as it will be stored.
#[derive(Debug)]
pub struct SealedRow {
    /// Its stream.
    pub stream: StreamId,
    /// What the caller decided on.
    pub expected: Expected,
    /// The account whose sequence it joins.
    pub account: Option<AccountId>,
    /// The event's id.
    pub event_id: EventId,
    /// Event type, e.g. `MessageAccepted`.
    pub event_type: String,
    /// Version of its wire form.
    pub event_version: String,
    /// The event as JSON.
    pub payload: String,
    /// The metadata as JSON, text to text.
    pub metadata: String,
    /// What it changes in the indexes.
    pub index: Option<IndexChange>,
}

/// A request that is ready to be placed.
#[derive(Debug)]
pub(super) struct SealedRequest {
    /// Its rows.
    pub(super) rows: Vec<SealedRow>,
    /// The state that it was decided on.
    pub(super) generation: Option<Generation>,
    /// What is kept for a repeat.
    pub(super) idempotency: Option<Arc<IdempotencyRow>>,
    /// What a conflict means.
    pub(super) on_conflict: OnConflict,
}

impl SealedRow {
    /// The name that it takes in an index, which only one may bear.
    pub(super) fn name(&self) -> Option<&str> {
        self.index.as_ref().and_then(IndexChange::unique_name)
    }

    /// Bytes that its texts take.
    pub(super) fn size_bytes(&self) -> usize {
        self.payload.len().saturating_add(self.metadata.len())
    }
}

/// Whether a request keeps the rules of the interface.
///
/// # Errors
/// [`AppendFailure::Malformed`].
pub(super) fn check_form(append: &Append) -> Result<(), AppendFailure> {
    let malformed = |why| Err(AppendFailure::Malformed(why));
    if append.rows.is_empty() {
        return malformed("it has no rows");
    }
    if u64::try_from(append.rows.len()).is_ok_and(|rows| rows > limits::ROUND_ROWS_MAX) {
        return malformed("it has more rows than a round may have");
    }
    for row in &append.rows {
        if row.event.stream_type() != row.stream.stream_type {
            return malformed("an event stands in a stream of another kind");
        }
        let of_the_system = matches!(row.stream.stream_type, StreamType::Gate | StreamType::Shard);
        if row.account.is_some() == of_the_system {
            return malformed("a stream of the system has no account, every other has one");
        }
        if row.metadata.account != row.account {
            return malformed("the metadata names another account than the row");
        }
    }
    Ok(())
}

/// Seals a request. Fast: the keys are in memory.
///
/// # Errors
/// [`AppendFailure::KeyMissing`], which poisons its generation.
pub(super) fn seal(append: Append, vault: &Vault) -> (SealedRequest, Result<(), AppendFailure>) {
    let mut rows = Vec::with_capacity(append.rows.len());
    let mut result = Ok(());
    for row in append.rows {
        match seal_row(row, vault) {
            Ok(row) => rows.push(row),
            Err(failure) => {
                result = Err(failure);
                break;
            }
        }
    }
    if result.is_err()
        && let Some(generation) = &append.generation
    {
        generation.poison();
    }
    let request = SealedRequest {
        rows,
        generation: append.generation,
        idempotency: append.idempotency.map(Arc::new),
        on_conflict: append.on_conflict,
    };
    (request, result)
}

fn seal_row(mut row: Row, vault: &Vault) -> Result<SealedRow, AppendFailure> {
    let context = SealContext {
        account: row.account,
        recipient_key: row.recipient_key,
        event_id: row.event_id,
    };
    let mut metadata = Arc::unwrap_or_clone(row.metadata);
    for what in [&mut row.event as &mut dyn HasPersonal, &mut metadata] {
        vault.seal(what, &context).map_err(|failure| {
            tracing::warn!(error = %failure, event_id = %row.event_id, "log.seal_failed");
            AppendFailure::KeyMissing
        })?;
        // The last door before the disk: whatever the vault left in clear goes no further.
        let mut clear = Clear(false);
        what.visit_personal(&mut clear);
        if clear.0 {
            return Err(AppendFailure::KeyMissing);
        }
    }
    let unwritable = |_| AppendFailure::Malformed("the event cannot be written as JSON");
    Ok(SealedRow {
        index: IndexChange::of(&row.event, row.account),
        event_type: row.event.event_type(),
        event_version: row.event.event_version(),
        payload: row.event.to_payload().map_err(unwritable)?,
        metadata: serde_json::to_string(&metadata.to_wire()).map_err(unwritable)?,
        stream: row.stream,
        expected: row.expected,
        account: row.account,
        event_id: row.event_id,
    })
}

/// Finds a personal field in clear.
struct Clear(bool);

impl PersonalVisitor for Clear {
    fn field(&mut self, _name: &'static str, _subject: Subject, field: &mut dyn PersonalField) {
        self.0 |= field.plain().is_some();
    }
}
