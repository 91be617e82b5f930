//! Says where the submission server listens, and how much it bears.

use std::net::SocketAddr;
use std::time::Duration;

use sealpost_domain::limits;
use serde::{Deserialize, Serialize};

/// How a listener is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Clear text until `STARTTLS` (RFC 3207).
    StartTls,
    /// TLS from the first byte on (RFC 8314).
    Implicit,
}

/// One listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The address; port 0 picks a free one.
    pub address: SocketAddr,
    /// How it is covered.
    pub cover: Cover,
}

/// Where a key may be shown in clear text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginInClear {
    /// Within this machine.
    #[default]
    Loopback,
    /// Nowhere: what stands on this machine speaks for others, as a proxy does.
    Never,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A command of a client that has not logged in.
    pub stranger: Duration,
    /// A command of a client that has logged in.
    pub guest: Duration,
    /// The beginning of a content.
    pub content_grace: Duration,
    /// Bytes per second of a content, after that.
    pub content_bytes_per_s: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            stranger: Duration::from_secs(limits::SUBMISSION_FIRST_COMMAND_S),
            guest: Duration::from_secs(limits::SUBMISSION_COMMAND_S),
            content_grace: Duration::from_secs(limits::SUBMISSION_CONTENT_S),
            content_bytes_per_s: limits::SUBMISSION_PACE_BYTES_PER_S,
        }
    }
}

/// How many connections there may be at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Of all clients.
    pub all: usize,
    /// Of one network: an IPv4 /24 or an IPv6 /64.
    pub network: usize,
    /// Logged in with one key.
    pub key: usize,
}

/// How the submission server is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionSettings {
    /// Our host name, in the greeting and in `Received`.
    pub host: String,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// Where a key may be shown in clear text.
    pub login_in_clear: LoginInClear,
    /// How many connections it bears.
    pub connections: ConnectionLimits,
    /// How long things may take.
    pub pace: Pace,
    /// How long dialogues get to come to their end when the server closes.
    pub drain: Duration,
}
