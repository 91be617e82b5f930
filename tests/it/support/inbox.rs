//! Keeps what a receiver took, and can keep it waiting for its `250`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use sealpost::smtp::server::{Deposit, Received};
use tokio::sync::watch;

/// Everything that came, in order.
pub struct Inbox {
    mail: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    at_door: watch::Sender<usize>,
    door: watch::Sender<bool>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            mail: Mutex::default(),
            count: watch::Sender::new(0),
            at_door: watch::Sender::new(0),
            door: watch::Sender::new(true),
        }
    }
}

#[async_trait]
impl Deposit for Inbox {
    async fn deposit(&self, received: Received) -> io::Result<()> {
        self.at_door.send_modify(|count| *count += 1);
        let opened = self.door.subscribe().wait_for(|open| *open).await.is_ok();
        assert!(opened, "the inbox is its own sender");
        let mut mail = self.mail.lock().unwrap();
        mail.push(received);
        self.count.send_replace(mail.len());
        Ok(())
    }
}

impl Inbox {
    /// Waits for `count` messages; panics after 60 s.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        reach(&self.count, count, "messages").await;
        self.mail()
    }

    /// Everything that came so far.
    pub fn mail(&self) -> Vec<Received> {
        self.mail.lock().unwrap().clone()
    }

    /// How many came.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Lets no message in: each waits, after its final dot, for its `250`.
    pub fn shut(&self) {
        self.door.send_replace(false);
    }

    /// Lets in what waits and what comes.
    pub fn open(&self) {
        self.door.send_replace(true);
    }

    /// Waits until so many have come to the door, let in or not; panics after 60 s.
    pub async fn wait_at_door(&self, count: usize) {
        reach(&self.at_door, count, "messages").await;
    }

    /// How often each address got something.
    pub fn by_recipient(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for path in self.mail().iter().flat_map(|received| &received.forward_paths) {
            *counts.entry(path.as_str().to_owned()).or_default() += 1;
        }
        counts
    }
}

/// Waits until a count has come to `wanted`; panics after 60 s.
pub(super) async fn reach(count: &watch::Sender<usize>, wanted: usize, what: &str) {
    let mut changes = count.subscribe();
    // What the wait returns holds the count for reading: whoever read it a second time, while somebody waits to change
    // it, would wait for ever.
    let came = tokio::time::timeout(Duration::from_secs(60), changes.wait_for(|have| *have >= wanted))
        .await
        .is_ok();
    let have = *count.borrow();
    assert!(came, "{have} of {wanted} {what} came");
}
