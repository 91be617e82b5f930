//! An account: who sends, and whether it may.
//!
//! Decides opening, contact, policy, suspension. Keys, users and domains are streams of their own.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::AccountCommand;
pub use event::AccountEvent;
pub use refusal::AccountRefusal;
pub use state::{Account, Standing};
