//! Attempts that are open, kept apart from the actor that let them begin: they outlive it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sealpost_domain::ids::{AttemptId, KeyId};

use super::work::Begun;

/// Attempts between the hand-over of their start to the log and their durable end, with the key that sent the message. Clones
/// share them.
#[derive(Debug, Clone, Default)]
pub struct OpenAttempts(Arc<Mutex<HashMap<AttemptId, (KeyId, Begun)>>>);

impl OpenAttempts {
    /// An attempt is about to begin.
    pub fn begin(&self, key: KeyId, begun: Begun) {
        self.0.lock().insert(begun.attempt, (key, begun));
    }

    /// An attempt did not begin, or its end is on record.
    pub fn close(&self, attempt: AttemptId) {
        self.0.lock().remove(&attempt);
    }

    /// What is open of a key, in the order of messages.
    #[must_use]
    pub fn of_key(&self, key: KeyId) -> Vec<Begun> {
        let mut begun: Vec<Begun> = self
            .0
            .lock()
            .values()
            .filter(|(opened_by, _)| *opened_by == key)
            .map(|(_, begun)| *begun)
            .collect();
        begun.sort_unstable();
        begun
    }
}
