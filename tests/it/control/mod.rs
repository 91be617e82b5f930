//! The control socket through its door: what the operator may ask, and every refusal.

mod queue;
mod refusals;
