//! Reads what other servers report on our mail: delivery status notifications and complaints.
//!
//! Never trusts a letter: what it is about is known from signatures of our own, what it says is bounded, and it is on
//! record before it is acknowledged. Start at `office.rs`.

mod arf;
mod dsn;
mod fields;
mod letter_parts;
mod named;
mod office;
#[cfg(test)]
mod tests;

pub use office::{COMPLAINTS, ReportOffice};
