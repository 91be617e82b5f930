//! Describes how a receiver behaves, well or badly.

use std::sync::Arc;

use rustls::ServerConfig;

/// How one receiver behaves.
#[derive(Clone)]
pub struct Personality {
    /// Name in the greeting and in the reply to `EHLO`.
    pub greeting_name: String,
    /// Certificate and key; needed for [`Offer::Works`].
    pub tls: Option<Arc<ServerConfig>>,
    /// What becomes of `STARTTLS`.
    pub starttls: Offer,
    /// What becomes of recipients.
    pub recipients: RecipientRule,
    /// Whether it talks at all.
    pub pace: Pace,
}

/// What a receiver does about `STARTTLS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is not offered.
    None,
    /// It is offered and works. Without a [`ServerConfig`] it is refused with 454, as a server whose key is broken does.
    Works,
    /// It is offered and refused with 454.
    Refuse454,
    /// It is offered and accepted, and what follows is no TLS.
    BreakHandshake,
}

/// What a receiver does about recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientRule {
    /// Accepts all.
    Accept,
    /// Refuses all with this code, 400..=599, and text, which may start with an enhanced status.
    Reject(u16, String),
    /// Defers the first try of each pair of reverse-path and forward-path with `450 4.7.1`, accepts the next.
    Greylist,
}

/// Whether a receiver talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It answers at once.
    Prompt,
    /// It accepts the connection and then says nothing, not even a greeting.
    Hang,
}

impl Personality {
    /// A receiver that accepts everything, in clear text.
    pub fn plain(greeting_name: &str) -> Self {
        Self {
            greeting_name: greeting_name.to_owned(),
            tls: None,
            starttls: Offer::None,
            recipients: RecipientRule::Accept,
            pace: Pace::Prompt,
        }
    }

    /// A receiver that accepts everything and offers TLS.
    pub fn encrypted(greeting_name: &str, tls: Arc<ServerConfig>) -> Self {
        Self {
            tls: Some(tls),
            starttls: Offer::Works,
            ..Self::plain(greeting_name)
        }
    }
}
