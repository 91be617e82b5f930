//! A log under test: its store behind a gate of faults, a vault, a clock that is moved by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sealpost::clock::Clock;
use sealpost::log::store::Store;
use sealpost::log::{Append, AppendFailure, Appended, Busy, Log, LogFailure, Ticket};
use sealpost::vault::{MasterKey, Vault};
use sealpost_domain::Instant;

use super::events::Cast;
use super::faults::{Faults, Gate};

/// Longer than anything that a test waits for takes; reached only when it fails.
pub const LONG: Duration = Duration::from_secs(60);

/// A kind of store, empty when it is made.
pub trait Fixture: Sized + Sync {
    /// A place for one log.
    fn new() -> Self;
    /// A folder for what lies beside the store.
    fn folder(&self) -> &Path;
    /// The store of this place; one at a time.
    fn store(&self) -> Result<Box<dyn Store>, LogFailure>;
    /// All rows as postgres-es would select them.
    fn es_rows(&self) -> Vec<EsRow>;
    /// The stored leaves, in order of position.
    fn leaves(&self) -> Vec<[u8; 32]>;
    /// Tries to change and to remove an event behind the program's back; what the store says to that.
    fn tamper(&self, position: u64) -> Vec<String>;
    /// Everything that the store has written, by file or table.
    fn stored_bytes(&self) -> Vec<(PathBuf, Vec<u8>)>;
}

/// A row in the seven columns of postgres-es.
#[derive(Debug, Clone)]
pub struct EsRow {
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
}

/// A clock that stands until it is moved.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }

    pub fn advance(&self, span: Duration) {
        self.0
            .fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A log and all that it needs.
pub struct World<F> {
    pub log: Log,
    pub faults: Arc<Faults>,
    pub clock: Arc<HandClock>,
    pub cast: Cast,
    pub vault: Vault,
    pub fixture: F,
}

impl<F: Fixture> World<F> {
    pub fn new() -> Self {
        let fixture = F::new();
        let master = MasterKey::create(&fixture.folder().join("master.key")).unwrap();
        let vault = Vault::open(&fixture.folder().join("vault"), &master).unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(1_700_000_000_000)));
        let faults = Arc::new(Faults::default());
        let log = open(&fixture, &faults, &vault, &clock).unwrap();
        let cast = Cast::new(&vault);
        Self {
            log,
            faults,
            clock,
            cast,
            vault,
            fixture,
        }
    }

    /// Closes the log and opens it again.
    pub fn reopen(&mut self) {
        self.log.close();
        self.log = open(&self.fixture, &self.faults, &self.vault, &self.clock).unwrap();
    }

    /// Hands a request over.
    pub fn ask(&self, append: Append) -> Result<Ticket, Busy> {
        self.log.try_append(append)
    }

    /// Hands a request over and waits for its answer.
    pub fn append(&self, append: Append) -> Result<Appended, AppendFailure> {
        self.ask(append).unwrap().wait()
    }

    /// Positions, streams and sequences of all events, for comparisons.
    pub fn all(&self) -> Vec<sealpost_domain::Recorded> {
        self.log.read().events(0, 1_000_000).unwrap()
    }

    /// Checks what holds in every log: positions and account sequences without a gap, stream sequences too.
    pub fn check_density(&self) {
        let events = self.all();
        let mut streams = std::collections::BTreeMap::new();
        let mut accounts = std::collections::BTreeMap::new();
        for (position, event) in (1..).zip(&events) {
            assert_eq!(event.position, position);
            let sequence: &mut u64 = streams.entry(&event.stream).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence, "{:?}", event.stream);
            assert_eq!(event.account.is_some(), event.account_seq.is_some());
            if let (Some(account), Some(seq)) = (event.account, event.account_seq) {
                let last: &mut u64 = accounts.entry(account).or_default();
                *last += 1;
                assert_eq!(seq, *last, "{account}");
            }
        }
        assert!(events.is_sorted_by_key(|event| event.recorded_at));
        assert!(events.is_sorted_by_key(|event| event.epoch));
        assert_eq!(self.log.read().head(), events.last().unwrap().position);
    }
}

fn open<F: Fixture>(
    fixture: &F,
    faults: &Arc<Faults>,
    vault: &Vault,
    clock: &Arc<HandClock>,
) -> Result<Log, LogFailure> {
    let store = Gate::before(fixture.store()?, Arc::clone(faults));
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Log::open_on(Box::new(store), "node-1", 1_000, vault.clone(), clock)
}
