//! What every handler may use: the rooms behind the doors, and the room that requests may take.

use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::ids::AccountId;
use sealpost_domain::limits;
use sealpost_projections::Progress;
use sealpost_projections::activity::ActivityQueries;
use sealpost_projections::message_timeline::TimelineQueries;
use sealpost_projections::spool::SpoolQueries;
use zeroize::Zeroizing;

use super::body::Body;
use super::fault::Fault;
use super::members::Members;
use super::ports::MetricsText;
use crate::access::{Gate, KeyDesk};
use crate::actors::Accounts;
use crate::clock::Clock;
use crate::compose::Keeper;
use crate::intake::{MailDesk, Turns, WorkPool};
use crate::log::read::LogReader;

/// Bodies above this size are parsed off the threads that answer requests, in bytes.
const PARSE_HERE_BYTES_MAX: usize = 64 * 1024;
/// Reads of read models that run at once.
const READS_AT_ONCE: usize = limits::READS_AT_ONCE as usize;
/// How many of them are one account's.
const READS_PER_ACCOUNT: usize = limits::READS_PER_ACCOUNT as usize;
/// Reads of the log that run at once. They have places of their own: accepting mail needs them, and nobody's search shall
/// stand before it.
const LOG_READS_AT_ONCE: usize = limits::LOG_READS_AT_ONCE as usize;
/// Answers that wait for a read model at once.
const WAITS_AT_ONCE: usize = 64;
/// How long an answer waits for a read model to come to what the caller has just done.
const FRESH_WITHIN: Duration = Duration::from_secs(2);

/// The read models and how far they are.
#[derive(Clone, Debug)]
pub struct ReadModels {
    /// What became of each message.
    pub activity: ActivityQueries,
    /// How far it is.
    pub activity_progress: Progress,
    /// What happened to one message.
    pub timeline: TimelineQueries,
    /// How far it is.
    pub timeline_progress: Progress,
    /// What waits to be sent.
    pub spool: SpoolQueries,
    /// How far it is.
    pub spool_progress: Progress,
}

/// What the doors are given.
pub struct FrontParts {
    /// Lets calls in.
    pub gate: Gate,
    /// The door to the accounts.
    pub accounts: Accounts,
    /// Where mail is taken in.
    pub desk: MailDesk,
    /// The log's readers.
    pub log: LogReader,
    /// What people look at.
    pub models: ReadModels,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The text of `/metrics`.
    pub metrics: MetricsText,
    /// Opens `/metrics` from elsewhere than loopback.
    pub metrics_token: Option<Zeroizing<String>>,
    /// Name of this node.
    pub node: String,
}

/// What every handler may use. One for all threads.
pub struct Front {
    pub(super) gate: Gate,
    pub(super) accounts: Accounts,
    pub(super) keys: KeyDesk,
    pub(super) desk: MailDesk,
    pub(super) log: LogReader,
    pub(super) models: ReadModels,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: MetricsText,
    pub(super) metrics_token: Option<Zeroizing<String>>,
    pub(super) node: String,
    reads: WorkPool,
    turns: Turns<AccountId>,
    log_reads: WorkPool,
    waits: WorkPool,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Front {
    /// Reads messages back.
    pub(super) const fn keeper(&self) -> &Keeper {
        self.desk.keeper()
    }

    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: FrontParts) -> Self {
        Self {
            gate: parts.gate,
            keys: KeyDesk::new(parts.accounts.clone()),
            accounts: parts.accounts,
            desk: parts.desk,
            log: parts.log,
            models: parts.models,
            clock: parts.clock,
            metrics: parts.metrics,
            metrics_token: parts.metrics_token,
            node: parts.node,
            reads: WorkPool::new(READS_AT_ONCE),
            turns: Turns::new(READS_PER_ACCOUNT),
            log_reads: WorkPool::new(LOG_READS_AT_ONCE),
            waits: WorkPool::new(WAITS_AT_ONCE),
        }
    }

    /// Reads a read model for an account. Whoever reads much gives his place back in between.
    pub(super) async fn read_for<T: Send + 'static>(
        &self,
        account: AccountId,
        read: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = self.turns.take(account).await?;
        let read = move || {
            let done = read();
            // Held until the read is done, also when nobody waits for it any more.
            drop(turn);
            done
        };
        self.reads.run(read).await
    }

    /// Reads a few rows of the log.
    pub(super) async fn read_log<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.log_reads.run(read).await
    }

    /// Reads a read model for the operator.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.reads.run(read).await
    }

    /// Parses a body: a large one off the threads that answer requests.
    pub(super) async fn parse(&self, body: Body) -> Result<Members, Fault> {
        let size_bytes = body.bytes.len();
        if size_bytes <= PARSE_HERE_BYTES_MAX {
            return Members::of_body(body);
        }
        let peer = body.room.peer();
        let parse = move || Members::of_body(body);
        self.desk.work_for_peer(peer, size_bytes, parse).await
    }

    /// Waits until a read model knows what is in the log now, so that people see what they have just done. Gives up
    /// after two seconds, also where many wait already: an old answer is better than none.
    pub(super) async fn fresh(&self, progress: &Progress) {
        let head = self.log.head();
        if progress.checkpoint() >= head {
            return;
        }
        let (progress, name) = (progress.clone(), progress.name());
        let wait = self
            .waits
            .run(move || Ok::<_, Fault>(progress.wait_for(head, FRESH_WITHIN)));
        if !matches!(tokio::time::timeout(FRESH_WITHIN, wait).await, Ok(Ok(true))) {
            tracing::debug!(projection.name = name, position = head, "a read model is behind");
        }
    }
}
