//! Name resolution against zones in memory, and against a name server on loopback.

mod hosts;
mod name_server;
mod over_the_wire;
mod zones;
