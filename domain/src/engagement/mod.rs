//! What is heard of a message after a server took it: late bounces and complaints, in a stream of their own.
//!
//! Decides whether a report says something new: the same one is on record once, and a message has so many at most, since
//! whoever got it can write them. It never knows the address; that is sealed. Start at `state.rs`.

mod command;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::EngagementCommand;
pub use event::{Bounce, Complaint, ComplaintKind, EngagementEvent, ReportDigest};
pub use refusal::EngagementRefusal;
pub use state::Engagement;
