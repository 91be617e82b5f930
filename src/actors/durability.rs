//! What an actor has appended and what of it is settled: lets an answer wait until all before it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

/// Counts an actor's appends.
#[derive(Debug, Default)]
pub struct Durability(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    appends: Mutex<Appends>,
    /// All appends up to this number are settled.
    settled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Appends {
    last: u64,
    pending: BTreeSet<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            appends: Mutex::default(),
            settled: watch::Sender::new(0),
        }
    }
}

/// One append of an actor; counts as settled when it is dropped, whatever became of it.
#[derive(Debug)]
pub struct PendingAppend {
    number: u64,
    counts: Arc<Counts>,
}

impl Drop for PendingAppend {
    fn drop(&mut self) {
        let mut appends = self.counts.appends.lock();
        appends.pending.remove(&self.number);
        // A faster lane may answer a later append first: only the oldest that is pending says how far all is settled.
        let settled = appends
            .pending
            .first()
            .map_or(appends.last, |oldest| oldest.saturating_sub(1));
        self.counts.settled.send_if_modified(|known| {
            let rises = settled > *known;
            *known = settled.max(*known);
            rises
        });
    }
}

/// Waits until everything appended before it is settled.
#[derive(Debug)]
pub struct Barrier {
    number: u64,
    settled: watch::Receiver<u64>,
}

impl Barrier {
    /// Returns when all earlier appends are settled.
    pub async fn passed(mut self) {
        // An error means that nobody counts any more, and with it nothing is left to be waited for.
        if self.settled.wait_for(|settled| *settled >= self.number).await.is_err() {
            tracing::debug!("an actor ended before its appends were settled");
        }
    }
}

impl Durability {
    /// Counts an append that was just handed to the log.
    #[must_use]
    pub fn begin(&self) -> PendingAppend {
        let mut appends = self.0.appends.lock();
        appends.last = appends.last.saturating_add(1);
        let number = appends.last;
        appends.pending.insert(number);
        PendingAppend {
            number,
            counts: self.0.clone(),
        }
    }

    /// Stands for everything appended so far.
    #[must_use]
    pub fn barrier(&self) -> Barrier {
        Barrier {
            number: self.0.appends.lock().last,
            settled: self.0.settled.subscribe(),
        }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.0.appends.lock().pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_barrier_waits_for_what_was_appended_before_it_and_for_nothing_else() {
        let durability = Durability::default();
        let first = durability.begin();
        let barrier = durability.barrier();
        let second = durability.begin();
        let waiting = tokio::spawn(barrier.passed());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        assert!(!durability.is_settled());
        drop(second);
        assert!(durability.is_settled());
    }

    #[tokio::test]
    async fn a_later_append_that_is_settled_first_lets_nobody_pass() {
        let durability = Durability::default();
        let (first, second) = (durability.begin(), durability.begin());
        let waiting = tokio::spawn(durability.barrier().passed());
        drop(second);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
    }
}
