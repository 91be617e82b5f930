//! A clock that a test moves, and that can be made to break whoever asks it.

use std::backtrace::Backtrace;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use sealpost::clock::Clock;
use sealpost_domain::Instant;

/// Begins at 2026-01-05 12:00 UTC and moves only when told.
pub struct HandClock {
    millis: AtomicI64,
    mines: AtomicU32,
}

impl Default for HandClock {
    fn default() -> Self {
        Self {
            millis: AtomicI64::new(1_767_614_400_000),
            mines: AtomicU32::new(0),
        }
    }
}

impl HandClock {
    /// Moves on.
    pub fn advance(&self, span: Duration) {
        self.millis
            .fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The next `count` times that the actor of an account asks for the time, it panics.
    pub fn mine_account_actors(&self, count: u32) {
        self.mines.store(count, Ordering::SeqCst);
    }

    /// How many mines nobody has stepped on yet.
    pub fn mines(&self) -> u32 {
        self.mines.load(Ordering::SeqCst)
    }

    fn explode(&self) {
        if self.mines() > 0 && Backtrace::force_capture().to_string().contains("account_actor") {
            self.mines.fetch_sub(1, Ordering::SeqCst);
            panic!("the clock was mined");
        }
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        self.explode();
        Instant::from_millis(self.millis.load(Ordering::SeqCst))
    }
}
