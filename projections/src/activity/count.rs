//! Counts the activity of an account by where its messages stand.

use rusqlite::params;
use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;

use super::query::ActivityQueries;
use super::state::ActivityState;
use crate::columns::Columns;
use crate::failure::ProjectionFailure;

impl ActivityQueries {
    /// How many messages that were accepted or turned away since a point in time stand where; of all time without one.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn counts(
        &self,
        account: AccountId,
        since: Option<Instant>,
    ) -> Result<Vec<(ActivityState, u64)>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(
                "SELECT state, reason, COUNT(*) FROM activity WHERE account = $1 AND at_ms >= $2
                 GROUP BY state, reason ORDER BY state, reason",
            )?;
            let since_ms = since.map_or(i64::MIN, |since| since.as_millis());
            let mut found = statement.query(params![account.to_hex(), since_ms])?;
            let mut counts = Vec::new();
            while let Some(row) = found.next()? {
                let mut columns = Columns::of(row);
                if let (Ok(state), Ok(count)) = (columns.state(), columns.number()) {
                    counts.push((state, count));
                }
            }
            Ok(counts)
        })
    }

    /// The header From addresses that mail of an account names, by address, with how many messages stand where. What is
    /// erased has none.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn senders(&self, account: AccountId, most: usize) -> Result<Vec<ActivitySender>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(
                "SELECT sender, state, reason, COUNT(*), MIN(at_ms) FROM activity
                 WHERE account = $1 AND sender IS NOT NULL
                 GROUP BY sender, state, reason ORDER BY sender, state, reason",
            )?;
            let mut found = statement.query(params![account.to_hex()])?;
            let mut senders: Vec<ActivitySender> = Vec::new();
            while let Some(row) = found.next()? {
                let address: String = row.get(0)?;
                let mut columns = Columns::from(row, 1);
                let (Ok(state), Ok(count), Ok(first_at)) = (columns.state(), columns.number(), columns.instant())
                else {
                    continue;
                };
                if senders.last().is_none_or(|last| last.address != address) {
                    if senders.len() >= most {
                        break;
                    }
                    senders.push(ActivitySender {
                        address,
                        first_at,
                        counts: Vec::new(),
                    });
                }
                if let Some(sender) = senders.last_mut() {
                    sender.first_at = sender.first_at.min(first_at);
                    sender.counts.push((state, count));
                }
            }
            Ok(senders)
        })
    }
}

/// An address that an account sent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivitySender {
    /// The header From's address.
    pub address: String,
    /// When the first message in its name was accepted or turned away.
    pub first_at: Instant,
    /// Messages by where they stand.
    pub counts: Vec<(ActivityState, u64)>,
}
