//! Gives projections what they fold: recorded events with their personal fields opened where the keys exist.

use std::time::Duration;

use sealpost_domain::ids::AccountId;
use sealpost_domain::{Recorded, StreamId};
use sealpost_projections::{EventSource, SourceFailure};

use crate::vault::Vault;

use super::failure::LogFailure;
use super::read::LogReader;

/// The log as a source of events in clear.
#[derive(Clone)]
pub struct LogSource {
    reader: LogReader,
    vault: Vault,
}

impl LogSource {
    /// Reads with the reader, opens with the vault.
    pub(super) const fn new(reader: LogReader, vault: Vault) -> Self {
        Self { reader, vault }
    }

    /// All events of one stream, in clear.
    ///
    /// # Errors
    /// When the log or the vault cannot be read.
    pub fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, SourceFailure> {
        self.in_clear(0, self.reader.stream(stream))
    }

    /// All events of an account's own streams, in clear, in the order of their positions.
    ///
    /// # Errors
    /// When the log or the vault cannot be read.
    pub fn account_control(&self, account: AccountId) -> Result<Vec<Recorded>, SourceFailure> {
        self.in_clear(0, self.reader.account_control(account))
    }

    fn in_clear(&self, after: u64, events: Result<Vec<Recorded>, LogFailure>) -> Result<Vec<Recorded>, SourceFailure> {
        let mut events = events.map_err(|failure| match failure {
            LogFailure::Unreadable {
                position,
                unread,
                source,
            } => SourceFailure::BadEvent {
                position,
                unread,
                source,
            },
            other => SourceFailure::Unreadable {
                after,
                source: Box::new(other),
            },
        })?;
        for recorded in &mut events {
            // A vault that does not answer is no erasure: the reader waits and asks again.
            self.vault
                .open_fields(&mut recorded.event, recorded.event_id)
                .and_then(|()| self.vault.open_fields(&mut recorded.metadata, recorded.event_id))
                .map_err(|source| SourceFailure::Unreadable {
                    after,
                    source: Box::new(source),
                })?;
        }
        Ok(events)
    }
}

impl EventSource for LogSource {
    fn events(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, SourceFailure> {
        self.in_clear(after, self.reader.events(after, limit))
    }

    fn head(&self) -> u64 {
        self.reader.head()
    }

    fn wait_past(&self, position: u64, at_most: Duration) -> u64 {
        self.reader.wait_past(position, at_most)
    }
}
