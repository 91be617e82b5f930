//! Reads the timeline of a message.

use std::path::Path;

use sealpost_domain::ids::{AccountId, MessageId};

use super::entry::{COLUMNS, TimelineEntry, read};
use super::fold::MessageTimeline;
use crate::columns::Columns;
use crate::failure::ProjectionFailure;
use crate::projection::Projection;
use crate::store::sqlite::{Reader, file_of};

/// Questions to the timelines. Cheap to clone; each blocks while SQLite reads.
#[derive(Debug, Clone)]
pub struct TimelineQueries(Reader);

impl TimelineQueries {
    /// Reads the timelines in the folder of read models, which their runner may still have to make.
    #[must_use]
    pub fn open(dir: &Path) -> Self {
        Self(Reader::new(MessageTimeline::NAME, file_of::<MessageTimeline>(dir)))
    }

    /// The lines of a message of an account in their order; none when it is not the account's, or not here yet. A line
    /// that cannot be read is left out.
    ///
    /// # Errors
    /// As [`ProjectionFailure`] says.
    pub fn message(&self, account: AccountId, message: MessageId) -> Result<Vec<TimelineEntry>, ProjectionFailure> {
        self.0.ask(|rows| {
            let mut statement = rows.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM message_timeline WHERE message = $1 AND account = $2 
                 ORDER BY account_seq, sequence"
            ))?;
            let mut found = statement.query([message.to_hex(), account.to_hex()])?;
            let mut lines = Vec::new();
            while let Some(row) = found.next()? {
                match read(&mut Columns::of(row)) {
                    Ok(line) => lines.push(line),
                    Err(bad) => tracing::error!(message.id = %message, "a line of the timeline cannot be read: {bad}"),
                }
            }
            Ok(lines)
        })
    }
}
