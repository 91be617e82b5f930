//! The databases of read models: the only place that knows a SQL dialect.
//!
//! A fold says statements that SQLite and Postgres share; what differs between them (opening, pragmas, transactions,
//! reading a schema back) stands here, one file per database.

pub mod sqlite;
