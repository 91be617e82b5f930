//! What was heard of a message after it was taken. A promise to every reader of the log: changed only by a new version.

use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::instant::Instant;
use crate::message::{BounceKind, Judged, Reply};
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};

/// SHA-256 of the part of a report that a program reads: the same report tells it again whichever way it comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportDigest(String);

impl ReportDigest {
    /// The digest in hex.
    #[must_use]
    pub fn from_hex(hex: String) -> Self {
        Self(hex)
    }

    /// The digest in hex.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A delivery status notification that says "failed" (RFC 3464).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// Which kind of never.
    pub kind: BounceKind,
    /// Its class, and the rules that found it.
    pub judged: Judged,
    /// The words that the report quotes, with `Status` as their enhanced status.
    pub reply: Reply,
    /// The server that refused it, as the report names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote_mta: Option<String>,
    /// The server that reports, as the report names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reporting_mta: Option<String>,
    /// Which report it was.
    pub report: ReportDigest,
    /// When it came in.
    pub received_at: Instant,
}

/// What a feedback report is about (RFC 5965 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintKind {
    /// Somebody called it spam.
    Abuse,
    /// It is taken for fraud.
    Fraud,
    /// A virus was found in it.
    Virus,
    /// Another kind that somebody complains about.
    Other,
}

/// A feedback report of a mailbox provider (ARF, RFC 5965).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// What it is about.
    pub kind: ComplaintKind,
    /// What the reporting program calls itself.
    pub reporter: Personal<String>,
    /// The server that reports, as the report names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reporting_mta: Option<String>,
    /// Which report it was.
    pub report: ReportDigest,
    /// When it came in.
    pub received_at: Instant,
}

/// Events of a message's late facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngagementEvent {
    /// It did not arrive after all.
    BounceReceived(Box<Bounce>),
    /// Its recipient complained.
    ComplaintReceived(Box<Complaint>),
}

domain_event!(EngagementEvent {
    BounceReceived,
    ComplaintReceived
});

impl HasPersonal for EngagementEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::BounceReceived(bounce) => {
                visitor.field("reply_text", Subject::Recipient, &mut bounce.reply.text);
            }
            Self::ComplaintReceived(complaint) => {
                visitor.field("reporter", Subject::Recipient, &mut complaint.reporter);
            }
        }
    }
}
