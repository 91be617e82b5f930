//! The activity of an account: one row per message, newest first, searched by what people remember of a mail.
//!
//! A row has what Mandrill's *message info* has, with the last attempts behind it. Personal values are in clear here and
//! nowhere else on disk; what is erased in the log has no value here, and no search finds it.

mod attempt;
mod count;
mod filter;
mod fold;
mod query;
mod search_match;
mod search_text;
mod state;
#[cfg(test)]
mod tests;

pub use attempt::{ActivityAttempt, AttemptResult};
pub use count::ActivitySender;
pub use filter::{ActivityCursor, ActivityFilter, TextMatch};
pub use fold::Activity;
pub use query::{ActivityPage, ActivityQueries, ActivityRow};
pub use search_text::{QueryRefusal, SearchQuery};
pub use state::{ActivityState, StateName};
