//! SMTP submission, from the first byte to the mail that arrives: by hand, and by clients that others wrote.

pub mod client;
mod crash;
mod crowds;
mod dialogue;
mod foreign;
mod headers;
mod patience;
mod relay;
mod sessions;
pub mod smuggling;
pub mod world;
