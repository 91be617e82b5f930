//! Says where reports are taken, and how much that may cost.

use std::net::SocketAddr;
use std::time::Duration;

use sealpost_domain::address::DomainName;
use sealpost_domain::limits;

/// How the server for reports is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundSettings {
    /// Our host name, in the greeting.
    pub host: String,
    /// The domain whose mail it takes.
    pub domain: DomainName,
    /// Where it listens; port 0 picks a free one.
    pub listen: Vec<SocketAddr>,
    /// How long a command may take.
    pub command: Duration,
    /// How long a dialogue may take.
    pub dialogue: Duration,
    /// How long dialogues get to come to their end when the server closes.
    pub drain: Duration,
}

impl InboundSettings {
    /// Settings with the limits of `docs/limits.md`.
    #[must_use]
    pub fn new(host: &str, domain: DomainName, listen: Vec<SocketAddr>, drain: Duration) -> Self {
        Self {
            host: host.to_owned(),
            domain,
            listen,
            command: Duration::from_secs(limits::INBOUND_COMMAND_S),
            dialogue: Duration::from_secs(limits::INBOUND_DIALOGUE_S),
            drain,
        }
    }
}
