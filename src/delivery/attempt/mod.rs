//! One attempt to hand a message over: connect, greet, secure, authorise, transact, finish, one file each.
//!
//! Nothing of a message is sent before the right to send is on record, and what came of it is told exactly: taken,
//! refused, not sent, or in doubt. Start at `deliverer.rs`.

mod authorise;
mod connect;
mod deliverer;
mod finish;
mod greet;
mod secure;
mod transact;

pub use deliverer::{Deliverer, DelivererConfig};
