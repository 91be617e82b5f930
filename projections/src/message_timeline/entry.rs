//! One line of a message's timeline, and how it is read from its row.

use std::net::IpAddr;

use sealpost_domain::event::StreamType;
use sealpost_domain::ids::{AccountId, AttemptId, EventId, KeyId, MessageId, RequestId};
use sealpost_domain::message::{OutcomeClass, Reply, Timings, TlsFacts};
use sealpost_domain::metadata::{Actor, Channel};
use sealpost_domain::tls_rule::{ClearReason, TlsRecord};
use sealpost_domain::{Instant, Personal};

use crate::columns::{BadColumn, Columns};
use crate::tls_seen::TlsSeen;

/// One event of a message. What its kind of event does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The message.
    pub message: MessageId,
    /// Its account.
    pub account: AccountId,
    /// The stream that it is of: the message's own, or that of its late facts.
    pub stream: StreamType,
    /// Place of the event in that stream, from 1.
    pub sequence: u64,
    /// Place of the event in the account's own sequence, which an inclusion proof names.
    pub account_seq: Option<u64>,
    /// The event.
    pub event_id: EventId,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Its type, e.g. `MessageDelivered`.
    pub event_type: String,
    /// Who acted.
    pub actor: Actor,
    /// By which door.
    pub channel: Channel,
    /// The call that led here.
    pub request: Option<RequestId>,
    /// Address of the caller; erased also where there was none.
    pub ip: Personal<IpAddr>,
    /// What the caller's program calls itself; erased also where it did not say.
    pub user_agent: Personal<String>,
    /// The key that sent the message: on its accept or rejection.
    pub key: Option<KeyId>,
    /// The attempt.
    pub attempt_id: Option<AttemptId>,
    /// Which attempt of the schedule, from 1: on its start.
    pub attempt: Option<u32>,
    /// The word of the event's reason, kind or cause, e.g. `hard`, `connection_lost`.
    pub reason: Option<String>,
    /// The class that rules found, where they judged.
    pub class: Option<OutcomeClass>,
    /// When it is tried again.
    pub next_attempt_at: Option<Instant>,
    /// Name of the server.
    pub host: Option<String>,
    /// Address and port that were dialled.
    pub peer: Option<String>,
    /// The TLS session.
    pub tls: Option<TlsFacts>,
    /// What of TLS was wanted and reached, and what failed: on an outcome.
    pub tls_record: Option<TlsRecord>,
    /// Why it goes, or went, in clear text.
    pub clear: Option<ClearReason>,
    /// The server's words.
    pub reply: Option<Reply>,
    /// SHA-256 in hex of what goes out between `354` and the final dot: on a start.
    pub content_sha256: Option<String>,
    /// Length of the content in bytes: of what is stored on an accept, of what goes out on a start.
    pub content_bytes: Option<u64>,
    /// Where the time of the attempt went.
    pub timings: Option<Timings>,
}

pub(super) const COLUMNS: &str = "tls_json, message, account, stream, sequence, account_seq, event_id, recorded_at_ms, \
                                  event_type, actor, channel, request, ip, user_agent, key_id, attempt_id, attempt, \
                                  reason, class, next_attempt_at_ms, host, peer, reply_code, reply_enhanced, reply_text, \
                                  content_sha256, content_bytes, timings_json";

pub(super) fn read(columns: &mut Columns<'_, '_>) -> Result<TimelineEntry, BadColumn> {
    let seen: TlsSeen = columns.json_if_any()?.unwrap_or_default();
    Ok(TimelineEntry {
        message: columns.parsed()?,
        account: columns.parsed()?,
        stream: columns.named()?,
        sequence: columns.number()?,
        account_seq: columns.number_if_any()?,
        event_id: columns.parsed()?,
        recorded_at: columns.instant()?,
        event_type: columns.take()?,
        actor: columns.parsed()?,
        channel: columns.named()?,
        request: columns.parsed_if_any()?,
        ip: columns.parsed_if_any()?.map_or(Personal::Erased, Personal::Known),
        user_agent: columns.personal()?,
        key: columns.parsed_if_any()?,
        attempt_id: columns.parsed_if_any()?,
        attempt: columns.number_if_any()?,
        reason: columns.take()?,
        class: columns.named_if_any()?,
        next_attempt_at: columns.instant_if_any()?,
        host: columns.take()?,
        peer: columns.take()?,
        tls: seen.facts,
        tls_record: seen.record,
        clear: seen.clear,
        reply: columns.reply()?,
        content_sha256: columns.take()?,
        content_bytes: columns.number_if_any()?,
        timings: columns.json_if_any()?,
    })
}
