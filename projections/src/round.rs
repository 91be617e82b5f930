//! One round: a batch of events and the checkpoint behind it, in one transaction of the read model.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sealpost_domain::{Recorded, Unread, limits};

use crate::failure::ProjectionFailure;
use crate::projection::{FoldRefusal, Projection, RowChange};
use crate::store::sqlite::{Checkpoint, Round, Store, is_row_refused};

/// Events that one transaction takes at most.
pub(crate) const ROUND_EVENTS_MAX: usize = limits::PROJECTION_ROUND_EVENTS_MAX as usize;

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Folded {
    /// All events are in; so many of them only as a parked row.
    All {
        /// Rows that were parked.
        parked: u64,
    },
    /// An event cannot be folded; those before it are in.
    Poison(Poison),
}

/// An event that stops its projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Its position in the log.
    pub position: u64,
    /// Its type.
    pub event_type: String,
    /// Why it cannot be folded.
    pub refusal: FoldRefusal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// No savepoints: almost every round goes well.
    Fast,
    /// A savepoint per event, so that one that the store refuses leaves nothing behind.
    PerEvent,
}

enum One {
    Folded,
    Parked,
    Poison(FoldRefusal),
}

/// Folds events that follow the checkpoint without a gap, at most [`ROUND_EVENTS_MAX`], and moves it behind them.
pub(crate) fn fold_events<P: Projection>(store: &mut Store, events: &[Recorded]) -> Result<Folded, ProjectionFailure> {
    let mut after = store.checkpoint().position;
    for event in events {
        if event.position != after.saturating_add(1) {
            return Err(ProjectionFailure::Gap {
                projection: P::NAME,
                after,
                given: event.position,
            });
        }
        after = event.position;
    }
    let folded = match fold_with::<P>(store, events, Care::Fast) {
        Err(refused) if is_row_refused(&refused) => fold_with::<P>(store, events, Care::PerEvent),
        folded => folded,
    };
    folded.map_err(|source| ProjectionFailure::Store {
        projection: P::NAME,
        source,
    })
}

/// Passes an event without folding it, with these changes instead. False, and nothing done, where the store refuses them.
pub(crate) fn pass<P: Projection>(
    store: &mut Store,
    unread: &Unread,
    changes: &[RowChange],
) -> Result<bool, ProjectionFailure> {
    apply_behind(store, unread, changes).map_err(|source| ProjectionFailure::Store {
        projection: P::NAME,
        source,
    })
}

fn apply_behind(store: &mut Store, unread: &Unread, changes: &[RowChange]) -> rusqlite::Result<bool> {
    let round = store.begin()?;
    if apply_apart(&round, changes)?.is_some() {
        return Ok(false);
    }
    round.commit(Checkpoint {
        position: unread.position,
        event_id: Some(unread.event_id),
    })?;
    Ok(true)
}

fn fold_with<P: Projection>(store: &mut Store, events: &[Recorded], care: Care) -> rusqlite::Result<Folded> {
    let mut checkpoint = store.checkpoint();
    let round = store.begin()?;
    let mut parked = 0;
    for event in events {
        match fold_one::<P>(&round, event, care)? {
            One::Folded => {}
            One::Parked => parked += 1,
            One::Poison(refusal) => {
                round.commit(checkpoint)?;
                return Ok(Folded::Poison(Poison {
                    position: event.position,
                    event_type: event.event.event_type(),
                    refusal,
                }));
            }
        }
        checkpoint = Checkpoint {
            position: event.position,
            event_id: Some(event.event_id),
        };
    }
    round.commit(checkpoint)?;
    Ok(Folded::All { parked })
}

fn fold_one<P: Projection>(round: &Round<'_>, event: &Recorded, care: Care) -> rusqlite::Result<One> {
    let folded = caught::<P>(event);
    let refusal = match (folded, care) {
        (Ok(changes), Care::Fast) => return round.apply(&changes).map(|()| One::Folded),
        (Ok(changes), Care::PerEvent) => match apply_apart(round, &changes)? {
            None => return Ok(One::Folded),
            Some(refusal) => refusal,
        },
        (Err(refusal), _) => refusal,
    };
    let Some(changes) = P::park(event, &refusal) else {
        return Ok(One::Poison(refusal));
    };
    Ok(match apply_apart(round, &changes)? {
        None => {
            tracing::error!(
                projection.name = P::NAME,
                position = event.position,
                "a row is parked: its event cannot be folded ({refusal})"
            );
            One::Parked
        }
        Some(refusal) => One::Poison(refusal),
    })
}

/// Applies the changes, or says why the store does not take them and leaves nothing of them.
fn apply_apart(round: &Round<'_>, changes: &[RowChange]) -> rusqlite::Result<Option<FoldRefusal>> {
    match round.apply_or_undo(changes) {
        Ok(()) => Ok(None),
        Err(refused) if is_row_refused(&refused) => {
            // Names the constraint, never a value.
            tracing::error!("a row is not taken: {refused}");
            Ok(Some(FoldRefusal::RowNotTaken))
        }
        Err(error) => Err(error),
    }
}

/// A fold that breaks is an event that cannot be folded: it must not take the thread, and the row beside it, down.
fn caught<P: Projection>(event: &Recorded) -> Result<Vec<RowChange>, FoldRefusal> {
    catch_unwind(AssertUnwindSafe(|| P::fold(event))).unwrap_or(Err(FoldRefusal::Panicked))
}
