//! Takes the reports of other servers at the bounce domain, and nothing else: never relays, never answers by mail.
//!
//! A recipient is taken when it is a reverse-path that was signed here, of a message that is on record, or the address for
//! complaints; anything else is refused at `RCPT` and costs the log a number. `250` is said when what the letter reports is
//! on disk. Start at `house.rs`, then `session.rs`.

mod content;
mod guard;
mod house;
mod refusal;
mod session;
mod settings;

pub use house::{Inbound, InboundFailure, InboundParts};
pub use refusal::InboundRefusal;
pub use settings::InboundSettings;
