//! Decides who may come in: from the text of a key, or a password, to a caller with an account.
//!
//! Never decides whether a key still works: that is its account's actor, so that a revocation and the next use have one
//! order. Nothing here keeps a key or a password in clear longer than the call that brought it. Start at `gate.rs`.
//!
//! | file | holds |
//! |---|---|
//! | `gate` | [`Gate`]: a call with a key → [`Caller`] or [`GateRefusal`] |
//! | `key_form`, `key_lookup` | the form of keys, drawn and checked; whose a key is |
//! | `issue` | [`KeyDesk`]: issues keys |
//! | `enrolment` | [`Enrolment`]: opens accounts and registers users |
//! | `password` | argon2id, two at a time |
//! | `strangers` | refusals that name no account, counted |

mod enrolment;
mod gate;
mod issue;
mod key_form;
mod key_lookup;
mod password;
mod strangers;

pub use enrolment::{EnrolFailure, Enrolled, Enrolment, NewAccount, NewUser};
pub use gate::{Caller, Gate, GateRefusal, Visit};
pub use issue::{IssueFailure, IssueRequest, IssuedKey, KeyDesk};
pub use key_form::{BadForm, DrawFailed, KeySecret};
pub use key_lookup::{KeyIndex, LookupFailure};
pub use password::{Match, PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN, PasswordFailure, PasswordRefusal, Passwords};
pub use strangers::{CountRecord, Counting, RECORD_EVERY, Recorded, Strangers};
