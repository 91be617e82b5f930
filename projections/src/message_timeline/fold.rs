//! Folds each event of a message into one line; nothing is ever changed afterwards.

use sealpost_domain::Recorded;
use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::event::Event;
use sealpost_domain::message::{Attempted, MessageEvent, Reply, Resolution, Started};

use crate::columns::{account_of, class, json, known, message_of, millis, reply_values, word};
use crate::projection::{FoldRefusal, Projection, RowChange, Value};
use crate::tls_seen::TlsSeen;

/// The projection of what happened to each message.
#[derive(Debug)]
pub struct MessageTimeline;

impl Projection for MessageTimeline {
    const NAME: &'static str = "message_timeline";
    const VERSION: u32 = 3;
    const TABLES: &'static [&'static str] = &["message_timeline"];
    const SCHEMA: &'static str = "
        CREATE TABLE message_timeline (
            message TEXT NOT NULL,
            account TEXT NOT NULL,
            stream TEXT NOT NULL,
            sequence BIGINT NOT NULL,
            account_seq BIGINT,
            event_id TEXT NOT NULL,
            recorded_at_ms BIGINT NOT NULL,
            event_type TEXT NOT NULL,
            actor TEXT NOT NULL,
            channel TEXT NOT NULL,
            request TEXT,
            ip TEXT,
            user_agent TEXT,
            key_id TEXT,
            attempt_id TEXT,
            attempt BIGINT,
            reason TEXT,
            class TEXT,
            next_attempt_at_ms BIGINT,
            host TEXT,
            peer TEXT,
            tls_json TEXT,
            reply_code BIGINT,
            reply_enhanced TEXT,
            reply_text TEXT,
            content_sha256 TEXT,
            content_bytes BIGINT,
            timings_json TEXT,
            PRIMARY KEY (message, stream, sequence)
        );";

    fn fold(recorded: &Recorded) -> Result<Vec<RowChange>, FoldRefusal> {
        match &recorded.event {
            Event::Message(event) => line(recorded, Said::of(event)).map(|line| vec![line]),
            Event::Engagement(event) => line(recorded, Said::late(event)).map(|line| vec![line]),
            Event::Account(_)
            | Event::User(_)
            | Event::ApiKey(_)
            | Event::SendingDomain(_)
            | Event::Suppression(_)
            | Event::Gate(_)
            | Event::Shard(_) => Ok(Vec::new()),
        }
    }
}

const LINE: &str = "
    INSERT INTO message_timeline (message, account, stream, sequence, account_seq, event_id, recorded_at_ms, event_type,
        actor, channel, request, ip, user_agent, key_id, attempt_id, attempt, reason, class, next_attempt_at_ms, host,
        peer, tls_json, reply_code, reply_enhanced, reply_text, content_sha256, content_bytes, timings_json)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25, $26, $27, $28)";

/// What an event says besides when, what and by whom.
struct Said {
    key: Value,
    attempt_id: Value,
    attempt: Value,
    reason: Value,
    class: Value,
    next_attempt_at: Value,
    host: Value,
    peer: Value,
    tls: Value,
    reply: [Value; 3],
    content_sha256: Value,
    content_bytes: Value,
    timings: Value,
}

impl Said {
    const fn nothing() -> Self {
        Self {
            key: Value::Null,
            attempt_id: Value::Null,
            attempt: Value::Null,
            reason: Value::Null,
            class: Value::Null,
            next_attempt_at: Value::Null,
            host: Value::Null,
            peer: Value::Null,
            tls: Value::Null,
            reply: [Value::Null, Value::Null, Value::Null],
            content_sha256: Value::Null,
            content_bytes: Value::Null,
            timings: Value::Null,
        }
    }

    fn reason(reason: Value) -> Self {
        Self {
            reason,
            ..Self::nothing()
        }
    }

    fn started(started: &Started) -> Self {
        Self {
            attempt_id: started.attempt_id.to_hex().into(),
            attempt: started.attempt.into(),
            host: started.host.as_str().into(),
            peer: started.peer.as_str().into(),
            tls: TlsSeen::of_start(started).value(),
            content_sha256: started.content_sha256.as_str().into(),
            content_bytes: started.content_bytes.into(),
            ..Self::nothing()
        }
    }

