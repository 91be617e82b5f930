//! The command line: one file per command. Against a running server every command goes through its control socket; a
//! folder that no server runs on is opened for the command alone.

mod account;
mod arguments;
mod audit;
mod control_client;
mod demo;
mod domain;
mod key;
mod message;
mod place;
mod queue;
mod run;
mod serve;
mod show;

pub use run::run;
