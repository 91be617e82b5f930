//! What happened to a message. A promise to every reader of the log: changed only by a new version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::{AddressToken, DomainName};
use crate::aggregate::domain_event;
use crate::content::ContentRef;
use crate::ids::{AttemptId, DataKeyId, KeyId};
use crate::instant::Instant;
use crate::metadata::Actor;
use crate::personal::{HasPersonal, Personal, PersonalVisitor, Subject};
use crate::rights::Method;
use crate::tls_rule::{ClearReason, TlsRecord};

use super::outcome::{DeferralReason, Reached, Reply, Timings, TlsFacts, TlsLevel};
use super::outcome_rules::Judged;
use super::tracking::Tracking;

/// What was accepted, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The key that sent it.
    pub key: KeyId,
    /// The method that it came by.
    pub method: Method,
    /// The recipient's address.
    pub recipient: Personal<String>,
    /// Domain of the recipient's address.
    pub recipient_domain: DomainName,
    /// Token of the recipient's address.
    pub address_token: AddressToken,
    /// The data key under which everything that concerns this recipient is sealed.
    pub recipient_key: DataKeyId,
    /// The envelope's reverse-path.
    pub reverse_path: Personal<String>,
    /// The header From's address.
    pub header_from: Personal<String>,
    /// Domain of the header From's address; the DKIM signature is in its name.
    pub from_domain: DomainName,
    /// The subject.
    pub subject: Personal<String>,
    /// The sender's tags.
    pub tags: Personal<Vec<String>>,
    /// The sender's metadata, values as JSON text.
    pub metadata: Personal<BTreeMap<String, String>>,
    /// The subaccount that the sender named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subaccount: Option<Personal<String>>,
    /// What the sender wants measured.
    #[serde(skip_serializing_if = "Tracking::is_unsaid", default)]
    pub tracking: Tracking,
    /// The Message-ID with its angle brackets; the same in every attempt.
    pub message_id_header: String,
    /// Where the content lies.
    pub content: ContentRef,
    /// Least protection that the message demands.
    pub tls_required: TlsLevel,
    /// When it was accepted, by the owner's clock.
    pub accepted_at: Instant,
    /// When it bounces if nobody took it.
    pub expires_at: Instant,
}

/// What was turned away, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The key that tried.
    pub key: KeyId,
    /// The recipient's address, as far as it is one.
    pub recipient: Personal<String>,
    /// The header From's address.
    pub header_from: Personal<String>,
    /// The subject.
    pub subject: Personal<String>,
    /// The sender's tags.
    pub tags: Personal<Vec<String>>,
    /// Why.
    pub reason: RejectReason,
    /// When.
    pub rejected_at: Instant,
}

/// Why a message was turned away at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The address bounced before.
    HardBounce,
    /// The person complained before.
    Complaint,
    /// The person unsubscribed before.
    Unsubscribed,
    /// The account's owner suppressed the address.
    Suppressed,
    /// The recipient's address is none.
    InvalidRecipient,
    /// The header From's domain is not the account's, or cannot sign yet.
    Unsigned,
    /// The key may not send from there, or not to there.
    KeyLimit,
}

/// Who or what holds a message back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A person asked for it.
    Asked,
    /// Its last attempt is in doubt and the account's policy is to hold.
    InDoubt,
    /// Its spool row could not be folded.
    Unfoldable,
    /// Its attempts failed again and again in a way that they should not.
    AttemptsPanicked,
}

/// What kind of "never" it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BounceKind {
    /// The mailbox does not exist: the address is suppressed.
    Hard,
    /// The mailbox exists and did not take it.
    Soft,
    /// The server does not take mail from us.
    Blocked,
    /// The server does not take this message.
    Policy,
    /// Nobody took it in time.
    Expired,
}

/// Why an attempt did not begin after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotStartedReason {
    /// The connection died before `DATA`.
    ConnectionLost,
    /// The recipient was refused before `DATA`; the outcome follows.
    RecipientRefused,
    /// The program stopped in an orderly way before `DATA`.
    Shutdown,
    /// Nobody was told that the start was on record, so nobody sent.
    StartUnconfirmed,
}

/// Where the answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubtCause {
    /// The connection broke after the final dot.
    ConnectionLost,
    /// The reply did not come in time.
    TimedOut,
    /// The reply could not be read.
    UnreadableReply,
    /// The program ended while the attempt was open.
    ProcessEnded,
    /// The attempt itself failed in a way that it should not.
    AttemptPanicked,
}

/// What follows a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Sent again, with the same Message-ID.
    Resend {
        /// From when on.
        at: Instant,
    },
    /// Held for a person.
    Hold,
}

/// The intent to send, on record before `DATA`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Which attempt of the schedule, from 1.
    pub attempt: u32,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Name of the server, as routed.
    pub host: String,
    /// Address and port that were dialled.
    pub peer: String,
    /// SHA-256 of what goes out between `354` and the final dot: CRLF, before dot-stuffing; hex.
    pub content_sha256: String,
    /// Its length in bytes.
    pub content_bytes: u64,
    /// The header block that was put before the stored content (DKIM-Signature, Received).
    pub prepended: Personal<String>,
    /// The TLS session; `None` on a plain one.
    pub tls: Option<TlsFacts>,
    /// Why it goes in clear text; `None` where it does not, and in events from before this was told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clear: Option<ClearReason>,
    /// When.
    pub started_at: Instant,
}