    fn ended(attempted: &Attempted, reason: Value, reply: Option<&Reply>) -> Self {
        Self {
            attempt_id: attempted.attempt_id.to_hex().into(),
            reason,
            host: attempted.host.clone().into(),
            peer: attempted.peer.clone().into(),
            tls: TlsSeen::of_end(attempted).value(),
            reply: reply_values(reply),
            timings: json(&attempted.timings),
            ..Self::nothing()
        }
    }

    fn late(event: &EngagementEvent) -> Self {
        match event {
            EngagementEvent::BounceReceived(bounce) => Self {
                class: class(Some(bounce.judged)),
                host: bounce.remote_mta.clone().into(),
                reply: reply_values(Some(&bounce.reply)),
                ..Self::reason(word(&bounce.kind))
            },
            EngagementEvent::ComplaintReceived(complaint) => Self {
                host: complaint.reporting_mta.clone().into(),
                ..Self::reason(word(&complaint.kind))
            },
        }
    }

    fn of(event: &MessageEvent) -> Self {
        match event {
            MessageEvent::MessageAccepted(accepted) => Self {
                key: accepted.key.to_hex().into(),
                content_bytes: accepted.content.size_bytes.into(),
                ..Self::nothing()
            },
            MessageEvent::MessageRejected(rejected) => Self {
                key: rejected.key.to_hex().into(),
                ..Self::reason(word(&rejected.reason))
            },
            MessageEvent::MessageHeld { reason, .. } => Self::reason(word(reason)),
            MessageEvent::MessageReleased { .. } | MessageEvent::MessageDiscarded { .. } => Self::nothing(),
            MessageEvent::DeliveryStarted(started) => Self::started(started),
            MessageEvent::DeliveryNotStarted { attempt_id, reason } => Self {
                attempt_id: attempt_id.to_hex().into(),
                ..Self::reason(word(reason))
            },
            MessageEvent::DeliveryDeferred {
                attempted,
                reason,
                reply,
                next_attempt_at,
                judged,
            } => Self {
                next_attempt_at: millis(*next_attempt_at),
                class: class(*judged),
                ..Self::ended(attempted, word(reason), reply.as_ref())
            },
            MessageEvent::MessageDelivered { attempted, reply } => Self::ended(attempted, Value::Null, Some(reply)),
            MessageEvent::MessageBounced {
                attempted,
                kind,
                reply,
                judged,
            } => Self {
                class: class(*judged),
                ..Self::ended(attempted, word(kind), reply.as_ref())
            },
            MessageEvent::DeliveryInDoubt {
                attempt_id,
                cause,
                resolution,
            } => Self {
                attempt_id: attempt_id.to_hex().into(),
                next_attempt_at: match resolution {
                    Resolution::Resend { at } => millis(*at),
                    Resolution::Hold => Value::Null,
                },
                ..Self::reason(word(cause))
            },
        }
    }
}

fn line(recorded: &Recorded, said: Said) -> Result<RowChange, FoldRefusal> {
    let metadata = &recorded.metadata;
    let ip = metadata.ip.as_ref().and_then(|ip| ip.known());
    let head = [
        message_of(recorded)?.to_hex().into(),
        account_of(recorded)?.to_hex().into(),
        recorded.event.stream_type().as_str().into(),
        recorded.sequence.into(),
        recorded.account_seq.into(),
        recorded.event_id.to_hex().into(),
        millis(recorded.recorded_at),
        recorded.event.event_type().into(),
        metadata.actor.to_string().into(),
        metadata.channel.label().into(),
        metadata.request.map(|request| request.to_hex()).into(),
        ip.map(ToString::to_string).into(),
        metadata.user_agent.as_ref().map_or(Value::Null, known),
        said.key,
        said.attempt_id,
        said.attempt,
        said.reason,
        said.class,
        said.next_attempt_at,
        said.host,
        said.peer,
        said.tls,
    ];
    let tail = [said.content_sha256, said.content_bytes, said.timings];
    let params: Vec<Value> = head.into_iter().chain(said.reply).chain(tail).collect();
    Ok(RowChange::new(LINE, params))
}
