//! The program as people start it: the demo, the server, and the commands beside them.

mod commands;
mod demo;
pub mod program;
mod secrets;
mod serve;
mod stopped;
