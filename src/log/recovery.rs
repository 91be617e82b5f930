//! What follows a failed write: nothing that was in memory is trusted, the end of the log is read anew, who waits is
//! answered by what is on record, and a new epoch begins before anything else is taken.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use sealpost_domain::ids::EventId;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::shard::{Shard, ShardCommand};
use sealpost_domain::{Event, StreamId, StreamType};

use crate::clock::draw_uuid;

use super::append::{Append, AppendFailure, Expected, Lane, OnConflict, Row};
use super::failure::LogFailure;
use super::round::{Plan, SHARD, Verdict};
use super::sealed;
use super::state::LogState;
use super::store::Head;
use super::writer::{Held, Writer};

/// How long until the next attempt to come back.
const RETRY: Duration = Duration::from_secs(1);
/// How long a waiter is held until it is told that nobody knows.
const HELD: Duration = Duration::from_secs(30);

impl Writer {
    /// Stops, and comes back as soon as the store does. A failed sync is never repeated: the store is opened anew.
    pub(super) fn fail_stop(&mut self, mut held: Vec<Held>, failure: &LogFailure) {
        let since = Moment::now();
        // Before any answer goes out, so that whoever reloads after it gets a generation of the new era.
        self.shared.generations.end_all();
        self.shared.door.set(LogState::Stopped);
        metrics::counter!("sealpost_log_fail_stops_total").increment(1);
        tracing::error!(error = %failure, source = ?std::error::Error::source(failure), "log.stopped");
        let otherwise = match failure {
            LogFailure::DiskFull { .. } => AppendFailure::DiskFull,
            _ => AppendFailure::Unavailable,
        };
        loop {
            match self.come_back(&mut held, &otherwise) {
                Ok(()) => break,
                Err(failure) => {
                    tracing::error!(error = %failure, source = ?std::error::Error::source(&failure), "log.still_stopped");
                }
            }
            self.refuse_waiting();
            let ends = self.shared.lanes.wait_closed(RETRY);
            if ends || since.elapsed() >= HELD {
                for one in held.drain(..) {
                    one.settle_after_failure(false, AppendFailure::Unavailable);
                }
            }
            if ends {
                return self.refuse_waiting();
            }
        }
        tracing::warn!(epoch = self.head.epoch, position = self.head.position, "log.came_back");
        self.watch_disk();
    }

    fn come_back(&mut self, held: &mut Vec<Held>, otherwise: &AppendFailure) -> Result<(), LogFailure> {
        self.head = self.store.begin()?;
        let acknowledged = self.shared.tail.head();
        if self.head.position < acknowledged {
            let found = self.head.position;
            return Err(LogFailure::Lost { found, acknowledged });
        }
        let mut present = Vec::with_capacity(held.len());
        for one in held.iter() {
            present.push(match one.first_event {
                Some(event) => self.store.is_present(event)?,
                None => false,
            });
        }
        // Who read the log while it stood still may have missed what turns out to be on record now.
        self.shared.generations.end_all();
        self.shared.tail.advance(self.head.position);
        for (one, present) in held.drain(..).zip(present) {
            one.settle_after_failure(present, otherwise.clone());
        }
        self.own_shard()
    }

    /// Begins the next epoch: its first event says who owns the shard.
    ///
    /// # Errors
    /// The store did not take it.
    pub(super) fn own_shard(&mut self) -> Result<(), LogFailure> {
        let last = Shard {
            epoch: self.head.epoch,
            parked: Vec::new(),
        };
        let epoch = self.head.epoch.saturating_add(1);
        let node = self.node.clone();
        let events = last
            .decide(ShardCommand::OwnShard { epoch, node })
            .map_err(|_| LogFailure::EpochRefused)?;
        let metadata = Arc::new(Metadata::system(None, &self.node));
        let rows = events.into_iter().map(|event| Row {
            stream: StreamId::new(StreamType::Shard, SHARD),
            expected: Expected::Next,
            account: None,
            recipient_key: None,
            event_id: EventId::from_uuid(draw_uuid()),
            event: Event::Shard(event),
            metadata: Arc::clone(&metadata),
        });
        let append = Append {
            lane: Lane::Security,
            generation: None,
            rows: rows.collect(),
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        let mut plan = Plan::behind(&Head { epoch, ..self.head }, self.shared.clock.now());
        let (request, sealing) = sealed::seal(append, &self.shared.vault);
        sealing.map_err(|_| LogFailure::EpochRefused)?;
        match plan.place(request, self.store.as_mut())? {
            Verdict::Placed(_) => self.commit(&plan)?,
            Verdict::Refused(_) | Verdict::RefusedByRound(_) => return Err(LogFailure::EpochRefused),
        }
        self.shared.tail.advance(self.head.position);
        Ok(())
    }

    /// Nobody waits for a log that has stopped: what is queued is told so at once.
    fn refuse_waiting(&mut self) {
        let taken = mem::take(&mut self.taken);
        for request in taken.into_iter().chain(self.shared.lanes.take(usize::MAX)) {
            request.reply.send(Err(AppendFailure::Unavailable));
        }
    }
}
