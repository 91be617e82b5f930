//! Power loss: everything that was written since the last sync of its file is taken back.
//!
//! A shim that is preloaded into the program keeps an undo journal (`shim/powerloss.c` states the model); after the
//! program was killed, [`Disk::lose_power`] walks it backwards. Start at `disk.rs`.

mod compiled;
mod disk;
mod journal;
mod tests;

pub use disk::Disk;
