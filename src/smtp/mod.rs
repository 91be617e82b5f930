//! The SMTP protocol: `wire` knows its words, `client` speaks it outward, `server` receives.
//!
//! `wire` imports nothing of ours; `client` and `server` import only `wire` and never each other.

pub mod client;
pub mod server;
pub mod wire;

#[cfg(test)]
mod tests;
