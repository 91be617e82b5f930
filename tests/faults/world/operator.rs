//! An operator who holds messages whose turn has nearly come and lets them go again, while mail flows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sealpost_domain::ids::MessageId;
use tokio::task::JoinHandle;

use super::chance::Chance;
use super::ledger::Ledger;
use super::mailroom::Inbox;

/// How many messages are held at a time, as far as they still wait: more than can be under way, since what is under way
/// cannot be held, and those behind it are next.
const AT_ONCE: usize = 30;
/// How long a message is held at most: its turn comes meanwhile.
const HELD_MS_MAX: u64 = 500;

/// The control socket of a data folder.
#[derive(Debug, Clone)]
pub struct Control(PathBuf);

impl Control {
    /// The socket of this data folder.
    pub fn of(data: &Path) -> Self {
        Self(data.join("control.sock"))
    }

    /// Does something to a message; whether it was done.
    pub async fn act(&self, message: MessageId, verb: &str) -> bool {
        let client = reqwest::Client::builder()
            .unix_socket(self.0.as_path())
            .timeout(Duration::from_secs(10))
            .build();
        let call = client
            .unwrap()
            .post(format!("http://localhost/queue/{}/{verb}", message.to_hex()));
        call.send().await.is_ok_and(|response| response.status().is_success())
    }
}

/// An operator at work. Dropped, the work ends at once, and a message may stay held.
pub struct Operator(JoinHandle<()>);

impl Operator {
    /// Works as long as messages are acknowledged, on those that `inbox` waits for longest.
    pub fn new(control: Control, ledger: &Arc<Ledger>, inbox: &Arc<Inbox>, chance: &mut Chance) -> Self {
        Self(tokio::spawn(work(
            control,
            ledger.clone(),
            inbox.clone(),
            chance.fork(),
        )))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn work(control: Control, ledger: Arc<Ledger>, inbox: Arc<Inbox>, mut chance: Chance) {
    loop {
        ledger.wait_past(ledger.count()).await;
        let holds = inbox
            .awaited(&ledger.acknowledged(), AT_ONCE)
            .into_iter()
            .map(|message| {
                let control = control.clone();
                async move { control.act(message, "hold").await.then_some(message) }
            });
        let held = join_all(holds).await;
        tokio::time::sleep(Duration::from_millis(chance.within(0..HELD_MS_MAX))).await;
        join_all(
            held.into_iter()
                .flatten()
                .map(|message| control.act(message, "release")),
        )
        .await;
    }
}
