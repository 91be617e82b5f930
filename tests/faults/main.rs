//! Faults of the machine: processes that are killed, power that is lost, disks that refuse, and what is left then.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod accept_order;
mod crash_campaign;
mod each_call;
mod judge;
mod power_loss;
mod trace;
mod world;
