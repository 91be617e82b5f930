//! What a message's events say of TLS: wanted, reached, what failed on the way, and why clear text was used.

use serde::{Deserialize, Serialize};

use crate::message::TlsLevel;

use super::demand::TlsNeed;
use super::failure::TlsFailure;

/// How large the first message of our handshake was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hello {
    /// With post-quantum key exchange: more than one TCP segment on many paths.
    #[default]
    Full,
    /// Without it: for the one retry past a middlebox that drops the larger one.
    Reduced,
}

/// Why a message was allowed to go in clear text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClearReason {
    /// The host does not offer TLS.
    NotOffered,
    /// The host does not offer TLS, another one of the domain failed at it, and the mail had waited.
    NotOfferedAged,
    /// The host refused to begin TLS, and the account wants no delay for that.
    StarttlsRefused,
    /// The host refused to begin TLS, and the mail had waited.
    StarttlsRefusedAged,
    /// The handshake failed with the large and the small ClientHello, and the mail had waited.
    HandshakeFailedAged,
    /// The host knows only TLS before 1.2, and the mail had waited.
    OldTlsAged,
}

impl ClearReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::NotOffered,
        Self::NotOfferedAged,
        Self::StarttlsRefused,
        Self::StarttlsRefusedAged,
        Self::HandshakeFailedAged,
        Self::OldTlsAged,
    ];

    /// Whether only mail that has waited may use it.
    #[must_use]
    pub const fn is_of_aged_mail(self) -> bool {
        match self {
            Self::NotOffered | Self::StarttlsRefused => false,
            Self::NotOfferedAged | Self::StarttlsRefusedAged | Self::HandshakeFailedAged | Self::OldTlsAged => true,
        }
    }
}

/// One try at one host that TLS failed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFailed {
    /// Name of the host.
    pub host: String,
    /// How it failed.
    pub failure: TlsFailure,
    /// With which ClientHello.
    pub hello: Hello,
}

/// What an attempt was to reach, what it reached, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsRecord {
    /// What the message needed.
    pub wanted: TlsNeed,
    /// The level of the session; `None` where none was open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reached: Option<TlsLevel>,
    /// What failed on the way to the session, in order; of a kept session with its first message only.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failures: Vec<TlsFailed>,
    /// Why the session is in clear text; `None` where it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clear: Option<ClearReason>,
}
