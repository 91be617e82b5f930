//! The door to all accounts: whoever wants something of an account asks here, and waits for its actor's answer.

use std::sync::Arc;

use actix::Addr;
use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::tls_rule::AccountTls;
use tokio::sync::oneshot;

use super::credits::Credits;
use super::grant::StartRefused;
use super::registry::{ListParked, Registry, Route, Unpark};
use super::reports::{ReportCall, ReportRefused, Reported};
use super::tls_choices::TlsChoices;
use super::work::{
    Admission, Admitted, Asker, Claim, Granted, Manage, Managed, OutcomeCall, OutcomeRefused, OutcomeStored,
    RecipientKind, Reply, SendAnswer, SendCall, StartCall, Work,
};
use crate::clock::Clock;
use crate::log::{Log, LogReader};

/// The door to all accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    registry: Addr<Registry>,
    credits: Credits,
    log: Log,
    clock: Arc<dyn Clock>,
    tls: TlsChoices,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

impl Accounts {
    /// A door to the accounts of this registry.
    #[must_use]
    pub fn new(registry: Addr<Registry>, log: Log, clock: Arc<dyn Clock>, tls: TlsChoices) -> Self {
        Self {
            registry,
            credits: Credits::default(),
            log,
            clock,
            tls,
        }
    }

    /// Now, by the clock of the program.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The log, for those who read or reserve.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Whether the key may do what it is about to do. Comes before anything is stored for the call; a refusal is on
    /// record before it is answered.
    ///
    /// # Errors
    /// As [`Admission`] says.
    pub async fn check(&self, claim: Claim) -> Result<Admitted, Admission> {
        let account = claim.account;
        self.ask(account, |reply| Work::Check(claim, reply))
            .await
            .unwrap_or(Err(Admission::Unavailable))
    }

    /// Accepts or rejects each recipient of a call. When it returns `Ok`, the events of all of them are on disk.
    ///
    /// # Errors
    /// As [`Admission`] says; then nothing of the call is on disk.
    pub async fn send(&self, mut call: SendCall) -> Result<Vec<SendAnswer>, Admission> {
        let account = call.claim.account;
        let rows = u64::try_from(call.recipients.len()).unwrap_or(u64::MAX);
        let _credit = self.credits.take(account, rows).ok_or(Admission::Busy)?;
        let reader = self.log.read();
        let now = self.now();
        let call = tokio::task::spawn_blocking(move || {
            look_up_suppressed(&reader, &mut call, now)?;
            Ok::<_, Admission>(call)
        })
        .await
        .map_err(|_| Admission::Unavailable)??;
        self.ask(account, |reply| Work::Send(Box::new(call), reply))
            .await
            .unwrap_or(Err(Admission::Unavailable))
    }

    /// Does anything else that changes or lists an account, for the operator or for the program itself.
    ///
    /// # Errors
    /// As [`Admission`] says; then nothing is changed.
    pub async fn manage(
        &self,
        account: AccountId,
        metadata: Arc<Metadata>,
        manage: Manage,
    ) -> Result<Managed, Admission> {
        self.manage_for(Asker::Operator { account, metadata }, manage).await
    }

    /// Does anything else that changes or lists an account. A key is admitted in the turn that decides.
    ///
    /// # Errors
    /// As [`Admission`] says; then nothing is changed.
    pub async fn manage_for(&self, asker: Asker, manage: Manage) -> Result<Managed, Admission> {
        let account = asker.account();
        self.ask(account, |reply| Work::Manage(asker, Box::new(manage), reply))
            .await
            .unwrap_or(Err(Admission::Unavailable))
    }

    /// Lets a parked account go again; on record at the position that is returned.
    ///
    /// # Errors
    /// [`Admission::NotParked`], and when the log does not take it: then it stays parked.
    pub async fn unpark(&self, account: AccountId, metadata: Metadata) -> Result<u64, Admission> {
        let (reply, answer) = oneshot::channel();
        self.registry.do_send(Unpark {
            account,
            metadata,
            reply,
        });
        answer.await.unwrap_or(Err(Admission::Unavailable))
    }

    /// The accounts that are parked.
    pub async fn parked(&self) -> Vec<AccountId> {
        let (reply, answer) = oneshot::channel();
        self.registry.do_send(ListParked(reply));
        answer.await.unwrap_or_default()
    }

    /// Asks for the right to send; on disk when it returns `Ok`.
    ///
    /// # Errors
    /// As [`StartRefused`] says.
    pub async fn start(&self, call: StartCall) -> Result<Granted, StartRefused> {
        let account = call.account;
        self.ask(account, |reply| Work::Start(Box::new(call), reply))
            .await
            .unwrap_or(Err(StartRefused::Unavailable))
    }

    /// What protection the account's mail demands now.
    ///
    /// # Errors
    /// Nobody can say now: without the answer no host is to hear of the account's mail.
    pub async fn tls_of(&self, account: AccountId) -> Result<AccountTls, StartRefused> {
        match self.tls.of(account) {
            Some(tls) => Ok(tls),
            None => self
                .ask(account, Work::TlsChoice)
                .await
                .unwrap_or(Err(StartRefused::Unavailable)),
        }
    }

    /// Tells what came of an attempt; on disk when it returns `Ok`.
    ///
    /// # Errors
    /// As [`OutcomeRefused`] says.
    pub async fn outcome(&self, call: OutcomeCall) -> Result<OutcomeStored, OutcomeRefused> {
        let account = call.account;
        self.ask(account, |reply| Work::Outcome(Box::new(call), reply))
            .await
            .unwrap_or(Err(OutcomeRefused::Unavailable))
    }

    /// Puts a report on a message on record; on disk when it returns `Ok`.
    ///
    /// # Errors
    /// As [`ReportRefused`] says.
    pub async fn report(&self, call: ReportCall) -> Result<Reported, ReportRefused> {
        let account = call.account;
        self.ask(account, |reply| Work::Report(Box::new(call), reply))
            .await
            .unwrap_or(Err(ReportRefused::Unavailable))
    }

    /// Hands work to the account's actor. `None` when the actor failed before it answered: nobody knows then, and
    /// whoever asked treats it as not done and asks the log.
    async fn ask<T>(&self, account: AccountId, work: impl FnOnce(Reply<T>) -> Work) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.registry.do_send(Route {
            account,
            work: work(reply),
        });
        answer.await.ok()
    }
}

fn look_up_suppressed(reader: &LogReader, call: &mut SendCall, now: Instant) -> Result<(), Admission> {
    let mut deliverable: Vec<_> = call
        .recipients
        .iter_mut()
        .filter_map(|recipient| match &mut recipient.kind {
            RecipientKind::Deliverable(deliverable) => Some(deliverable),
            RecipientKind::Invalid(_) => None,
        })
        .collect();
    let tokens: Vec<_> = deliverable
        .iter()
        .map(|deliverable| deliverable.token.clone())
        .collect();
    let found = reader.suppressed(call.claim.account, &tokens).map_err(|failure| {
        tracing::error!(error = %failure, "the suppression index cannot be read");
        Admission::Unavailable
    })?;
    for (deliverable, entry) in deliverable.iter_mut().zip(found) {
        deliverable.suppressed = entry
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            .map(first);
    }
    Ok(())
}

fn first(entry: (SuppressionReason, Option<Instant>)) -> SuppressionReason {
    entry.0
}
