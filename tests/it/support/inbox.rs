//! Keeps what a receiver took.

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
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            mail: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }
}

#[async_trait]
impl Deposit for Inbox {
    async fn deposit(&self, received: Received) -> io::Result<()> {
        let mut mail = self.mail.lock().unwrap();
        mail.push(received);
        self.count.send_replace(mail.len());
        Ok(())
    }
}

impl Inbox {
    /// Waits for `count` messages; panics after 20 s.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut changes = self.count.subscribe();
        let came = tokio::time::timeout(Duration::from_secs(20), changes.wait_for(|have| *have >= count)).await;
        assert!(came.is_ok(), "{} of {count} messages came", self.count());
        self.mail.lock().unwrap().clone()
    }

    /// How many came.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }
}
