//! What came of an attempt, and what an SMTP reply means for the message (RFC 5321 §4.2.1, RFC 3463).

use serde::{Deserialize, Serialize};

use crate::personal::Personal;

use super::event::{BounceKind, InDoubtCause, NotStartedReason};
use super::outcome_rules::{Judged, Verdict, judge};

/// An enhanced status code `class.subject.detail`, RFC 3463 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnhancedStatus(pub u8, pub u16, pub u16);

impl std::fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A reply of the remote server. Its text may quote addresses, so it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Basic code, 200..=599.
    pub code: u16,
    /// Enhanced status, where the server gave one whose class fits the code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enhanced: Option<EnhancedStatus>,
    /// The text, lines joined by a space, cut to 1,024 bytes.
    pub text: Personal<String>,
}

/// Protection that a session reached, or that a message demands: `Plain < Encrypted < Authenticated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsLevel {
    /// No TLS.
    Plain,
    /// TLS with any certificate.
    Encrypted,
    /// TLS with a certificate that is valid for the server's name.
    Authenticated,
}

/// What WebPKI says of the server's certificate for the name we looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateVerdict {
    /// Chain, name and dates are right.
    Valid,
    /// Past its last day.
    Expired,
    /// Before its first day.
    NotYetValid,
    /// Right chain, another name.
    NameMismatch,
    /// Issued by nobody we know.
    UnknownIssuer,
    /// Issued by itself.
    SelfSigned,
    /// Revoked by its issuer.
    Revoked,
    /// Wrong in another way.
    Other,
}

/// Facts of the TLS session that carried, or was to carry, a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// Protocol version, e.g. `TLSv1.3`.
    pub version: String,
    /// Key-exchange group, e.g. `X25519MLKEM768`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// Cipher suite by its IANA name.
    pub cipher: String,
    /// SHA-256 of the leaf certificate's DER, hex.
    pub certificate_sha256: String,
    /// WebPKI's verdict for the name of the server.
    pub verdict: CertificateVerdict,
    /// Level that the session reached.
    pub level: TlsLevel,
}

/// Where the time of an attempt went, in milliseconds since it began on this connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Connect, greeting and TLS; zero on a kept connection.
    pub connect_ms: u32,
    /// From MAIL to the end.
    pub transact_ms: u32,
}

/// How far an attempt had come when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// No `DATA` of this message was answered with 354: nothing of its content has left.
    BeforeData,
    /// Its content, or a part of it, has left.
    Data,
}

/// Why a message waits for another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeferralReason {
    /// The server said "later" (4xx).
    Reply,
    /// Nothing answered at the address.
    ConnectFailed,
    /// The connection broke or timed out before anything could have been accepted.
    ConnectionLost,
    /// The server spoke what is no SMTP.
    ProtocolError,
    /// STARTTLS was announced and then refused.
    TlsRefused,
    /// The handshake broke, or what came around it was not clean.
    TlsBroken,
    /// The certificate is not what the route demands.
    TlsNotAuthenticated,
    /// TLS is demanded and not offered.
    TlsNotOffered,
    /// No route leads to the domain.
    NoRoute,
    /// The DNS gave no answer that could be used for the domain.
    DnsFailed,
    /// The DNS gave an answer whose signature is wrong or missing.
    DnsBogus,
    /// The smarthost did not let us in.
    LoginFailed,
    /// The content or its keys could not be read here.
    ContentUnavailable,
    /// Its time was over before an attempt began.
    Expired,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The final dot was answered with 2xx.
    Delivered(Reply),
    /// Try again later.
    Deferred {
        /// Why.
        reason: DeferralReason,
        /// The server's words, where it said any.
        reply: Option<Reply>,
    },
    /// The server said "never" (5xx).
    Bounced {
        /// What kind of never.
        kind: BounceKind,
        /// Its class, and the rules that found it.
        judged: Judged,
        /// The server's words.
        reply: Reply,
    },
    /// The attempt did not begin after all; due at once elsewhere.
    NotStarted(NotStartedReason),
    /// Lost between the final dot and a parsed reply.
    InDoubt(InDoubtCause),
}

/// What to do with a message whose last attempt is in doubt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubtPolicy {
    /// Send again, with the same Message-ID: twice is better than never.
    #[default]
    Resend,
    /// Wait for a person: never is better than twice.
    Hold,
}

/// What a reply answered: a server says different things with one code at different moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// `MAIL`: what it refuses is us, or the reverse-path.
    Sender,
    /// `RCPT`: what it refuses is this mailbox.
    Recipient,
    /// `DATA`, or the content: what it refuses is this message.
    Content,
}

/// Reads the outcome off a final reply. The basic code decides between now, later and never; the rules of
/// [`super::outcome_rules`] say which kind of never. Only classes that name the mailbox itself are [`BounceKind::Hard`].
#[must_use]
pub fn classify_reply(reply: Reply, answered: Answered) -> AttemptOutcome {
    match reply.code {
        200..=299 => AttemptOutcome::Delivered(reply),
        // RFC 5321 §4.5.3.1.10: too many recipients is temporary, even where it is said with a 5.
        500..=599 if !matches!(reply.enhanced, Some(EnhancedStatus(_, 5, 3))) => {
            let Verdict { judged, never } = judge(&reply, Some(answered));
            AttemptOutcome::Bounced {
                kind: never,
                judged,
                reply,
            }
        }
        _ => AttemptOutcome::Deferred {
            reason: DeferralReason::Reply,
            reply: Some(reply),
        },
    }
}
