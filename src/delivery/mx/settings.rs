//! The settings of name resolution.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Name resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsConfig {
    /// The resolvers to ask; those of `/etc/resolv.conf` when none is named.
    pub servers: Vec<SocketAddr>,
    /// Whether signatures are validated here: `auto` does where the resolvers hand them through, `always` lets mail wait where they do not, `never` believes what comes.
    pub validation: DnsValidation,
    /// DNSKEY records to trust instead of the root's, in zone-file form with the class; mail waits where they do not validate.
    pub trust_anchor: Option<PathBuf>,
    /// How many milliseconds one try of a question may take, 100..=30,000; there are two tries.
    pub timeout_ms: u32,
    /// How many seconds an answer is kept at most, 1..=86,400; at least it is kept for 30.
    pub keep_s_max: u32,
    /// Whether mail goes out by IPv6: `auto` where the host has a route to it.
    pub ipv6: Ipv6Use,
    /// Whether the DNS may lead mail to loopback, private and other addresses that are not public; for test beds.
    pub allow_private: bool,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            validation: DnsValidation::Auto,
            trust_anchor: None,
            timeout_ms: 5_000,
            keep_s_max: 3_600,
            ipv6: Ipv6Use::Auto,
            allow_private: false,
        }
    }
}

/// Whether signatures are validated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsValidation {
    /// Where the resolvers hand them through.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Not here.
    Never,
}

/// Whether mail goes out by IPv6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ipv6Use {
    /// Where the host has a route to it.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}
