//! One attempt to hand a message over: connect, greet, secure, authorise, transact, finish, one file each.
//!
//! Nothing of a message is sent before the right to send is on record, and what came of it is told exactly: taken,
//! refused, not sent, or in doubt. Start at `deliverer.rs`; `walk.rs`
//! finds the host.

mod authorise;
mod connect;
mod deliverer;
mod finish;
mod greet;
mod log_in;
mod order;
mod secure;
mod transact;
mod walk;

pub use deliverer::{Deliverer, DelivererConfig, Dialling};
