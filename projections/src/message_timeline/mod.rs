//! The timeline of a message: each event of its stream as a line that a person can read.
//!
//! A line says when, what, by whom and from where, and what the event knows of server, TLS and reply. Its place is the
//! event's sequence in the stream, never a position: the same log in other shards gives the same lines.

mod entry;
mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use entry::TimelineEntry;
pub use fold::MessageTimeline;
pub use query::TimelineQueries;
