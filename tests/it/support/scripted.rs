//! Attempts that end in a way of their own for marked recipients.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sealpost::actors::{Attempt, Grant, Job, OpenFailed, Report, Reuse, RoutePlan, Session, StartRefused};
use sealpost::serve::WrapAttempt;
use sealpost_domain::Personal;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{
    AttemptOutcome, BounceKind, Judged, OutcomeClass, Reached, Reply, Started, Timings, TlsFacts,
};
use sealpost_domain::tls_rule::{ClearReason, TlsFailed, TlsWant};
use tokio::sync::watch;

use super::inbox::reach;

/// What a test sets and sees. A local part that begins with `lost-start` gets the right to send at its first attempt, and
/// nobody hears of that. One that begins with `hard` bounces for good before the right to send, once the door is open.
/// One that begins with `late-refusal` asks for the right once the door is open, and where it is refused nobody hears of
/// that before somebody listens.
pub struct Script {
    attempts: watch::Sender<usize>,
    door: watch::Sender<bool>,
    refused: watch::Sender<usize>,
    listens: watch::Sender<bool>,
    lost: Mutex<BTreeSet<MessageId>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            attempts: watch::Sender::new(0),
            door: watch::Sender::new(true),
            refused: watch::Sender::new(0),
            listens: watch::Sender::new(false),
            lost: Mutex::default(),
        }
    }
}

impl Script {
    /// Puts itself before an engine's deliverer.
    pub fn wrap(self: &Arc<Self>) -> WrapAttempt {
        let script = Arc::clone(self);
        Arc::new(move |attempt| Arc::new(ScriptedAttempts(attempt, Arc::clone(&script))))
    }

    /// What bounces or is refused late waits.
    pub fn shut(&self) {
        self.door.send_replace(false);
    }

    /// What bounces or is refused late goes on.
    pub fn open(&self) {
        self.door.send_replace(true);
    }

    /// How many attempts there were.
    pub fn attempts(&self) -> usize {
        *self.attempts.borrow()
    }

    /// Waits until there were so many attempts; panics after 60 s.
    pub async fn wait_for(&self, count: usize) {
        reach(&self.attempts, count, "attempts").await;
    }

    /// Waits until so many were refused of which nobody has heard; panics after 60 s.
    pub async fn wait_for_refused(&self, count: usize) {
        reach(&self.refused, count, "late refusals").await;
    }

    /// Hears of the late refusals.
    pub fn listen(&self) {
        self.listens.send_replace(true);
    }
}

async fn pass(door: &watch::Sender<bool>) {
    assert!(door.subscribe().wait_for(|open| *open).await.is_ok());
}

struct ScriptedAttempts(Arc<dyn Attempt>, Arc<Script>);

struct ScriptedSession(Box<dyn Session>, Arc<Script>);

#[async_trait]
impl Attempt for ScriptedAttempts {
    async fn open(&self, plan: &RoutePlan, want: TlsWant) -> Result<Box<dyn Session>, OpenFailed> {
        let session = self.0.open(plan, want).await?;
        Ok(Box::new(ScriptedSession(session, self.1.clone())))
    }
}

#[async_trait]
impl Session for ScriptedSession {
    async fn deliver(&mut self, job: &Job, grant: &mut Grant) -> (Report, Reuse) {
        let Self(session, script) = self;
        script.attempts.send_modify(|count| *count += 1);
        let recipient = job.recipient.as_str();
        if recipient.starts_with("lost-start") && script.lost.lock().unwrap().insert(job.message) {
            grant.start(started(job, grant, session.peer())).await.unwrap();
            return (Report::NotGranted(StartRefused::Unavailable), Reuse::Keep);
        }
        if recipient.starts_with("hard") {
            pass(&script.door).await;
            return (bounced(), Reuse::Keep);
        }
        if recipient.starts_with("late-refusal") {
            pass(&script.door).await;
            let ended = session.deliver(job, grant).await;
            if matches!(ended.0, Report::NotGranted(_)) {
                script.refused.send_modify(|count| *count += 1);
                pass(&script.listens).await;
            }
            return ended;
        }
        session.deliver(job, grant).await
    }

    async fn is_usable(&mut self) -> bool {
        self.0.is_usable().await
    }

    fn host(&self) -> &str {
        self.0.host()
    }

    fn peer(&self) -> String {
        self.0.peer()
    }

    fn tls(&self) -> Option<TlsFacts> {
        self.0.tls()
    }

    fn clear(&self) -> Option<ClearReason> {
        self.0.clear()
    }

    fn passed_over(&self) -> &[TlsFailed] {
        self.0.passed_over()
    }

    async fn close(self: Box<Self>) {
        self.0.close().await;
    }
}

fn started(job: &Job, grant: &Grant, peer: String) -> Started {
    Started {
        attempt: 0,
        attempt_id: job.attempt_id,
        host: "127.0.0.1".to_owned(),
        peer,
        content_sha256: "0".repeat(64),
        content_bytes: 1,
        prepended: Personal::Known(String::new()),
        tls: None,
        clear: None,
        started_at: grant.now(),
    }
}

fn bounced() -> Report {
    Report::Ended {
        outcome: AttemptOutcome::Bounced {
            kind: BounceKind::Hard,
            judged: Judged::plainly(OutcomeClass::RecipientUnknown),
            reply: Reply {
                code: 550,
                enhanced: None,
                text: Personal::Known("no such user".to_owned()),
            },
        },
        reached: Reached::BeforeData,
        timings: Timings::default(),
    }
}
