//! Callers that send without pause, and wait while nobody answers.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::chance::Chance;
use super::client::{Answer, Client, Door};
use super::ledger::Ledger;

/// Callers at work. Dropped, they stop.
pub struct Load {
    door: watch::Sender<Option<Client>>,
    callers: JoinSet<()>,
}

impl Load {
    /// A caller for each of these doors, who begin when the program is there.
    pub fn new(doors: &[Door], ledger: &Arc<Ledger>, chance: &mut Chance) -> Self {
        let door = watch::Sender::new(None);
        let mut set = JoinSet::new();
        for (caller, to) in doors.iter().enumerate() {
            set.spawn(call((caller, *to), door.subscribe(), ledger.clone(), chance.fork()));
        }
        Self { door, callers: set }
    }

    /// They call here from now on.
    pub fn open(&self, client: Client) {
        self.door.send_replace(Some(client));
    }

    /// They call no more. Calls under way are not broken off.
    pub fn close(&self) {
        self.door.send_replace(None);
    }

    /// Ends them, when the calls under way have ended.
    pub async fn stop(mut self) {
        drop(self.door);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
    }
}

async fn call(
    (caller, to): (usize, Door),
    mut door: watch::Receiver<Option<Client>>,
    ledger: Arc<Ledger>,
    mut chance: Chance,
) {
    let mut number = 0_u64;
    loop {
        let open = door.wait_for(Option::is_some).await.map(|open| open.clone());
        let Ok(Some(client)) = open else { return };
        let client = client.sending_as(caller).coming_to(to);
        let recipients: Vec<String> = (0..chance.within(1..4))
            .map(|_| {
                number += 1;
                format!("r{caller}-{number}@sink.test")
            })
            .collect();
        let bytes = usize::try_from(chance.within(100..12_000)).unwrap();
        let answer = client.send(&recipients, bytes).await;
        let lost = answer == Answer::Lost;
        ledger.note(answer);
        // Nobody is there until the door changes.
        if lost && door.changed().await.is_err() {
            return;
        }
    }
}
