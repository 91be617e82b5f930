//! The embedded store: one SQLite file in WAL mode, one connection that writes and checkpoints, readers beside it.
//!
//! Never happens here: a decision about a request. What breaks a rule of the schema is refused as a whole.

mod connection;
mod event_row;
mod insert;
mod reads;
mod recent;
mod write;

pub use reads::SqliteReads;
pub use write::SqliteStore;
