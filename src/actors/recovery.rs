//! The start-up pass: what the last run left open is declared in doubt before anything is sent.

use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{InDoubtCause, InDoubtPolicy, MessageCommand, Phase, RetryPolicy};
use sealpost_domain::metadata::Metadata;
use thiserror::Error;

use super::accounts::Accounts;
use super::outcome_report::read_message;
use super::spool_feed::{Open, SpoolFeed};
use super::work::{Admission, Manage, ManageMessage};
use crate::log::LogFailure;

/// How long the spool may take to catch up with the log before the start is given up.
const CATCH_UP_MAX: Duration = Duration::from_secs(600);

/// Why the start-up pass failed.
#[derive(Debug, Error)]
pub enum RecoveryFailure {
    /// The spool did not come to the head of the log.
    #[error("the spool has not caught up with the log at position {head}")]
    SpoolBehind {
        /// Head of the log.
        head: u64,
    },
    /// A message's stream cannot be read.
    #[error("the stream of message {message} cannot be read")]
    Read {
        /// The message.
        message: MessageId,
        /// What the log says.
        #[source]
        source: LogFailure,
    },
    /// The doubt cannot be put on record.
    #[error("the doubt about message {message} cannot be put on record")]
    Record {
        /// The message.
        message: MessageId,
        /// What the account says.
        #[source]
        source: Admission,
    },
    /// A thread ended before its work was done.
    #[error("a task of the start-up pass was cut off")]
    CutOff,
}

/// Declares every attempt in doubt that the last run started and did not close: between its start and its outcome the
/// message may have gone out. Nothing else is declared so.
pub(super) async fn settle_open_starts(
    accounts: &Accounts,
    feed: &SpoolFeed,
    node: &str,
) -> Result<(), RecoveryFailure> {
    catch_up(accounts, feed).await?;
    let reading = feed.clone();
    let open = tokio::task::spawn_blocking(move || reading.open_starts())
        .await
        .map_err(|_| RecoveryFailure::CutOff)?;
    for one in open {
        declare(accounts, &one, node).await?;
    }
    catch_up(accounts, feed).await
}

async fn catch_up(accounts: &Accounts, feed: &SpoolFeed) -> Result<(), RecoveryFailure> {
    let head = accounts.log().read().head();
    let feed = feed.clone();
    let caught_up = tokio::task::spawn_blocking(move || feed.wait_for(head, CATCH_UP_MAX))
        .await
        .map_err(|_| RecoveryFailure::CutOff)?;
    if caught_up {
        Ok(())
    } else {
        Err(RecoveryFailure::SpoolBehind { head })
    }
}

async fn declare(accounts: &Accounts, open: &Open, node: &str) -> Result<(), RecoveryFailure> {
    let (log, message) = (accounts.log().clone(), open.message);
    // The stream decides, not the spool: its row may lag, and an act never rests on a row.
    let (state, sequence) = tokio::task::spawn_blocking(move || read_message(&log, message))
        .await
        .map_err(|_| RecoveryFailure::CutOff)?
        .map_err(|source| RecoveryFailure::Read { message, source })?;
    let Phase::InFlight { attempt_id } = state.phase else {
        return Ok(());
    };
    let command = MessageCommand::DeclareInDoubt {
        attempt_id,
        cause: InDoubtCause::ProcessEnded,
        at: accounts.now(),
        // The account's actor puts its own policies in place of these.
        retry: RetryPolicy::default(),
        in_doubt: InDoubtPolicy::default(),
    };
    let manage = ManageMessage {
        message,
        state,
        sequence,
        command,
    };
    let metadata = Arc::new(Metadata::system(Some(open.account), node));
    tracing::warn!(message.id = %message, attempt.id = %attempt_id, "an attempt of the last run is in doubt");
    accounts
        .manage(open.account, metadata, Manage::Message(Box::new(manage)))
        .await
        .map_err(|source| RecoveryFailure::Record { message, source })?;
    Ok(())
}
