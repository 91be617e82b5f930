//! Laws that hold for every sequence of commands and every value: tested on random ones.

mod any_commands;
mod any_message;
mod every_aggregate;
mod message;
mod round_trip;
