//! A message to one recipient: from its accept to its last outcome.
//!
//! Decides whether an attempt may start, what an outcome means, and when to try again. It never knows the address it
//! goes to: that is sealed, and `decide` does without. Start at `state.rs`.

mod command;
mod event;
mod outcome;
pub mod outcome_rules;
mod refusal;
mod retry;
mod state;
#[cfg(test)]
mod tests;
mod tracking;

pub use command::{Accept, MessageCommand, Reject, StartAttempt};
pub use event::{
    Accepted, Attempted, BounceKind, HoldReason, InDoubtCause, MessageEvent, NotStartedReason, RejectReason, Rejected,
    Resolution, Started,
};
pub use outcome::{
    Answered, AttemptOutcome, CertificateVerdict, DeferralReason, EnhancedStatus, InDoubtPolicy, Reached, Reply,
    Timings, TlsFacts, TlsLevel, classify_reply,
};
pub use outcome_rules::{Judged, OutcomeClass};
pub use refusal::MessageRefusal;
pub use retry::RetryPolicy;
pub use state::{Message, Order, Phase};
pub use tracking::{ClickTracking, OpenTracking, Tracking};
