//! The settings of the doors: where HTTP and submission listen, and with which certificate.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use sealpost_domain::limits;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::smtp::server::submission::LoginInClear;

/// The listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Plain HTTP, on loopback only; port 0 picks a free one.
    pub plain: Option<SocketAddr>,
    /// HTTPS; port 0 picks a free one.
    pub secure: Option<SocketAddr>,
    /// Certificate chain in PEM; a self-made one when it is not set.
    pub certificate: Option<PathBuf>,
    /// Its private key in PEM.
    pub private_key: Option<PathBuf>,
    /// Token that opens `/metrics` from elsewhere than loopback.
    #[serde(skip_serializing)]
    pub metrics_token: Option<Secret>,
}

/// A secret of the configuration: it is read, and never shown or written again.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret in clear.
    #[must_use]
    pub const fn expose(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SMTP submission; the certificate is that of `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubmissionConfig {
    /// Listeners that begin in clear and offer STARTTLS, by custom 587 and 2525; port 0 picks a free one.
    pub starttls: Vec<SocketAddr>,
    /// Listeners with TLS from the first byte, by custom 465; port 0 picks a free one.
    pub implicit_tls: Vec<SocketAddr>,
    /// Where a key may be shown without TLS: within this machine, or nowhere, as behind a proxy on this machine.
    pub login_in_clear: LoginInClear,
    /// Connections at a time, 1..=1,000,000.
    pub connections_max: u32,
    /// How many of them are of one IPv4 /24 or one IPv6 /64; loopback has no share of its own.
    pub connections_per_network_max: u32,
    /// How many of them are logged in with one key.
    pub connections_per_key_max: u32,
}

impl Default for SubmissionConfig {
    fn default() -> Self {
        let number = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
        Self {
            starttls: Vec::new(),
            implicit_tls: Vec::new(),
            login_in_clear: LoginInClear::default(),
            connections_max: number(limits::SUBMISSION_CONNECTIONS_MAX),
            connections_per_network_max: number(limits::SUBMISSION_CONNECTIONS_PER_NETWORK_MAX),
            connections_per_key_max: number(limits::SUBMISSION_CONNECTIONS_PER_KEY_MAX),
        }
    }
}

impl SubmissionConfig {
    /// The first key whose number is out of its range.
    pub(super) fn key_out_of_range(&self) -> Option<&'static str> {
        let numbers = [
            (self.connections_max, "submission.connections_max"),
            (
                self.connections_per_network_max,
                "submission.connections_per_network_max",
            ),
            (self.connections_per_key_max, "submission.connections_per_key_max"),
        ];
        let mut wrong = numbers
            .into_iter()
            .filter(|(number, _)| !(1..=1_000_000).contains(number));
        wrong.next().map(|(_, key)| key)
    }
}
