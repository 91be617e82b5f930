//! Counts what the templates of a call may cost: steps and bytes, for all recipients together.

use sealpost_domain::limits::{MERGE_STEPS_MAX, MERGED_BYTES_MAX};
use thiserror::Error;

/// Bytes that are looked at for one step.
const BYTES_PER_STEP: usize = 64;

/// The call's templates cost more than they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the templates of one call print at most {MERGED_BYTES_MAX} bytes in at most {MERGE_STEPS_MAX} steps")]
pub struct Exhausted;

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    steps: u64,
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: MERGE_STEPS_MAX,
            bytes: MERGED_BYTES_MAX,
        }
    }
}

impl Budget {
    /// Takes a step that looks at so many bytes.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn step(&mut self, looked_at_bytes: usize) -> Result<(), Exhausted> {
        let steps = (looked_at_bytes / BYTES_PER_STEP).saturating_add(1) as u64;
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    /// Prints so many bytes.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn print(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.bytes = self.bytes.checked_sub(bytes as u64).ok_or(Exhausted)?;
        Ok(())
    }
}
