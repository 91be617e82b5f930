//! The suppression list: one stream per account and address token.
//!
//! Decides when an address is written to no more, and when again. The address itself is sealed; the token compares.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::SuppressionCommand;
pub use event::{SuppressionEvent, SuppressionReason};
pub use refusal::SuppressionRefusal;
pub use state::Suppression;
