//! How TLS failed at a host: the classes that the rule tells apart.

use serde::{Deserialize, Serialize};

/// How a session with a host fell short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFailure {
    /// F0: nothing answered, or it did not want to talk. This says nothing of TLS.
    Unready,
    /// F1: `STARTTLS` is not offered, or its keyword was overwritten on the way.
    NotOffered,
    /// F2: `STARTTLS` was refused with 4yz.
    RefusedTransiently,
    /// F3: `STARTTLS` was refused with 5yz, or answered with what has no meaning there.
    RefusedPermanently,
    /// F4: alert, garbage, end or time limit in the handshake, or a connection lost on the way to it.
    Handshake,
    /// F4, where the server knows only TLS before 1.2.
    OldVersion,
    /// F5: bytes in clear text behind the 220, which a man in the middle could have put there (RFC 3207 §6).
    Injected,
    /// F6: the handshake came to its end, and the server could not be used inside TLS.
    AfterHandshake,
    /// F7: the certificate is not the one that was demanded.
    Identity,
}

/// What an attempt has seen of failing TLS so far, by rising weight: clear text at one host is also a question of what
/// happened at the host before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Taint {
    /// Nothing.
    #[default]
    None,
    /// A server offered `STARTTLS` and refused it.
    Refused,
    /// A handshake failed, or what came around it was not clean.
    Handshake,
}

impl TlsFailure {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Unready,
        Self::NotOffered,
        Self::RefusedTransiently,
        Self::RefusedPermanently,
        Self::Handshake,
        Self::OldVersion,
        Self::Injected,
        Self::AfterHandshake,
        Self::Identity,
    ];

    /// `F0` to `F7`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unready => "F0",
            Self::NotOffered => "F1",
            Self::RefusedTransiently => "F2",
            Self::RefusedPermanently => "F3",
            Self::Handshake | Self::OldVersion => "F4",
            Self::Injected => "F5",
            Self::AfterHandshake => "F6",
            Self::Identity => "F7",
        }
    }

    /// What it adds to what an attempt has seen.
    #[must_use]
    pub const fn taint(self) -> Taint {
        match self {
            // A host that never offered TLS has not failed at it, and F0 and F7 are of another kind.
            Self::Unready | Self::NotOffered | Self::Identity => Taint::None,
            Self::RefusedTransiently | Self::RefusedPermanently => Taint::Refused,
            Self::Handshake | Self::OldVersion | Self::Injected | Self::AfterHandshake => Taint::Handshake,
        }
    }
}
