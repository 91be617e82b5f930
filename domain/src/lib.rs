//! What Sealpost decides. No IO, clock, randomness or `async` of its own: all that arrives in the command.
//!
//! | aggregate | stream id | decides |
//! |---|---|---|
//! | [`account`] | account | opening, contact, policy, suspension |
//! | [`user`] | user | registration, password |
//! | [`api_key`] | key | issue, freeze, thaw, revoke, refused use |
//! | [`sending_domain`] | account/domain | ownership, DKIM keys |
//! | [`suppression`] | account/address token | who is written to no more |
//! | [`message`] | message | accept, hold, attempt, outcome |
//! | [`engagement`] | message | late bounces, complaints |
//! | [`gate`] | node/day | strangers, counted |
//! | [`shard`] | shard | epochs, parked actors |
//!
//! What never happens here: reading a clock, drawing an id, opening a sealed value, looking anything up.

#![warn(missing_docs)]

pub mod account;
pub mod address;
mod aggregate;
pub mod api_key;
pub mod content;
pub mod engagement;
pub mod event;
pub mod gate;
pub mod ids;
pub mod instant;
#[cfg(test)]
mod laws;
pub mod limits;
pub mod message;
pub mod metadata;
pub mod network;
pub mod personal;
pub mod rights;
pub mod sending_domain;
pub mod shard;
pub mod suppression;
pub mod tls_rule;
pub mod user;

pub use event::{Event, Recorded, StreamId, StreamType, Unread};
pub use instant::Instant;
pub use personal::Personal;
