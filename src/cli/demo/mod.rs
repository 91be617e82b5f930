//! `sealpost demo`: a seeded server with receivers of its own, no network needed.

mod ready;
mod run;
mod seed;
mod world;

pub(super) use run::demo;
