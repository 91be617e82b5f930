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
}
