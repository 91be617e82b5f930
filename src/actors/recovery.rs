//! The start-up pass: what the last run left open is declared in doubt before anything is sent.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::message::{InDoubtCause, InDoubtPolicy, MessageCommand, Phase, RetryPolicy};
use sealpost_domain::metadata::Metadata;
use thiserror::Error;

use super::accounts::Accounts;
use super::outcome_report::read_message;
use super::spool_feed::{Open, SpoolFeed};
use super::work::{Admission, Manage, ManageMessage};
use crate::log::{FailureClass, LogFailure};

/// How often it is said that the spool has not caught up yet.
const SAID_EVERY: Duration = Duration::from_secs(10);
/// How long after a doubt was not taken it is told again, and how often in all: an account wakes anew after a failure,
/// and is parked when it fails again and again.
const TOLD_AGAIN_AFTER: Duration = Duration::from_millis(500);
const TOLD_TIMES: u32 = 10;

/// Why a doubt is not on record. The message stands in flight then: nothing sends it again, and the next start asks anew.
#[derive(Debug, Error)]
enum Undeclared {
    /// The message's stream cannot be read.
    #[error("its stream cannot be read")]
    Read(#[source] LogFailure),
    /// The account does not take it.
    #[error("its account does not take it")]
    Refused(#[source] Admission),
    /// A thread ended before its work was done.
    #[error("a task of the start-up pass was cut off")]
    CutOff,
}

/// Declares every attempt in doubt that the last run started and did not close: between its start and its outcome the
/// message may have gone out. Nothing else is declared so.
///
/// Waits for the spool however long it takes. A doubt that cannot be put on record keeps back its own message alone.
pub(super) async fn settle_open_starts(accounts: &Accounts, feed: &SpoolFeed, node: &str) {
    catch_up(accounts, feed).await;
    let reading = feed.clone();
    let open = tokio::task::spawn_blocking(move || reading.open_starts()).await;
    for one in open.unwrap_or_default() {
        settle(accounts, &one, node).await;
    }
    catch_up(accounts, feed).await;
}

async fn catch_up(accounts: &Accounts, feed: &SpoolFeed) {
    let head = accounts.log().read().head();
    loop {
        let (next, feed) = (tokio::time::Instant::now() + SAID_EVERY, feed.clone());
        if let Ok(true) = tokio::task::spawn_blocking(move || feed.wait_for(head, SAID_EVERY)).await {
            return;
        }
        tracing::warn!(
            head,
            "the spool has not caught up with the log: no mail goes out before"
        );
        // A spool that has stopped is not waited for.
        tokio::time::sleep_until(next).await;
    }
}

async fn settle(accounts: &Accounts, open: &Open, node: &str) {
    for turn in 1..=TOLD_TIMES {
        let undeclared = match declare(accounts, open, node).await {
            Ok(()) => return,
            Err(undeclared) => undeclared,
        };
        let may_help = match &undeclared {
            Undeclared::Read(failure) => failure.class() == FailureClass::Transient,
            Undeclared::Refused(no) => matches!(
                no,
                Admission::Unavailable | Admission::Busy | Admission::DiskFull | Admission::MessageChanged
            ),
            Undeclared::CutOff => true,
        };
        if !may_help || turn == TOLD_TIMES {
            tracing::error!(
                message.id = %open.message, account.id = %open.account, error = %undeclared, source = ?undeclared.source(),
                "an attempt of the last run stays open: its message is not sent again"
            );
            return;
        }
        tokio::time::sleep(TOLD_AGAIN_AFTER).await;
    }
}

async fn declare(accounts: &Accounts, open: &Open, node: &str) -> Result<(), Undeclared> {
    let (log, message) = (accounts.log().clone(), open.message);
    // The stream decides, not the spool: its row may lag, and an act never rests on a row.
    let (state, sequence) = tokio::task::spawn_blocking(move || read_message(&log, message))
        .await
        .map_err(|_| Undeclared::CutOff)?
        .map_err(Undeclared::Read)?;
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
        .map_err(Undeclared::Refused)?;
    Ok(())
}
