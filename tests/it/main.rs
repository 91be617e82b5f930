//! Tests of whole rooms through their doors.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod cli;
mod control;
mod delivery;
mod docs;
mod log_contract;
mod mandrill;
mod planted;
mod stock_tools;
mod submission;
mod support;
mod v1;
