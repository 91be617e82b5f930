//! What an attempt is to the actors: the traits that `delivery` implements, and the types that cross between them.

use std::sync::Arc;

use async_trait::async_trait;
use sealpost_domain::address::{DomainName, Mailbox};
use sealpost_domain::ids::{AccountId, AttemptId, MessageId};
use sealpost_domain::message::{AttemptOutcome, Order, Reached, Timings, TlsFacts, TlsLevel};
use sealpost_domain::tls_rule::{ClearReason, TlsFailed, TlsRecord, TlsWant, deferral_status};

use super::grant::{Grant, StartRefused};
use super::route::{NoRoute, RoutePlan};

/// What a route demands of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsDemand {
    /// TLS where it is offered, with any certificate.
    Opportunistic,
    /// TLS or nothing, with any certificate.
    Encrypted,
    /// TLS with a certificate that is valid for the host's name, or nothing.
    Authenticated,
}

impl TlsDemand {
    /// The least level that meets it.
    #[must_use]
    pub const fn level(self) -> TlsLevel {
        match self {
            Self::Opportunistic => TlsLevel::Plain,
            Self::Encrypted => TlsLevel::Encrypted,
            Self::Authenticated => TlsLevel::Authenticated,
        }
    }
}

/// Finds out where a domain's mail goes.
#[async_trait]
pub trait Routes: Send + Sync + 'static {
    /// The plan for it, as of now.
    ///
    /// # Errors
    /// Why it has nowhere to go, or why that is not known.
    async fn plan(&self, domain: &DomainName) -> Result<Arc<RoutePlan>, NoRoute>;
}

/// One message to hand over now.
#[derive(Debug, Clone)]
pub struct Job {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: AccountId,
    /// The envelope's forward-path.
    pub recipient: Mailbox,
    /// The envelope's reverse-path.
    pub reverse_path: Mailbox,
    /// What was accepted.
    pub order: Order,
    /// What it wants of the session.
    pub want: TlsWant,
}

/// What came of a job.
#[derive(Debug)]
pub enum Report {
    /// It ended with an outcome that is to be recorded.
    Ended {
        /// What came of it.
        outcome: AttemptOutcome,
        /// How far it came.
        reached: Reached,
        /// Where the time went.
        timings: Timings,
    },
    /// The right to send was not given; nothing was sent, and nothing is recorded.
    NotGranted(StartRefused),
}

/// Whether a session may carry another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// It may.
    Keep,
    /// It is to be closed.
    Close,
}

/// Opens sessions. Implemented by `delivery`, and by tests that need an attempt to fail in a way of their own.
#[async_trait]
pub trait Attempt: Send + Sync + 'static {
    /// Connects, greets and secures, with the first host of the plan that gives what the message wants.
    ///
    /// # Errors
    /// What the message that wanted the session is deferred with.
    async fn open(&self, plan: &RoutePlan, want: TlsWant) -> Result<Box<dyn Session>, OpenFailed>;
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFailed {
    /// The outcome for the message that wanted it.
    pub outcome: AttemptOutcome,
    /// Name of the host that said it, where one was chosen.
    pub host: Option<String>,
    /// Address and port that were dialled, where it came to that.
    pub peer: Option<String>,
    /// The TLS session, where it came to that.
    pub tls: Option<TlsFacts>,
    /// What of TLS was wanted, and what failed; `None` where nobody was looked for.
    pub tls_record: Option<TlsRecord>,
    /// How long it took, in milliseconds.
    pub connect_ms: u32,
}

impl OpenFailed {
    /// The outcome alone: nobody was dialled.
    #[must_use]
    pub const fn undialled(outcome: AttemptOutcome) -> Self {
        Self {
            outcome,
            host: None,
            peer: None,
            tls: None,
            tls_record: None,
            connect_ms: 0,
        }
    }

    /// Whether it failed for want of TLS alone: somebody did answer.
    #[must_use]
    pub const fn is_for_tls(&self) -> bool {
        match &self.outcome {
            AttemptOutcome::Deferred { reason, .. } => deferral_status(*reason).is_some(),
            _ => false,
        }
    }
}

/// The level that a session has reached.
#[must_use]
pub fn level_of(session: &dyn Session) -> TlsLevel {
    session.tls().map_or(TlsLevel::Plain, |facts| facts.level)
}

/// A session with a remote server, greeted and secured as its route demands.
#[async_trait]
pub trait Session: Send {
    /// Hands over one message. Asks `grant` for the right to send before `DATA`, and sends nothing without it.
    async fn deliver(&mut self, job: &Job, grant: &mut Grant) -> (Report, Reuse);

    /// Whether another message may be tried: the server has neither closed nor spoken since the last one.
    async fn is_usable(&mut self) -> bool;

    /// Name of the host, as the plan has it.
    fn host(&self) -> &str;

    /// Address and port of the other side.
    fn peer(&self) -> String;

    /// The TLS session; `None` on a plain one.
    fn tls(&self) -> Option<TlsFacts>;

    /// Why it is in clear text; `None` where it is not.
    fn clear(&self) -> Option<ClearReason> {
        None
    }

    /// What failed on the way to it, until the first message has gone; nothing after that.
    fn passed_over(&self) -> &[TlsFailed] {
        &[]
    }

    /// Says goodbye; best effort, bounded.
    async fn close(self: Box<Self>);
}
