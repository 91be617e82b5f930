//! Brings messages to their destinations.

pub mod dkim;
