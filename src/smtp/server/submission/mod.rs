//! Takes mail from programs that log in with an API key: submission by SMTP (RFC 6409, RFC 8314).
//!
//! A key never crosses a network in clear, and a session lasts no longer than its key: the account is asked at every
//! `MAIL`, and once more when the message is decided. `250` is said when every recipient's accept is on disk; all
//! recipients of a transaction are one unit. What the dialogue costs is bounded: connections, lines, replies that nobody
//! reads, contents in memory, time. Start at `house.rs`, then `session.rs`.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | where it listens, how much it bears |
//! | `house` | [`Submission`]: the listeners, and what all sessions share |
//! | `guard` | connections and failed logins, counted |
//! | `session` | one dialogue: which command is allowed when |
//! | `login`, `envelope`, `content` | `AUTH`; `MAIL` and `RCPT`; `DATA` to its answer |
//! | `reply_code` | every refusal |

mod content;
mod envelope;
mod guard;
mod house;
mod login;
mod reply_code;
mod session;
mod settings;

pub use house::{Submission, SubmissionFailure, SubmissionParts};
pub use reply_code::ReplyCode;
pub use settings::{ConnectionLimits, Cover, Listener, LoginInClear, Pace, SubmissionSettings};
