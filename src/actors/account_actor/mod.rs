//! The actor of one account: decides everything of it, in one order, on hot state, and answers when it is on disk.
//!
//! It never waits: rows go to the log's channel, and a task answers when the log says durable. Start at `actor.rs`.

mod actor;
mod attempts;
mod check;
mod manage;
mod report;
mod send;

pub use actor::{AccountActor, Ask, Ports};
