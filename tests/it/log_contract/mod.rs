//! What every store of the log must keep: one suite, written against [`world::Fixture`], run for each store alike.
//!
//! A test of the suite is a generic function; `suite!` makes one test of it per store.

mod appending;
mod conflicts;
mod events;
mod faults;
mod idempotency;
mod indexes;
mod lanes;
mod reading;
mod restarting;
mod sqlite;
mod stopping;
mod world;

/// Runs the suite on a store.
macro_rules! suite {
    ($store:ty: $($file:ident { $($test:ident),* $(,)? })*) => {
        $(mod $file {
            use super::*;
            $(#[test]
            fn $test() {
                super::super::$file::$test::<$store>();
            })*
        })*
    };
}
pub use faults::{Fault, Faults, Gate};
pub(crate) use suite;
