//! What callers were told, kept outside of the program.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::client::Answer;
use crate::judge::Acknowledged;

/// The callers' memory.
pub struct Ledger {
    acknowledged: Mutex<Vec<Acknowledged>>,
    count: watch::Sender<usize>,
    refusals: Mutex<BTreeMap<u16, usize>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            acknowledged: Mutex::default(),
            count: watch::Sender::new(0),
            refusals: Mutex::default(),
        }
    }
}

impl Ledger {
    /// Notes an answer.
    pub fn note(&self, answer: Answer) {
        match answer {
            Answer::Accepted(messages) => {
                let mut acknowledged = self.acknowledged.lock().unwrap();
                acknowledged.extend(messages);
                self.count.send_replace(acknowledged.len());
            }
            Answer::Refused(status) => *self.refusals.lock().unwrap().entry(status).or_default() += 1,
            Answer::Lost => {}
        }
    }

    /// Waits until so many messages were acknowledged in all; `false` when that takes longer than `at_most`.
    pub async fn wait_for(&self, count: usize, at_most: Duration) -> bool {
        let mut changes = self.count.subscribe();
        timeout(at_most, changes.wait_for(|have| *have >= count)).await.is_ok()
    }

    /// Waits until more than so many messages were acknowledged in all.
    pub async fn wait_past(&self, count: usize) {
        self.count.subscribe().wait_for(|have| *have > count).await.unwrap();
    }

    /// How many were acknowledged.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// All that was acknowledged.
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.lock().unwrap().clone()
    }

    /// How often each other status was answered.
    pub fn refusals(&self) -> BTreeMap<u16, usize> {
        self.refusals.lock().unwrap().clone()
    }
}
