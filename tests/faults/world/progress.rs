//! Says how far a long campaign has come: one line for each step, read at once where output is not captured.

use std::fmt::Display;
use std::time::Instant;

/// A campaign of so many steps.
pub struct Progress {
    what: &'static str,
    steps: usize,
    done: usize,
    began: Instant,
}

impl Progress {
    /// Begins with nothing done.
    pub fn of(what: &'static str, steps: usize) -> Self {
        Self {
            what,
            steps,
            done: 0,
            began: Instant::now(),
        }
    }

    /// One more is done, with this result.
    pub fn step(&mut self, result: impl Display) {
        self.done += 1;
        let (done, seconds) = (self.done, self.began.elapsed().as_secs());
        println!("{:>5} s  {} {done} of {}: {result}", seconds, self.what, self.steps);
    }
}
