//! What people look at: folds of the log into rows, and the queries over them.
//!
//! A [`Projection`] turns each recorded event into changes of its own tables; a runner follows the
//! log with it and keeps the tables and the place in the log in one transaction. Whatever stands in a table can be
//! deleted and built again from the log, byte for byte.
//!
//! | projection | answers |
//! |---|---|
//! | [`spool`] | what waits to be sent, is held, or has an attempt open |
//! | [`activity`] | what became of each message; search |
//! | [`message_timeline`] | what happened to one message, event by event |
//!
//! What never happens here: an act. No fold reads a clock, chance, the network or a setting, and no table of this crate
//! decides whether mail is sent, a key is good or an address is suppressed. Start at `projection.rs`.

#![warn(missing_docs)]

pub mod activity;
mod columns;
mod damage;
pub mod digest;
pub mod failure;
pub mod message_timeline;
pub mod progress;
pub mod projection;
pub mod rebuild;
mod round;
pub mod runner;
#[cfg(test)]
mod sample;
pub mod shared_source;
pub mod spool;
mod store;
#[cfg(test)]
mod story;
mod tls_seen;

pub use digest::{RowsDigest, digest};
pub use failure::{FailureClass, ProjectionFailure};
pub use progress::{Progress, RunnerState};
pub use rebuild::{RebuildReport, rebuild_check};
pub use round::Poison;
pub use runner::{Runner, Running};
pub use shared_source::SharedSource;

pub use projection::{EventSource, FoldRefusal, Projection, RowChange, SourceFailure, Value};
