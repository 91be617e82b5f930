//! The world around the program under test: its folder and configuration, its callers, and the server that it mails to.
//!
//! Start at `site.rs`; `server.rs` is the program as a child process.

mod chance;
mod client;
mod ledger;
mod load;
mod mailroom;
mod operator;
mod progress;
mod server;
mod site;
mod submission;

pub use chance::Chance;
pub use client::{Answer, Door};
pub use ledger::Ledger;
pub use load::Load;
pub use mailroom::{Mailroom, Pace};
pub use operator::{Control, Operator};
pub use progress::Progress;
pub use server::{Launch, Server};
pub use site::Site;
