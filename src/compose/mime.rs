//! Composes a checked draft: one body for all recipients, and a small head for each.

use chrono::{DateTime, Utc};
use sealpost_domain::address::DomainName;
use uuid::Uuid;

use super::body::shared_body;
use super::draft::{Draft, check_message_size};
use super::head::heads;
use super::merged::compose_merged;
use super::refusal::ComposeRefusal;

/// What a composition does not find out itself.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The header Date.
    pub date: DateTime<Utc>,
    /// What stands behind the `@` of each Message-ID.
    pub message_id_domain: DomainName,
    /// Makes the boundaries. Must be unguessable for the author of the text and new for each call.
    pub boundary_seed: Uuid,
}

impl Stamp {
    /// The Message-ID of a message, with its brackets.
    #[must_use]
    pub fn message_id(&self, id: Uuid) -> String {
        format!("<{}@{}>", id.as_hyphenated(), self.message_id_domain)
    }
}

/// The messages of a call. The message of recipient `i` is `heads[i].head` followed by the body that it names.
#[derive(Clone, PartialEq, Eq)]
pub struct ComposedCall {
    /// From `MIME-Version` to the last CRLF, for all recipients or the first. Holds the empty line that ends the headers.
    pub shared_body: Vec<u8>,
    /// Other bodies, where variables make some: each stands once, however many recipients have it.
    pub more_bodies: Vec<Vec<u8>>,
    /// One head per recipient, in the order of the draft.
    pub heads: Vec<ComposedHead>,
}

/// What is the recipient's own.
#[derive(Clone, PartialEq, Eq)]
pub struct ComposedHead {
    /// Whole header lines, each with its CRLF, without the empty line that ends the headers.
    pub head: Vec<u8>,
    /// The Message-ID with its brackets.
    pub message_id: String,
    /// Which body follows: 0 is the shared one, then come the others.
    pub body: usize,
    /// The subject, where variables make one of the recipient's own.
    pub subject: Option<String>,
}

/// Composes the messages of a call. Equal input gives equal bytes.
///
/// Every line has at most 998 bytes, ends in CRLF and is ASCII; no message names a Bcc recipient to another one.
///
/// # Errors
/// As [`Draft::check`], [`ComposeRefusal::TooLarge`] for a finished message above 25 MiB, and, where variables are merged,
/// [`ComposeRefusal::BadTemplate`], [`ComposeRefusal::MergesTooMuch`] and what a merged text breaks.
pub fn compose(draft: &Draft, stamp: &Stamp) -> Result<ComposedCall, ComposeRefusal> {
    draft.check()?;
    if let Some(merge) = &draft.merge {
        return compose_merged(draft, merge, stamp);
    }
    let shared_body = shared_body(draft, stamp.boundary_seed);
    let heads = heads(draft, stamp);
    let longest = heads.iter().map(|head| head.head.len()).max().unwrap_or_default();
    check_message_size(shared_body.len().saturating_add(longest) as u64)?;
    Ok(ComposedCall {
        shared_body,
        more_bodies: Vec::new(),
        heads,
    })
}
