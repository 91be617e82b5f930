//! Who may demand TLS, and how several demands come to one: the strictest wins.

use serde::{Deserialize, Serialize};

use crate::message::TlsLevel;

/// What an account chooses for all its mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountTls {
    /// TLS where it is to be had; clear text at once only where it is not offered.
    #[default]
    Default,
    /// Never clear text; any certificate will do.
    Always,
    /// Never anything but TLS with a certificate that is valid for the host's name.
    Authenticated,
    /// As the default, and clear text at once where a server offers TLS and then refuses to begin it.
    Immediate,
}

impl AccountTls {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Default, Self::Always, Self::Authenticated, Self::Immediate];

    /// The least protection that it demands.
    #[must_use]
    pub const fn least(self) -> TlsLevel {
        match self {
            Self::Default | Self::Immediate => TlsLevel::Plain,
            Self::Always => TlsLevel::Encrypted,
            Self::Authenticated => TlsLevel::Authenticated,
        }
    }
}

/// What one message needs in the end, by rising strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsNeed {
    /// As opportunistic, and clear text at once where `STARTTLS` is refused.
    Immediate,
    /// TLS where it is to be had.
    Opportunistic,
    /// TLS or nothing, with any certificate.
    Encrypted,
    /// TLS with a certificate that is valid for the host's name, or nothing.
    Authenticated,
}

impl TlsNeed {
    /// Every need.
    pub const ALL: [Self; 4] = [
        Self::Immediate,
        Self::Opportunistic,
        Self::Encrypted,
        Self::Authenticated,
    ];

    /// The strictest of what the account, the message and its route demand.
    #[must_use]
    pub fn strictest(account: AccountTls, message: TlsLevel, route: TlsLevel) -> Self {
        match account.least().max(message).max(route) {
            TlsLevel::Authenticated => Self::Authenticated,
            TlsLevel::Encrypted => Self::Encrypted,
            TlsLevel::Plain if account == AccountTls::Immediate => Self::Immediate,
            TlsLevel::Plain => Self::Opportunistic,
        }
    }

    /// The least protection that meets it.
    #[must_use]
    pub const fn least(self) -> TlsLevel {
        match self {
            Self::Immediate | Self::Opportunistic => TlsLevel::Plain,
            Self::Encrypted => TlsLevel::Encrypted,
            Self::Authenticated => TlsLevel::Authenticated,
        }
    }

    /// Whether clear text is ever allowed.
    #[must_use]
    pub const fn allows_clear(self) -> bool {
        matches!(self, Self::Immediate | Self::Opportunistic)
    }
}
