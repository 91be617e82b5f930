//! One reading of the log for several projections: an event is opened once, and kept until all of them have passed it.
//!
//! Followers go through the log at about the same place. Whoever comes first reads and opens; the others take what it
//! read. Nothing is kept for longer: opened events hold personal data, which must not outlive its key in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sealpost_domain::{Recorded, limits};

use crate::projection::{EventSource, SourceFailure};

/// Events that are kept at most. A follower that lags by more reads for itself.
const KEPT_EVENTS_MAX: usize = limits::SHARED_EVENTS_MAX as usize;

/// A source that several followers share.
pub struct SharedSource {
    inner: Arc<dyn EventSource>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Opened events without a gap.
    events: VecDeque<Recorded>,
    /// Position that each follower has passed; `None` for one that is gone.
    passed: Vec<Option<u64>>,
}

impl SharedSource {
    /// Shares a source.
    #[must_use]
    pub fn new(inner: Arc<dyn EventSource>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            kept: Mutex::default(),
        })
    }

    /// The source for one more follower. Give each its own: events are kept until every follower has passed them.
    #[must_use]
    pub fn follower(self: &Arc<Self>) -> Arc<dyn EventSource> {
        let mut kept = self.kept.lock();
        kept.passed.push(Some(0));
        Arc::new(Follower {
            number: kept.passed.len() - 1,
            shared: Arc::clone(self),
        })
    }
}

struct Follower {
    number: usize,
    shared: Arc<SharedSource>,
}

impl EventSource for Follower {
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, SourceFailure> {
        let mut kept = self.shared.kept.lock();
        kept.pass(self.number, Some(after));
        if let Some(found) = kept.after(after, limit) {
            return Ok(found);
        }
        if kept.events.back().is_some_and(|last| last.position != after) {
            // Far behind the others: reading for itself, it does not disturb what they share.
            drop(kept);
            return self.shared.inner.events(after, limit);
        }
        // Under the lock, so that the others wait for these events instead of opening them too.
        let events = self.shared.inner.events(after, limit)?;
        kept.keep(&events);
        Ok(events)
    }

    fn head(&self) -> u64 {
        self.shared.inner.head()
    }

    fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        self.shared.kept.lock().pass(self.number, Some(position));
        self.shared.inner.wait_past(position, at_most)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.kept.lock().pass(self.number, None);
    }
}

impl Kept {
    /// Notes how far a follower is, and lets go of what all have passed.
    fn pass(&mut self, number: usize, position: Option<u64>) {
        if let Some(passed) = self.passed.get_mut(number) {
            *passed = position;
        }
        match self.passed.iter().flatten().min() {
            Some(slowest) => {
                while self.events.front().is_some_and(|event| event.position <= *slowest) {
                    self.events.pop_front();
                }
            }
            None => self.events.clear(),
        }
    }

    /// What is kept behind a position; `None` when the next event is not.
    fn after(&self, after: u64, limit: usize) -> Option<Vec<Recorded>> {
        let first = self.events.front()?.position;
        let skipped = usize::try_from(after.checked_add(1)?.checked_sub(first)?).ok()?;
        let found: Vec<Recorded> = self.events.iter().skip(skipped).take(limit).cloned().collect();
        (!found.is_empty()).then_some(found)
    }

    fn keep(&mut self, events: &[Recorded]) {
        if self.passed.iter().flatten().count() > 1 {
            self.events.extend(events.iter().cloned());
        }
        let surplus = self.events.len().saturating_sub(KEPT_EVENTS_MAX);
        self.events.drain(..surplus);
    }
}

#[cfg(test)]
mod tests;
