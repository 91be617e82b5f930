//! Marks requests by the state that they were decided on, so that none lands after one of its kind has failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// One hot state of one actor. Draw it *before* reading that state from the log, and draw a new one when an append of it
/// failed. Requests of one generation are recorded in the order in which they were handed over, whatever their lanes.
#[derive(Debug, Clone)]
pub struct Generation(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    era: u64,
    running: Arc<AtomicU64>,
    poisoned: AtomicBool,
    waiting: Waiting,
}

/// How many requests of a generation wait in the two slower queues. Changed under the lock of the lanes alone.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// In the queue of deliveries.
    pub(super) deliveries: AtomicU32,
    /// In the queue of new mail.
    pub(super) new_mail: AtomicU32,
}

impl Generation {
    /// Whether a request of it has failed, or the log has stopped since it was drawn: all later ones are refused.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.0.poisoned.load(Ordering::Acquire) || self.0.running.load(Ordering::Acquire) != self.0.era
    }

    /// Whether both are the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Refuses all later requests of it.
    pub(super) fn poison(&self) {
        self.0.poisoned.store(true, Ordering::Release);
    }

    /// Its requests that wait.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }
}

/// Draws generations, and ends all of them at once when the log stops.
#[derive(Debug, Clone, Default)]
pub(super) struct Generations {
    era: Arc<AtomicU64>,
}

impl Generations {
    /// A fresh generation.
    pub(super) fn draw(&self) -> Generation {
        Generation(Arc::new(Shared {
            era: self.era.load(Ordering::Acquire),
            running: Arc::clone(&self.era),
            poisoned: AtomicBool::new(false),
            waiting: Waiting::default(),
        }))
    }

    /// Makes every generation drawn so far stale: after a failed write nobody's hot state is trusted.
    pub(super) fn end_all(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poison_stays_with_its_generation() {
        let generations = Generations::default();
        let (bad, good) = (generations.draw(), generations.draw());
        bad.clone().poison();
        assert!(bad.is_stale() && !good.is_stale());
    }

    #[test]
    fn a_stop_ends_all_that_were_drawn_and_none_that_come() {
        let generations = Generations::default();
        let before = generations.draw();
        generations.end_all();
        assert!(before.is_stale() && !generations.draw().is_stale());
    }
}
