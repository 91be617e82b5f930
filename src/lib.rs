//! Sealpost: the self-hosted mail platform where every act is an event in one append-only log.
//!
//! The folder tree is the architecture; `ARCHITECTURE.md` walks a message through it.

#![warn(missing_docs)]

pub mod access;
pub mod actors;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod compose;
pub mod config;
pub mod delivery;
pub mod durable_folder;
pub mod http;
pub mod intake;
pub mod log;
pub mod proof;
pub mod serve;
pub mod smtp;
pub mod vault;
pub mod write_ahead_log;
