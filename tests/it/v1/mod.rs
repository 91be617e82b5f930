//! The REST API and what stands beside it, through its doors.

mod doors;
mod idempotency;
mod keys;
mod messages;
mod slow_bodies;
mod standing;
mod starting;
mod watch;
