//! An API key: issued once, limited, frozen, thawed, revoked for ever.
//!
//! Decides what a key may still do. The secret never comes here: only its hash.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::ApiKeyCommand;
pub use event::{ApiKeyEvent, Issued, UseRefusal};
pub use refusal::ApiKeyRefusal;
pub use state::{ApiKey, KeyStanding};
