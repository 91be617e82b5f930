//! A shard of the log: who owns it, and which actors the program had to park.

mod state;
#[cfg(test)]
mod tests;

pub use state::{ParkedActor, Shard, ShardCommand, ShardEvent, ShardRefusal};
