//! What an actor has appended and what of it is on disk: lets an answer wait until all before it is durable.

use tokio::sync::watch;

/// Counts an actor's appends.
#[derive(Debug)]
pub struct Durability {
    appended: u64,
    durable: watch::Sender<u64>,
}

impl Default for Durability {
    fn default() -> Self {
        Self {
            appended: 0,
            durable: watch::Sender::new(0),
        }
    }
}

/// One append of an actor; counts as settled when it is dropped, whatever became of it.
#[derive(Debug)]
pub struct PendingAppend {
    number: u64,
    durable: watch::Sender<u64>,
}

impl Drop for PendingAppend {
    fn drop(&mut self) {
        self.durable.send_if_modified(|durable| {
            let rises = self.number > *durable;
            *durable = self.number.max(*durable);
            rises
        });
    }
}

/// Waits until everything appended before it is settled.
#[derive(Debug)]
pub struct Barrier {
    number: u64,
    durable: watch::Receiver<u64>,
}

impl Barrier {
    /// Returns when all earlier appends are settled. The log answers in order, so the last one speaks for all.
    pub async fn passed(mut self) {
        // An error means that the actor is gone, and with it everything that was to be waited for.
        if self.durable.wait_for(|durable| *durable >= self.number).await.is_err() {
            tracing::debug!("an actor ended before its appends were settled");
        }
    }
}

impl Durability {
    /// Counts an append that was just handed to the log.
    pub fn begin(&mut self) -> PendingAppend {
        self.appended = self.appended.saturating_add(1);
        PendingAppend {
            number: self.appended,
            durable: self.durable.clone(),
        }
    }

    /// Stands for everything appended so far.
    #[must_use]
    pub fn barrier(&self) -> Barrier {
        Barrier {
            number: self.appended,
            durable: self.durable.subscribe(),
        }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        *self.durable.borrow() >= self.appended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_barrier_waits_for_what_was_appended_before_it_and_for_nothing_else() {
        let mut durability = Durability::default();
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
}