/// Facts that every outcome carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Name of the server, where one was chosen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// Address and port that were dialled.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    /// The TLS session; `None` where there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<TlsFacts>,
    /// What of TLS was wanted and reached, and what failed; `None` where no host was looked for, and in events from before
    /// this was told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls_record: Option<TlsRecord>,
    /// How far it came.
    pub reached: Reached,
    /// Where the time went.
    pub timings: Timings,
    /// When it ended.
    pub ended_at: Instant,
}

/// Events of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageEvent {
    /// Accepted for delivery.
    MessageAccepted(Box<Accepted>),
    /// Turned away; the stream ends here.
    MessageRejected(Box<Rejected>),
    /// Kept from going out.
    MessageHeld {
        /// Why.
        reason: HoldReason,
        /// By whom.
        by: Actor,
    },
    /// Free to go again.
    MessageReleased {
        /// By whom.
        by: Actor,
    },
    /// Thrown away before it went out.
    MessageDiscarded {
        /// By whom.
        by: Actor,
    },
    /// The intent to send, before `DATA`.
    DeliveryStarted(Box<Started>),
    /// The started attempt never reached `DATA`.
    DeliveryNotStarted {
        /// The attempt.
        attempt_id: AttemptId,
        /// Why.
        reason: NotStartedReason,
    },
    /// Not now.
    DeliveryDeferred {
        /// Facts of the attempt.
        attempted: Attempted,
        /// Why.
        reason: DeferralReason,
        /// The server's words, where it said any.
        reply: Option<Reply>,
        /// When it is tried again.
        next_attempt_at: Instant,
        /// The class, and the rules that found it; none of them judged what was stored before there were any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        judged: Option<Judged>,
    },
    /// The remote server took it.
    MessageDelivered {
        /// Facts of the attempt.
        attempted: Attempted,
        /// The server's words.
        reply: Reply,
    },
    /// It will not arrive.
    MessageBounced {
        /// Facts of the attempt.
        attempted: Attempted,
        /// Which kind of never.
        kind: BounceKind,
        /// The last words of a server, where one said any.
        reply: Option<Reply>,
        /// The class, and the rules that found it; none of them judged what was stored before there were any.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        judged: Option<Judged>,
    },
    /// It may have arrived: the answer to the final dot is lost.
    DeliveryInDoubt {
        /// The attempt.
        attempt_id: AttemptId,
        /// Where the answer was lost.
        cause: InDoubtCause,
        /// What follows.
        resolution: Resolution,
    },
}

domain_event!(MessageEvent {
    MessageAccepted,
    MessageRejected,
    MessageHeld,
    MessageReleased,
    MessageDiscarded,
    DeliveryStarted,
    DeliveryNotStarted,
    DeliveryDeferred,
    MessageDelivered,
    MessageBounced,
    DeliveryInDoubt,
});

impl HasPersonal for MessageEvent {
    fn visit_personal(&mut self, visitor: &mut dyn PersonalVisitor) {
        match self {
            Self::MessageAccepted(accepted) => {
                visitor.field("recipient", Subject::Recipient, &mut accepted.recipient);
                visitor.field("reverse_path", Subject::Recipient, &mut accepted.reverse_path);
                visitor.field("header_from", Subject::Recipient, &mut accepted.header_from);
                visitor.field("subject", Subject::Recipient, &mut accepted.subject);
                visitor.field("tags", Subject::Recipient, &mut accepted.tags);
                visitor.field("metadata", Subject::Recipient, &mut accepted.metadata);
                if let Some(subaccount) = &mut accepted.subaccount {
                    visitor.field("subaccount", Subject::Recipient, subaccount);
                }
            }
            Self::MessageRejected(rejected) => {
                // A rejected address may be none at all, so no recipient key is drawn for it.
                visitor.field("recipient", Subject::Account, &mut rejected.recipient);
                visitor.field("header_from", Subject::Account, &mut rejected.header_from);
                visitor.field("subject", Subject::Account, &mut rejected.subject);
                visitor.field("tags", Subject::Account, &mut rejected.tags);
            }
            Self::DeliveryStarted(started) => {
                visitor.field("prepended", Subject::Recipient, &mut started.prepended);
            }
            Self::DeliveryDeferred { reply: Some(reply), .. }
            | Self::MessageBounced { reply: Some(reply), .. }
            | Self::MessageDelivered { reply, .. } => {
                visitor.field("reply_text", Subject::Recipient, &mut reply.text);
            }
            Self::DeliveryDeferred { reply: None, .. }
            | Self::MessageBounced { reply: None, .. }
            | Self::MessageHeld { .. }
            | Self::MessageReleased { .. }
            | Self::MessageDiscarded { .. }
            | Self::DeliveryNotStarted { .. }
            | Self::DeliveryInDoubt { .. } => {}
        }
    }
}
