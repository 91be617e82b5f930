//! When a message may go out without TLS, and what follows where TLS fails. No IO: a walk over mail hosts asks here after
//! each failure, and tells the answer in the message's events.
//!
//! What never happens: clear text under a demand that forbids it, or to young mail after a handshake that failed. Start
//! at `rule.rs`.

mod demand;
mod failure;
mod record;
mod rule;
#[cfg(test)]
mod tests;

pub use demand::{AccountTls, TlsNeed};
pub use failure::{Taint, TlsFailure};
pub use record::{ClearReason, Hello, TlsFailed, TlsRecord};
pub use rule::{MailAge, Step, TlsWant, deferral_status};
