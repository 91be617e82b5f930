//! The spool: every message that is not finished, with what its next attempt needs.
//!
//! It serves restart and overflow; live dispatch is fed from memory. A row says what a message's stream says, so that
//! the dispatcher decides on it as on the aggregate itself; the right to send is still the append to the log, which an
//! old row cannot win. A message that cannot be folded stands here as a parked row, and holds up nobody else.

mod due;
mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use due::{DueMark, DuePage, WaitingDomains};
pub use fold::Spool;
pub use query::{OpenStart, ParkedRow, SpoolCounts, SpoolPage, SpoolQueries, SpoolRow};
