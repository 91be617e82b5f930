//! The classes of outcomes, in the words of events and of the API.

use serde::{Deserialize, Serialize};

/// What kind of no it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeClass {
    /// There is no such mailbox.
    RecipientUnknown,
    /// There is no such domain, or it takes no mail.
    BadDomain,
    /// The mailbox is closed, disabled or has moved.
    InactiveMailbox,
    /// The mailbox or the server is full.
    Quota,
    /// No way leads there.
    Routing,
    /// One side does not speak what the other expects.
    Protocol,
    /// Who we are is not enough: login, SPF, DKIM, DMARC, or a rule of the house.
    PolicyAuth,
    /// Our address or name has a bad reputation there.
    Blocked,
    /// The content is not wanted.
    Content,
    /// Come again in some minutes, as everybody who is new.
    Greylisted,
    /// Too much, or too fast.
    Throttled,
    /// The protection that one side demands is not there.
    Tls,
    /// Its time was over, and what kept it last was that TLS which it needed was not to be had.
    TlsRequiredUnavailable,
    /// Nobody took it in time.
    Expired,
    /// Nothing of the above is said.
    Other,
}

impl OutcomeClass {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::RecipientUnknown,
        Self::BadDomain,
        Self::InactiveMailbox,
        Self::Quota,
        Self::Routing,
        Self::Protocol,
        Self::PolicyAuth,
        Self::Blocked,
        Self::Content,
        Self::Greylisted,
        Self::Throttled,
        Self::Tls,
        Self::TlsRequiredUnavailable,
        Self::Expired,
        Self::Other,
    ];

    /// The word for it, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecipientUnknown => "recipient_unknown",
            Self::BadDomain => "bad_domain",
            Self::InactiveMailbox => "inactive_mailbox",
            Self::Quota => "quota",
            Self::Routing => "routing",
            Self::Protocol => "protocol",
            Self::PolicyAuth => "policy_auth",
            Self::Blocked => "blocked",
            Self::Content => "content",
            Self::Greylisted => "greylisted",
            Self::Throttled => "throttled",
            Self::Tls => "tls",
            Self::TlsRequiredUnavailable => "tls_required_unavailable",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }
}
