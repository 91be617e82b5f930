//! Events that cannot be read: read up to, and passed where a projection can do without them.

use sealpost_domain::{Recorded, Unread};

use crate::failure::ProjectionFailure;
use crate::projection::{EventSource, Projection, SourceFailure};
use crate::round::{ROUND_EVENTS_MAX, pass};
use crate::store::sqlite::Store;

/// A round of events; where one of them cannot be read, those before it, so that the checkpoint shows where it lies.
pub(crate) fn read_up_to_damage<P: Projection>(
    source: &dyn EventSource,
    after: u64,
) -> Result<Vec<Recorded>, ProjectionFailure> {
    match source.events(after, ROUND_EVENTS_MAX) {
        Err(SourceFailure::BadEvent { position, .. }) if position > after.saturating_add(1) => {
            let before = usize::try_from(position - after - 1).unwrap_or(ROUND_EVENTS_MAX);
            source.events(after, before.min(ROUND_EVENTS_MAX))
        }
        events => events,
    }
    .map_err(|source| ProjectionFailure::Source {
        projection: P::NAME,
        source,
    })
}

/// The event that cannot be read, where that is the failure and the columns beside its content can.
pub(crate) fn unread_in(failure: &ProjectionFailure) -> Option<&Unread> {
    match failure {
        ProjectionFailure::Source {
            source: SourceFailure::BadEvent { unread, .. },
            ..
        } => unread.as_deref(),
        _ => None,
    }
}

/// Passes the event behind the checkpoint that cannot be read, where the projection can do without it; returns its
/// position.
///
/// # Errors
/// The failure itself, where it is another one or the projection waits.
pub(crate) fn pass_damage<P: Projection>(
    store: &mut Store,
    failure: ProjectionFailure,
) -> Result<u64, ProjectionFailure> {
    let next = store.checkpoint().position.saturating_add(1);
    let unread = unread_in(&failure).filter(|unread| unread.position == next);
    let Some((unread, changes)) = unread.and_then(|unread| Some((unread, P::park_unread(unread)?))) else {
        return Err(failure);
    };
    if !pass::<P>(store, unread, &changes)? {
        return Err(failure);
    }
    tracing::error!(
        projection.name = P::NAME,
        position = unread.position,
        stream.r#type = unread.stream.stream_type.as_str(),
        "an event cannot be read: what it concerns stands aside, and the rest goes on"
    );
    metrics::counter!("sealpost_projection_unread_total", "projection" => P::NAME).increment(1);
    Ok(unread.position)
}
