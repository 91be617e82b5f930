//! Judges a folder after faults: what the log says against what callers were told and what a receiver got.
//!
//! Start at `verdict.rs`; `log_copy.rs` reads the log of a program that does not run.

mod log_copy;
mod rebuilt;
mod story;
mod tests;
mod verdict;

pub use log_copy::LogCopy;
pub use rebuilt::rebuild_findings;
pub use story::{Acknowledged, Fact, Kill, Story, Taken, held, open_attempts, unfinished};
pub use verdict::{early_findings, findings};
