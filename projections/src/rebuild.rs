//! Builds a projection a second time beside the live one and compares the two, byte for byte.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::damage::{pass_damage, read_up_to_damage};
use crate::digest::{Digest, RowsDigest, digest};
use crate::failure::ProjectionFailure;
use crate::projection::{EventSource, Projection};
use crate::round::{Folded, ROUND_EVENTS_MAX, fold_events};
use crate::store::sqlite::{Shape, Store, file_of, walk};

/// What a shadow build found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildReport {
    /// The projection.
    pub projection: &'static str,
    /// SHA-256 in hex of the live rows.
    pub live: String,
    /// SHA-256 in hex of the rows that were built now, up to the same event.
    pub rebuilt: String,
    /// Events that were folded: the position at which both stand.
    pub events: u64,
}

impl RebuildReport {
    /// Whether the rows are the same, byte for byte.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.live == self.rebuilt
    }
}

/// Digests the live rows in `dir` on one snapshot, builds the same from the log in a folder beside them, and compares.
/// The live projection may go on meanwhile. The shadow is removed again: it holds personal data in clear.
///
/// # Errors
/// [`ProjectionFailure::Unbuilt`] when there are no live rows, [`ProjectionFailure::Poison`] when an event that is in
/// them cannot be folded now; as [`ProjectionFailure`] says.
pub fn rebuild_check<P: Projection>(dir: &Path, source: &dyn EventSource) -> Result<RebuildReport, ProjectionFailure> {
    let live = digest::<P>(dir)?;
    let shadow = Shadow::new(dir, P::NAME);
    let rebuilt = build_up_to::<P>(&shadow.0, source, live.position)?;
    Ok(RebuildReport {
        projection: P::NAME,
        live: live.sha256,
        rebuilt: rebuilt.sha256,
        events: live.position,
    })
}

fn build_up_to<P: Projection>(
    dir: &Path,
    source: &dyn EventSource,
    position: u64,
) -> Result<RowsDigest, ProjectionFailure> {
    let mut store = Store::open(&file_of::<P>(dir), Shape::of::<P>())?;
    while store.checkpoint().position < position {
        let after = store.checkpoint().position;
        let limit = ROUND_EVENTS_MAX.min(usize::try_from(position - after).unwrap_or(usize::MAX));
        let mut events = match read_up_to_damage::<P>(source, after) {
            Ok(events) => events,
            Err(failure) => {
                pass_damage::<P>(&mut store, failure)?;
                continue;
            }
        };
        events.truncate(limit);
        if events.is_empty() {
            // The log ends before the live rows do: the digests will differ, and say so.
            break;
        }
        if let Folded::Poison(poison) = fold_events::<P>(&mut store, &events)? {
            return Err(ProjectionFailure::Poison {
                projection: P::NAME,
                position: poison.position,
                source: poison.refusal,
            });
        }
    }
    let mut digest = Digest::new();
    walk(store.connection(), Shape::of::<P>(), &mut digest).map_err(|source| store.at_store(source))?;
    Ok(RowsDigest {
        position: store.checkpoint().position,
        sha256: digest.finish(),
    })
}

/// A folder of its own for one shadow build; removed with what is in it.
struct Shadow(PathBuf, &'static str);

impl Shadow {
    fn new(dir: &Path, projection: &'static str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = dir.join(format!("{}{number}", shadow_prefix(projection, std::process::id())));
        // An earlier process may have had the same number, and been killed over its shadow.
        drop(std::fs::remove_dir_all(&folder));
        Self(folder, projection)
    }
}

fn shadow_prefix(projection: &str, process: u32) -> String {
    format!("shadow-{projection}-{process}-")
}

/// Removes shadows that another process left behind when it was killed. One process owns the folder, so they are
/// nobody's.
pub(crate) fn remove_stale_shadows<P: Projection>(dir: &Path) -> Result<(), ProjectionFailure> {
    let at_dir = |source| ProjectionFailure::File {
        path: dir.to_owned(),
        source,
    };
    let (any, own) = (
        format!("shadow-{}-", P::NAME),
        shadow_prefix(P::NAME, std::process::id()),
    );
    for entry in std::fs::read_dir(dir).map_err(at_dir)? {
        let entry = entry.map_err(at_dir)?;
        let name = entry.file_name();
        let is_stale = name
            .to_str()
            .is_some_and(|name| name.starts_with(&any) && !name.starts_with(&own));
        if is_stale {
            std::fs::remove_dir_all(entry.path()).map_err(at_dir)?;
        }
    }
    Ok(())
}

impl Drop for Shadow {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(projection.name = self.1, "a shadow build could not be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
