//! Names where a dialogue stood and how it ended early: refused by the server, or broken.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::smtp::wire::{Reply, ReplyFault};

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The TCP handshake.
    Connect,
    /// Waiting for `220`.
    Greeting,
    /// `EHLO`, or `HELO` after it was refused.
    Hello,
    /// `STARTTLS` and its reply.
    StartTls,
    /// The TLS handshake.
    Handshake,
    /// `EHLO` inside TLS.
    HelloAfterTls,
    /// `AUTH` and its responses.
    Login,
    /// `RSET` before the next transaction.
    Reset,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA` and its `354`.
    Data,
    /// The content before its final dot.
    Content,
    /// The final dot and the reply to it: the only stage whose loss leaves a doubt.
    FinalDot,
    /// `QUIT`.
    Quit,
}

/// The server said no, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server refused at {stage} with {}", .reply.code())]
pub struct Refusal {
    /// What was refused.
    pub stage: Stage,
    /// The reply: 4yz or 5yz, or a code that has no meaning at this stage.
    pub reply: Reply,
}

/// The connection came to an end, or can only be ended.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke at {stage}: {cause}")]
pub struct Broken {
    /// What was being done.
    pub stage: Stage,
    /// How it broke.
    #[source]
    pub cause: Cause,
}

/// How a connection broke.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The limit of the stage ran out.
    #[error("nothing complete within {} ms", .limit.as_millis())]
    TimedOut {
        /// The limit of the stage.
        limit: Duration,
    },
    /// The server closed the connection in an orderly way.
    #[error("the server closed it")]
    Closed,
    /// The operating system or the TLS layer reported an error.
    #[error("input or output failed")]
    Io(#[source] io::Error),
    /// What came is no reply.
    #[error("the reply cannot be read")]
    Unreadable(#[source] ReplyFault),
    /// Bytes came that nobody asked for: replies and commands no longer match.
    #[error("the server sent {byte_count} bytes that nobody asked for")]
    Unasked {
        /// Count of bytes seen.
        byte_count: usize,
    },
    /// A reply to the final dot that is neither yes nor no.
    #[error("the reply to the final dot was {code}")]
    Meaningless {
        /// The reply code.
        code: u16,
    },
    /// An earlier failure, or a dialogue that was dropped halfway, has left the connection out of step.
    #[error("it was out of step already")]
    OutOfStep,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Handshake => "TLS handshake",
            Self::HelloAfterTls => "EHLO after TLS",
            Self::Login => "AUTH",
            Self::Reset => "RSET",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "content",
            Self::FinalDot => "final dot",
            Self::Quit => "QUIT",
        })
    }
}
