//! Counts strangers: refusals that name no account cost a number in memory, and one event a minute.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use sealpost_domain::Instant;
use sealpost_domain::gate::{Gate, GateCommand, GateEvent, StrangerRefusal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;

/// How often what was counted is recorded.
pub const RECORD_EVERY: Duration = Duration::from_secs(60);

/// Where counts are recorded: the log, as the program wires it.
#[async_trait]
pub trait CountRecord: Send + Sync + 'static {
    /// Records an event of the gate's stream of this node and day.
    async fn record(&self, event: GateEvent, at: Instant) -> Recorded;
}

/// Whether an event is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is.
    OnDisk,
    /// It is not, and is to be counted again.
    NotNow,
}

/// The counters of this node. Clones share them.
#[derive(Clone)]
pub struct Strangers {
    counted: Arc<Mutex<Counted>>,
    clock: Arc<dyn Clock>,
}

struct Counted {
    counts: BTreeMap<StrangerRefusal, u64>,
    since: Instant,
}

impl fmt::Debug for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strangers")
            .field("counts", &self.counted.lock().counts)
            .finish_non_exhaustive()
    }
}

impl Strangers {
    /// Counters at zero.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let since = clock.now();
        Self {
            counted: Arc::new(Mutex::new(Counted {
                counts: BTreeMap::new(),
                since,
            })),
            clock,
        }
    }

    /// Counts one.
    pub fn count(&self, refusal: StrangerRefusal) {
        metrics::counter!("sealpost_stranger_refusals_total").increment(1);
        let mut counted = self.counted.lock();
        let count = counted.counts.entry(refusal).or_default();
        *count = count.saturating_add(1);
    }

    /// Records what was counted since the last time. What cannot be recorded stays counted.
    pub async fn record(&self, to: &dyn CountRecord) {
        let now = self.clock.now();
        let (counts, from) = {
            let mut counted = self.counted.lock();
            (
                std::mem::take(&mut counted.counts),
                std::mem::replace(&mut counted.since, now),
            )
        };
        let command = GateCommand::CountRefusals {
            counts: counts.clone(),
            from,
            to: now,
        };
        // Nothing was counted: nothing is recorded.
        let Ok(events) = Gate::default().decide(command) else {
            return;
        };
        for event in events {
            if to.record(event, now).await == Recorded::NotNow {
                self.put_back(&counts, from);
            }
        }
    }

    fn put_back(&self, counts: &BTreeMap<StrangerRefusal, u64>, from: Instant) {
        let mut counted = self.counted.lock();
        for (refusal, count) in counts {
            let sum = counted.counts.entry(*refusal).or_default();
            *sum = sum.saturating_add(*count);
        }
        counted.since = counted.since.min(from);
    }

    /// Records once a minute until the returned handle is told to stop. Runs on the current runtime.
    #[must_use]
    pub fn start(&self, to: Arc<dyn CountRecord>) -> Counting {
        let (stop, mut stopped) = oneshot::channel::<()>();
        let strangers = self.clone();
        let task = tokio::spawn(async move {
            let mut every = tokio::time::interval(RECORD_EVERY);
            loop {
                tokio::select! {
                    _ = every.tick() => strangers.record(&*to).await,
                    _ = &mut stopped => break,
                }
            }
            strangers.record(&*to).await;
        });
        Counting { stop, task }
    }
}

/// The task that records; stop it while the log still takes events.
#[derive(Debug)]
pub struct Counting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Counting {
    /// Records what was counted last, and ends.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(failure) = self.task.await {
            tracing::error!(error = %failure, "the task that records refused strangers broke");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct HandClock(AtomicI64);

    impl Clock for HandClock {
        fn now(&self) -> Instant {
            Instant::from_millis(self.0.fetch_add(1_000, Ordering::Relaxed))
        }
    }

    #[derive(Default)]
    struct Kept {
        events: Mutex<Vec<GateEvent>>,
        broken: Mutex<bool>,
    }

    #[async_trait]
    impl CountRecord for Kept {
        async fn record(&self, event: GateEvent, _at: Instant) -> Recorded {
            if *self.broken.lock() {
                return Recorded::NotNow;
            }
            self.events.lock().push(event);
            Recorded::OnDisk
        }
    }

    fn strangers() -> Strangers {
        Strangers::new(Arc::new(HandClock(AtomicI64::new(0))))
    }

    fn event(count: u64, from_ms: i64, to_ms: i64) -> GateEvent {
        GateEvent::RefusalsCounted {
            counts: BTreeMap::from([(StrangerRefusal::UnknownKey, count)]),
            from: Instant::from_millis(from_ms),
            to: Instant::from_millis(to_ms),
        }
    }

    #[tokio::test]
    async fn a_flood_is_one_event_and_silence_is_none() {
        let (strangers, kept) = (strangers(), Kept::default());
        for _ in 0..10_000 {
            strangers.count(StrangerRefusal::UnknownKey);
        }
        strangers.record(&kept).await;
        strangers.record(&kept).await;
        assert_eq!(*kept.events.lock(), [event(10_000, 0, 1_000)]);
    }

    #[tokio::test]
    async fn what_cannot_be_recorded_stays_counted() {
        let (strangers, kept) = (strangers(), Kept::default());
        *kept.broken.lock() = true;
        strangers.count(StrangerRefusal::UnknownKey);
        strangers.record(&kept).await;
        *kept.broken.lock() = false;
        strangers.count(StrangerRefusal::UnknownKey);
        strangers.record(&kept).await;
        assert_eq!(*kept.events.lock(), [event(2, 0, 2_000)]);
    }

    #[tokio::test]
    async fn the_last_counts_are_recorded_at_the_end() {
        let (strangers, kept) = (strangers(), Arc::new(Kept::default()));
        let counting = strangers.start(kept.clone());
        strangers.count(StrangerRefusal::UnknownUser);
        counting.stop().await;
        let counted = kept.events.lock().len();
        assert_eq!(counted, 1);
    }
}
