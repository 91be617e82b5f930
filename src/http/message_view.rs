//! Shows a message as `/v1` and the control socket do: where it stands, what was tried, what happened to it.

use sealpost_domain::Personal;
use sealpost_domain::message::{DeferralReason, Reply, TlsFacts};
use sealpost_domain::tls_rule::{TlsFailed, TlsRecord, deferral_status};
use sealpost_projections::activity::{ActivityAttempt, ActivityRow, ActivityState, AttemptResult};
use sealpost_projections::message_timeline::TimelineEntry;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A message with its timeline.
pub(super) fn shown_message(row: &ActivityRow, timeline: &[TimelineEntry]) -> Value {
    let (state, reason) = (row.state.name().as_str(), reason_of_state(row.state));
    json!({
        "id": row.message.to_hex(),
        "account": row.account.to_hex(),
        "at": row.at,
        "state": state,
        "reason": reason,
        "from": known(&row.sender),
        "to": known(&row.recipient),
        "subject": known(&row.subject),
        "tags": known(&row.tags),
        "metadata": metadata(row),
        "message_id_header": row.message_id_header,
        "size_bytes": row.size_bytes,
        "tls_required": row.tls_required,
        // The mark of a message that went, or was to go, over the wire unprotected.
        "in_clear": row.attempts.last().and_then(|attempt| attempt.clear).map(shown),
        "expires_at": row.expires_at,
        "next_attempt_at": row.next_attempt_at,
        "finished_at": row.finished_at,
        "late_at": row.late_at,
        "late_reply": reply(row.late_reply.as_ref()),
        "key": row.key.to_hex(),
        "method": row.method,
        "actor": row.actor.to_string(),
        "channel": row.channel.label(),
        "request": row.request.map(|request| request.to_hex()),
        "client_ip": known(&row.client_ip),
        "user_agent": known(&row.user_agent),
        "attempts": row.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "timeline": timeline.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// A personal value, or nothing where it is erased.
fn known<T: Serialize>(value: &Personal<T>) -> Value {
    value.known().map_or(Value::Null, shown)
}

fn shown(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn metadata(row: &ActivityRow) -> Value {
    let Some(known) = row.metadata.known() else {
        return Value::Null;
    };
    let members = known.iter().map(|(name, json)| {
        (
            name.clone(),
            serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.clone())),
        )
    });
    Value::Object(members.collect())
}

fn reason_of_state(state: ActivityState) -> Value {
    match state {
        ActivityState::Held(reason) => shown(reason),
        ActivityState::Deferred(reason) => shown(reason),
        ActivityState::InDoubt(cause) => shown(cause),
        ActivityState::Bounced(kind) | ActivityState::BouncedLate(kind) => shown(kind),
        ActivityState::Complained(kind) => shown(kind),
        ActivityState::Rejected(reason) => shown(reason),
        ActivityState::Queued | ActivityState::Sending | ActivityState::Delivered | ActivityState::Discarded => {
            Value::Null
        }
    }
}

fn attempt(attempt: &ActivityAttempt) -> Value {
    let (result, reason) = match attempt.result {
        AttemptResult::Open => ("open", Value::Null),
        AttemptResult::NotStarted(reason) => ("not_started", shown(reason)),
        AttemptResult::Deferred(reason) => ("deferred", shown(reason)),
        AttemptResult::Delivered => ("delivered", Value::Null),
        AttemptResult::Bounced(kind) => ("bounced", shown(kind)),
        AttemptResult::InDoubt(cause) => ("in_doubt", shown(cause)),
    };
    json!({
        "id": attempt.attempt_id.to_hex(),
        "at": attempt.at,
        "result": result,
        "reason": reason,
        "class": attempt.class,
        "host": attempt.host,
        "peer": attempt.peer,
        "tls": tls(attempt.tls.as_ref()),
        "tls_record": attempt.tls_record.as_ref().map(tls_record),
        "in_clear": attempt.clear.map(shown),
        "content_bytes": attempt.content_bytes,
        "reply": reply(attempt.reply.as_ref()),
    })
}

fn tls(facts: Option<&TlsFacts>) -> Value {
    facts.map_or(Value::Null, shown)
}

/// Our own status for a deferral for want of TLS.
fn status(entry: &TimelineEntry) -> Value {
    let reason = entry.reason.clone().filter(|_| entry.event_type == "DeliveryDeferred");
    let reason = reason.and_then(|word| serde_json::from_value::<DeferralReason>(Value::String(word)).ok());
    let status = reason.and_then(deferral_status);
    status.map_or(Value::Null, |status| Value::String(status.to_string()))
}

/// What of TLS was wanted and reached, and what failed, each failure with its class.
fn tls_record(record: &TlsRecord) -> Value {
    let failure = |failed: &TlsFailed| {
        json!({
            "host": failed.host,
            "class": failed.failure.code(),
            "failure": failed.failure,
            "hello": failed.hello,
        })
    };
    json!({
        "wanted": record.wanted,
        "reached": record.reached,
        "failures": record.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn reply(reply: Option<&Reply>) -> Value {
    reply.map_or(Value::Null, |reply| {
        json!({
            "code": reply.code,
            "enhanced_status": reply.enhanced.map(|enhanced| enhanced.to_string()),
            "text": known(&reply.text),
        })
    })
}

/// A line of the timeline; what it does not say is left out.
fn entry(entry: &TimelineEntry) -> Value {
    let line = json!({
        "stream": entry.stream,
        "sequence": entry.sequence,
        "account_seq": entry.account_seq,
        "event_id": entry.event_id,
        "at": entry.recorded_at,
        "event": entry.event_type,
        "actor": entry.actor.to_string(),
        "channel": entry.channel.label(),
        "request": entry.request.map(|request| request.to_hex()),
        "ip": known(&entry.ip),
        "user_agent": known(&entry.user_agent),
        "key": entry.key.map(|key| key.to_hex()),
        "attempt_id": entry.attempt_id.map(|attempt| attempt.to_hex()),
        "attempt": entry.attempt,
        "reason": entry.reason,
        "class": entry.class,
        "status": status(entry),
        "next_attempt_at": entry.next_attempt_at,
        "host": entry.host,
        "peer": entry.peer,
        "tls": tls(entry.tls.as_ref()),
        "tls_record": entry.tls_record.as_ref().map(tls_record),
        "in_clear": entry.clear.map(shown),
        "reply": reply(entry.reply.as_ref()),
        "content_sha256": entry.content_sha256,
        "content_bytes": entry.content_bytes,
        "timings": entry.timings.map(shown),
    });
    match line {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}
