//! Reserves room for outcomes: a delivery starts only when what it will tell has a place.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for one outcome, taken before `DeliveryStarted` and held until the outcome is durable. Free again when its last
/// clone is dropped.
#[derive(Debug, Clone)]
pub struct OutcomeSlot {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// All slots of a log.
#[derive(Debug, Clone)]
pub(super) struct Slots(Arc<Semaphore>);

impl Slots {
    /// So many slots, all free.
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// A slot, when one is free now.
    pub(super) fn try_reserve(&self) -> Option<OutcomeSlot> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(OutcomeSlot {
            _permit: Arc::new(permit),
        })
    }

    /// A slot, when one gets free; in the order of asking. `None` when the log closes.
    pub(super) async fn reserve(&self) -> Option<OutcomeSlot> {
        let permit = Arc::clone(&self.0).acquire_owned().await.ok()?;
        Some(OutcomeSlot {
            _permit: Arc::new(permit),
        })
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }

    /// Nobody gets a slot any more.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_last_clone_is_gone() {
        let slots = Slots::new(1);
        let slot = slots.try_reserve().unwrap();
        let clone = slot.clone();
        assert!(slots.try_reserve().is_none());
        drop(slot);
        assert!(slots.try_reserve().is_none());
        drop(clone);
        assert!(slots.try_reserve().is_some());
    }

    #[test]
    fn a_closed_log_gives_no_slot() {
        let slots = Slots::new(1);
        slots.close();
        assert!(slots.try_reserve().is_none());
    }
}
