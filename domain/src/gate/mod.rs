//! The gate of a node on one day: refusals that name no account, rolled up so that a stranger costs a counter.

mod state;
#[cfg(test)]
mod tests;

pub use state::{Gate, GateCommand, GateEvent, GateRefusal, StrangerRefusal};
