//! Documents that are checked against the program: command line, configuration, README.

mod command_line;
mod configuration;
mod errors;
pub mod golden;
mod readme;
