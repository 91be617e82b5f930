//! Receives mail: submission by programs with a key, reports of other servers, and a small, strict receiver for the demonstration and for tests.
//!
//! The receiver acknowledges a message only after [`Deposit::deposit`] has returned, ends content only at CRLF, dot, CRLF, and
//! bounds every line, content, dialogue and the number of dialogues. Start at `receiving.rs`, and
//! for submission at `submission/mod.rs`, for reports at `inbound/mod.rs`.

mod answers;
mod deposit;
pub mod inbound;
mod listening;
mod personality;
mod receiving;
mod session;
pub mod submission;
mod talk;
mod tls_upgrade;

pub use deposit::{Deposit, Received};
pub use personality::{Offer, Pace, Personality, RecipientRule};
pub use receiving::{Receiver, Running};
