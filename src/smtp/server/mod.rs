//! Receives mail: a small, strict SMTP server for the demonstration and for tests.
//!
//! It acknowledges a message only after [`Deposit::deposit`] has returned, ends content only at CRLF, dot, CRLF, and
//! bounds every line, content, dialogue and the number of dialogues. Start at `receiving.rs`.

mod answers;
mod deposit;
mod listening;
mod personality;
mod receiving;
mod session;
mod talk;
mod tls_upgrade;

pub use deposit::{Deposit, Received};
pub use personality::{Offer, Pace, Personality, RecipientRule};
pub use receiving::{Receiver, Running};
