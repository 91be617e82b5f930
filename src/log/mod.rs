//! The append-only log: the one truth, and the only place that says "on disk".
//!
//! One writer thread gives positions, seals, commits in groups, and answers; any number of readers see what is durable.
//! Never happens here: a decision of the domain, an act, a network call. Start at `handle.rs`, then `writer.rs`.
//!
//! | file | holds |
//! |---|---|
//! | `handle` | [`Log`], the door |
//! | `append`, `generation`, `slots` | what is asked and answered |
//! | `lanes` | the bounded channel: room per lane, order per generation |
//! | `sealed`, `round`, `index` | a request becomes text, gets its places, changes the indexes |
//! | `writer`, `solo`, `recovery` | the thread: a round, and what follows a refused or a failed one |
//! | `tail`, `read`, `source` | the durable head, the queries, events for projections |
//! | `store`, `sqlite` | the boundary to the database, and the embedded one |
//! | `folder`, `state`, `failure` | the folder's lock, readiness, what goes wrong |

pub mod append;
mod failure;
mod folder;
mod generation;
mod handle;
pub mod index;
mod lanes;
pub mod read;
mod recovery;
pub mod round;
pub mod sealed;
mod slots;
mod solo;
mod source;
pub mod sqlite;
mod state;
pub mod store;
mod tail;
mod writer;

pub use append::{
    Append, AppendFailure, Appended, Busy, Expected, Fence, IdempotencyAnswer, IdempotencyRow, Lane, OnConflict, Row,
    Ticket,
};
pub use failure::{FailureClass, LogFailure};
pub use generation::Generation;
pub use handle::{Log, LogConfig};
pub use read::LogReader;
pub use slots::OutcomeSlot;
pub use source::LogSource;
pub use state::LogState;
