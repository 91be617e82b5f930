//! What people look at: folds of the log into rows, and the queries over them.
//!
//! A [`Projection`] turns each recorded event into changes of its own tables; a runner follows the
//! log with it and keeps the tables and the place in the log in one transaction. Whatever stands in a table can be
//! deleted and built again from the log, byte for byte.
//!
//! What never happens here: an act. No fold reads a clock, chance, the network or a setting, and no table of this crate
//! decides whether mail is sent, a key is good or an address is suppressed. Start at `projection.rs`.

#![warn(missing_docs)]

pub mod projection;

pub use projection::{EventSource, FoldRefusal, Projection, RowChange, SourceFailure, Value};
