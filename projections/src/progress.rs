//! How far a projection is, shared between its thread and everybody who waits for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::round::Poison;

/// What a runner does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerState {
    /// It has not reached the log's head since it was started, or began again from zero.
    CatchingUp,
    /// It reached the head and follows it.
    Following,
    /// The log or its database fails; it tries again.
    Waiting {
        /// What fails, without personal data.
        failure: String,
    },
    /// It stopped at an event that it cannot fold. Others go on.
    Stopped(Poison),
    /// It was told to end.
    Ended,
}

/// A projection's place in the log and what it does. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    name: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    moved: Condvar,
}

struct Seen {
    checkpoint: u64,
    state: RunnerState,
    stop: bool,
    rebuild: bool,
    /// How many wait for the checkpoint to move.
    waiting: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            checkpoint: 0,
            state: RunnerState::CatchingUp,
            stop: false,
            rebuild: false,
            waiting: 0,
        }
    }
}

impl Progress {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            shared: Arc::default(),
        }
    }

    /// Name of the projection.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Position of the last event that the rows know; 0 before the first.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.shared.seen.lock().checkpoint
    }

    /// What the runner does.
    #[must_use]
    pub fn state(&self) -> RunnerState {
        self.shared.seen.lock().state.clone()
    }

    /// Blocks until the rows know the event at `position`, at most for `at_most`. False when they do not by then, or
    /// when the runner stopped or ended before.
    #[must_use]
    pub fn wait_for(&self, position: u64, at_most: Duration) -> bool {
        let mut seen = self.shared.seen.lock();
        if seen.checkpoint < position {
            seen.waiting += 1;
            self.shared.moved.notify_all();
            self.shared
                .moved
                .wait_while_for(&mut seen, |seen| seen.checkpoint < position && !seen.is_over(), at_most);
            seen.waiting -= 1;
        }
        seen.checkpoint >= position
    }

    pub(crate) fn set_checkpoint(&self, checkpoint: u64) {
        self.shared.seen.lock().checkpoint = checkpoint;
        self.shared.moved.notify_all();
        metrics::gauge!("sealpost_projection_position", "projection" => self.name).set(as_gauge(checkpoint));
    }

    pub(crate) fn set_state(&self, state: RunnerState) {
        self.shared.seen.lock().state = state;
        self.shared.moved.notify_all();
    }

    pub(crate) fn ask_stop(&self) {
        self.shared.seen.lock().stop = true;
        self.shared.moved.notify_all();
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.shared.seen.lock().stop
    }

    /// Blocks until a stop is asked for, at most for `at_most`.
    pub(crate) fn wait_stop(&self, at_most: Duration) {
        let mut seen = self.shared.seen.lock();
        self.shared.moved.wait_while_for(&mut seen, |seen| !seen.stop, at_most);
    }

    /// Blocks while nobody waits for the rows, at most for `at_most`: what comes meanwhile shares one round.
    pub(crate) fn gather(&self, at_most: Duration) {
        let mut seen = self.shared.seen.lock();
        self.shared
            .moved
            .wait_while_for(&mut seen, |seen| seen.waiting == 0 && !seen.stop, at_most);
    }

    pub(crate) fn ask_rebuild(&self) {
        self.shared.seen.lock().rebuild = true;
    }

    pub(crate) fn take_rebuild(&self) -> bool {
        std::mem::take(&mut self.shared.seen.lock().rebuild)
    }

    /// Says that the runner has ended, when the guard is dropped: also when its thread breaks.
    pub(crate) fn leaving(&self) -> Leaving {
        Leaving(self.clone())
    }
}

impl Seen {
    const fn is_over(&self) -> bool {
        matches!(self.state, RunnerState::Stopped(_) | RunnerState::Ended)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("name", &self.name)
            .field("checkpoint", &self.checkpoint())
            .field("state", &self.state())
            .finish()
    }
}

pub(crate) struct Leaving(Progress);

impl Drop for Leaving {
    fn drop(&mut self) {
        if !matches!(self.0.state(), RunnerState::Stopped(_)) {
            self.0.set_state(RunnerState::Ended);
        }
    }
}

/// A gauge is a floating number: exact up to 2⁵³, more than a log of this life holds.
fn as_gauge(position: u64) -> f64 {
    u32::try_from(position >> 32).map_or(0.0, |high| f64::from(high) * 4_294_967_296.0)
        + u32::try_from(position & 0xffff_ffff).map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn gathering_ends_when_somebody_waits_for_the_rows_and_when_the_runner_is_told_to_end() {
        let progress = Progress::new("test");
        let reader = progress.clone();
        let waits = std::thread::spawn(move || reader.wait_for(1, LONG));
        progress.gather(LONG);
        progress.set_checkpoint(1);
        assert!(waits.join().unwrap());
        progress.gather(Duration::from_millis(1));
        progress.ask_stop();
        progress.gather(LONG);
    }
}
