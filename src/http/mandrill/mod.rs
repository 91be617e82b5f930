//! Mandrill's API: unmodified clients call `/api/1.x/<category>/<method>` with a key in the body.
//!
//! Every answer is JSON, every error a non-empty object in Mandrill's form. Start at `call.rs`; the methods are one file
//! per category, `messages` one per method.

mod call;
mod content;
mod error;
mod info;
mod merge_fields;
mod messages;
mod raw;
mod search;
mod users;
mod wire;

pub(super) use call::{Call, answer, unknown, wrong_verb};
