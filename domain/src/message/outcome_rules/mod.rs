//! Reads the class of an outcome off a server's words: by ordered rules, which are data with a version.
//!
//! The basic code alone says now, later or never; a rule says what kind of no it was. A table is never changed once mail
//! was judged by it: a new one gets the next version, and the old one stays, so that a replay can tell who judged what.
//! Start at `v1.rs`.

mod class;
mod judge;
mod rule;
#[cfg(test)]
mod tests;
mod v1;
mod wait;

pub use class::OutcomeClass;
pub use judge::{Judged, Verdict, class_of_reason, judge};
pub use rule::{Rule, Status};
pub use wait::asked_wait_s;

/// Version of the table that judges now.
pub const RULES_NOW: u16 = 1;

/// The rules of a version, the first that fits decides; `None` where there never was one.
#[must_use]
pub const fn rules(version: u16) -> Option<&'static [Rule]> {
    match version {
        1 => Some(v1::RULES),
        _ => None,
    }
}
