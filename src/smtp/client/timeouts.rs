//! Names the time limits of a dialogue, one for each stage (RFC 5321 §4.5.3.2).

use std::time::Duration;

/// How long each stage may take. The defaults are shorter than RFC 5321 suggests, except where a shorter limit would
/// make mail arrive twice: after the final dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP handshake; 30 s.
    pub connect: Duration,
    /// From the TCP handshake to the complete greeting; 60 s, RFC: 5 minutes.
    pub greeting: Duration,
    /// From a command to its complete reply; 60 s, RFC: 5 minutes.
    pub command: Duration,
    /// TLS handshake; 30 s.
    pub handshake: Duration,
    /// From `DATA` to `354`, and for each write of content; 120 s, RFC: 2 and 3 minutes.
    pub data: Duration,
    /// From the final dot to the complete reply; 600 s as in the RFC, because the server may already have the message.
    pub final_dot: Duration,
    /// For `QUIT`, its reply and the orderly end of TLS together; 5 s: nothing depends on it.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(60),
            command: Duration::from_secs(60),
            handshake: Duration::from_secs(30),
            data: Duration::from_secs(120),
            final_dot: Duration::from_secs(600),
            quit: Duration::from_secs(5),
        }
    }
}
