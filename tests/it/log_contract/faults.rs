//! A gate before a store, which lets commits wait, fail before or after they happen, or be refused.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use sealpost::log::index::IndexChange;
use sealpost::log::round::Round;
use sealpost::log::store::{Head, Load, Reads, Store};
use sealpost::log::{IdempotencyAnswer, LogFailure};
use sealpost_domain::ids::{AccountId, EventId};
use sealpost_domain::{Instant, StreamId};

use super::world::LONG;

/// How the next commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of it is there.
    Before,
    /// All of it is there, and nobody is told.
    After,
    /// The disk is full, nothing of it is there.
    DiskFull,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Fault>,
    away: bool,
    lost: bool,
    begins: u64,
    shut: bool,
    waiting: bool,
    refused: BTreeSet<EventId>,
    /// Types of events that are judged in turn, the verdicts to come, and those that are judged.
    judged_types: Vec<&'static str>,
    verdicts: VecDeque<bool>,
    judged: BTreeSet<EventId>,
    free_bytes: Option<u64>,
}

impl State {
    fn judge(&mut self, event: EventId, event_type: &str) {
        // A round that is taken apart brings its rows again.
        if self.judged_types.contains(&event_type)
            && self.judged.insert(event)
            && self.verdicts.pop_front() == Some(true)
        {
            self.refused.insert(event);
        }
    }
}

/// What a test sets and sees.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
    changed: Condvar,
}

impl Faults {
    /// The next commit fails so.
    pub fn fail_next(&self, fault: Fault) {
        self.state.lock().next = Some(fault);
    }

    /// The store cannot be opened, or it can again.
    pub fn set_away(&self, away: bool) {
        self.state.lock().away = away;
    }

    /// The store ends one position too early when it is opened, or it does not any more.
    pub fn set_lost(&self, lost: bool) {
        self.state.lock().lost = lost;
    }

    /// Waits until the store was tried to be opened so often.
    pub fn wait_for_begins(&self, count: u64) {
        let mut state = self.state.lock();
        let late = self
            .changed
            .wait_while_for(&mut state, |state| state.begins < count, LONG);
        assert!(!late.timed_out(), "the store was opened {} times", state.begins);
    }

    /// Commits wait until the gate is opened. Returns when the gate has stopped one, which the caller has to provoke.
    pub fn shut(&self) {
        self.state.lock().shut = true;
    }

    /// Waits until a commit stands before the shut gate.
    pub fn wait_until_one_waits(&self) {
        let mut state = self.state.lock();
        let late = self.changed.wait_while_for(&mut state, |state| !state.waiting, LONG);
        assert!(!late.timed_out(), "no commit came to the gate");
    }

    /// Lets commits pass.
    pub fn open(&self) {
        self.state.lock().shut = false;
        self.changed.notify_all();
    }

    /// Rounds with this event are refused as if it broke a rule of the store.
    pub fn refuse(&self, event: EventId) {
        self.state.lock().refused.insert(event);
    }

    /// Events of these types are refused or not, in the order in which they come to the gate.
    pub fn refuse_in_turn(&self, types: &[&'static str], refuse: Vec<bool>) {
        let mut state = self.state.lock();
        state.judged_types = types.to_vec();
        state.verdicts = refuse.into();
    }

    /// So much is free on the disk.
    pub fn set_free_bytes(&self, free: u64) {
        self.state.lock().free_bytes = Some(free);
    }

    fn pass(&self, round: &Round) -> Result<Option<Fault>, LogFailure> {
        let mut state = self.state.lock();
        if state.shut {
            state.waiting = true;
            self.changed.notify_all();
            self.changed.wait_while(&mut state, |state| state.shut);
            state.waiting = false;
        }
        for placed in &round.rows {
            state.judge(placed.row.event_id, &placed.row.event_type);
        }
        if round
            .rows
            .iter()
            .any(|placed| state.refused.contains(&placed.row.event_id))
        {
            return Err(LogFailure::Refused {
                doing: "passing the gate",
                source: "planted".into(),
            });
        }
        Ok(state.next.take())
    }
}

/// The gate.
pub struct Gate {
    inner: Box<dyn Store>,
    faults: Arc<Faults>,
}

impl Gate {
    pub fn before(inner: Box<dyn Store>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

fn planted() -> LogFailure {
    LogFailure::Store {
        doing: "passing the gate",
        source: "planted".into(),
    }
}

impl Store for Gate {
    fn begin(&mut self) -> Result<Head, LogFailure> {
        let (away, lost) = {
            let mut state = self.faults.state.lock();
            state.begins += 1;
            self.faults.changed.notify_all();
            (state.away, state.lost)
        };
        if away {
            return Err(planted());
        }
        let mut head = self.inner.begin()?;
        head.position -= u64::from(lost);
        Ok(head)
    }

    fn stream_head(&mut self, stream: &StreamId) -> Result<u64, LogFailure> {
        self.inner.stream_head(stream)
    }

    fn account_head(&mut self, account: AccountId) -> Result<u64, LogFailure> {
        self.inner.account_head(account)
    }

    fn is_taken(&mut self, change: &IndexChange) -> Result<bool, LogFailure> {
        self.inner.is_taken(change)
    }

    fn idempotency(
        &mut self,
        account: AccountId,
        key_hash: &[u8; 32],
    ) -> Result<Option<IdempotencyAnswer>, LogFailure> {
        self.inner.idempotency(account, key_hash)
    }

    fn is_present(&mut self, event: EventId) -> Result<bool, LogFailure> {
        self.inner.is_present(event)
    }

    fn commit(&mut self, round: &Round) -> Result<(), LogFailure> {
        match self.faults.pass(round)? {
            None => self.inner.commit(round),
            Some(Fault::Before) => Err(planted()),
            Some(Fault::DiskFull) => Err(LogFailure::DiskFull {
                doing: "passing the gate",
            }),
            Some(Fault::After) => self.inner.commit(round).and_then(|()| Err(planted())),
        }
    }

    fn tend(&mut self, load: Load, now: Instant) -> Result<(), LogFailure> {
        self.inner.tend(load, now)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.faults.state.lock().free_bytes.or_else(|| self.inner.free_bytes())
    }

    fn reads(&self) -> Arc<dyn Reads> {
        self.inner.reads()
    }
}
