//! The log as the rest of the program holds it: opens it, hands requests to the writer, closes it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use sealpost_domain::limits;

use crate::clock::Clock;
use crate::vault::Vault;

use super::append::{Append, Busy, Fence, Lane, OnConflict, Ticket};
use super::failure::LogFailure;
use super::generation::{Generation, Generations};
use super::lanes::{Lanes, Request, Room};
use super::read::LogReader;
use super::sealed;
use super::slots::{OutcomeSlot, Slots};
use super::source::LogSource;
use super::sqlite::SqliteStore;
use super::state::{Door, LogState};
use super::store::{Head, Store};
use super::tail::Tail;
use super::writer::{Shared, Writer};

/// Where the log lies and who writes it.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Its folder, made when there is none; of one process at a time.
    pub dir: PathBuf,
    /// Name of this node, as `ShardOwned` records it.
    pub node: String,
    /// New mail is refused while less than this is free on the folder's disk, in bytes.
    pub disk_mark_bytes: u64,
}

/// The log. Clones share one writer; when the last is dropped, what waits is still written and the writer ends.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    shared: Shared,
    slots: Slots,
    reader: LogReader,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Log {
    /// Opens the embedded log, begins an epoch, starts the writer.
    ///
    /// # Errors
    /// [`LogFailure::FolderInUse`] when another process has the folder; the store's own failures.
    pub fn open(config: LogConfig, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, LogFailure> {
        let store = SqliteStore::at(&config.dir)?;
        Self::open_on(Box::new(store), &config.node, config.disk_mark_bytes, vault, clock)
    }

    /// Opens a log on any store.
    ///
    /// # Errors
    /// The store's own failures.
    pub fn open_on(
        mut store: Box<dyn Store>,
        node: &str,
        disk_mark_bytes: u64,
        vault: Vault,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogFailure> {
        let head = store.begin()?;
        let shared = Shared {
            lanes: Arc::new(Lanes::new(Room::default())),
            door: Door::open(),
            tail: Tail::new(),
            generations: Generations::default(),
            vault,
            clock,
        };
        let reader = LogReader::new(store.reads(), shared.tail.clone(), Arc::clone(&shared.clock));
        let mut writer = Writer {
            store,
            shared: shared.clone(),
            node: node.to_owned(),
            disk_mark_bytes,
            head,
            taken: VecDeque::new(),
        };
        writer.own_shard()?;
        writer.watch_disk();
        let Head { position, epoch, .. } = writer.head;
        tracing::info!(position, epoch, "log.opened");
        let end = End(shared.clone());
        let thread = thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                let _end = end;
                writer.run();
            })
            .map_err(|source| LogFailure::Store {
                doing: "starting the writer",
                source: Box::new(source),
            })?;
        Ok(Self(Arc::new(Inner {
            shared,
            slots: Slots::new(usize::try_from(limits::OUTCOME_SLOTS).unwrap_or(usize::MAX)),
            reader,
            writer: Mutex::new(Some(thread)),
        })))
    }

    /// Hands a request to the writer. Never blocks. A malformed request is answered by its ticket.
    ///
    /// # Errors
    /// As [`Busy`] says; nothing of the request will be on record.
    pub fn try_append(&self, append: Append) -> Result<Ticket, Busy> {
        let Shared { lanes, door, .. } = &self.0.shared;
        door.admit(&append.lane)
            .map_err(|busy| if lanes.is_closed() { Busy::Closed } else { busy })?;
        let (reply, ticket) = Ticket::new();
        match sealed::check_form(&append) {
            Ok(()) => lanes.push(Request { append, reply })?,
            Err(malformed) => reply.send(Err(malformed)),
        }
        Ok(ticket)
    }

    /// Stands behind everything that was handed over so far, whatever its lane. Whoever reads the log after it misses
    /// nothing of what somebody who is gone (an actor that panicked) had handed over.
    #[must_use = "it tells when it is passed"]
    pub fn fence(&self) -> Fence {
        let (reply, ticket) = Ticket::new();
        // A request of no rows takes no room, so that only a closed log refuses it.
        let append = Append {
            lane: Lane::NewMail,
            generation: None,
            rows: Vec::new(),
            idempotency: None,
            on_conflict: OnConflict::Answer,
        };
        Fence::new(self.0.shared.lanes.push(Request { append, reply }).map(|()| ticket))
    }

    /// A fresh generation. Draw it before reading the state that requests will be decided on.
    #[must_use]
    pub fn new_generation(&self) -> Generation {
        self.0.shared.generations.draw()
    }

    /// Room for one outcome, when there is some now.
    #[must_use]
    pub fn reserve_outcome(&self) -> Option<OutcomeSlot> {
        self.0.slots.try_reserve()
    }

    /// Room for one outcome as soon as there is some, in the order of asking; `None` when the log is closed.
    pub async fn outcome_slot(&self) -> Option<OutcomeSlot> {
        self.0.slots.reserve().await
    }

    /// How many outcomes have room now.
    #[must_use]
    pub fn free_slots(&self) -> usize {
        self.0.slots.free()
    }

    /// The readers' side.
    #[must_use]
    pub fn read(&self) -> LogReader {
        self.0.reader.clone()
    }

    /// What projections read: events with their personal fields opened.
    #[must_use]
    pub fn source(&self) -> LogSource {
        LogSource::new(self.read(), self.0.shared.vault.clone())
    }

    /// Whether it takes requests.
    #[must_use]
    pub fn state(&self) -> LogState {
        self.0.shared.door.state()
    }

    /// Whether the writer is gone, closed or broken: nothing is ever written again by this process.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.writer.lock().as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Takes nothing in any more, writes what waits, and ends the writer. Blocks until then; a second call does nothing.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        self.slots.close();
        self.shared.lanes.close();
        let thread = self.writer.lock().take();
        // A writer that panicked has said so on its own; its waiters were answered by the guard of its thread.
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("log.writer_panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Ends the log when the writer's thread ends, however it ends: nobody waits for an answer that cannot come.
struct End(Shared);

impl Drop for End {
    fn drop(&mut self) {
        self.0.lanes.close();
        self.0.generations.end_all();
        self.0.door.set(LogState::Stopped);
        drop(self.0.lanes.take(usize::MAX));
    }
}
