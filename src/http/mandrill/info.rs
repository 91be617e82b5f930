//! `messages/info`: what became of a message, in Mandrill's *message info*.

use sealpost_domain::Personal;
use sealpost_domain::message::{BounceKind, Reply};
use sealpost_projections::activity::{ActivityAttempt, ActivityRow, ActivityState, AttemptResult};
use serde_json::{Map, Value, json};

use super::call::Admitted;
use super::messages::reject_word;
use crate::http::fault::Fault;
use crate::http::message_lookup::{activity, read_own_id};
use crate::intake::mandrill_time;

/// `messages/info`
pub(super) async fn info(call: Admitted<'_>) -> Result<Value, Fault> {
    let Admitted {
        front,
        caller,
        mut fields,
        ..
    } = call;
    let id = fields.text_required("id")?;
    let message = read_own_id(&caller, &id)?;
    let row = activity(front, caller.account, message).await?;
    Ok(message_info(&row))
}

/// A row of the activity as clients know it.
pub(super) fn message_info(row: &ActivityRow) -> Value {
    let tried = || row.attempts.iter().rev().find_map(|attempt| attempt.reply.as_ref());
    let last_reply = row.late_reply.as_ref().or_else(tried);
    let mut info = json!({
        "ts": row.at.as_millis().div_euclid(1_000),
        "_id": row.message.to_hex(),
        "sender": text(&row.sender),
        "template": null,
        "subject": text(&row.subject),
        "email": text(&row.recipient),
        "tags": row.tags.known().cloned().unwrap_or_default(),
        "opens": 0,
        "opens_detail": [],
        "clicks": 0,
        "clicks_detail": [],
        "state": row.state.mandrill(),
        "metadata": metadata(row),
        "smtp_events": row.attempts.iter().filter_map(smtp_event).collect::<Vec<_>>(),
        "subaccount": null,
        "diag": last_reply.map(diagnosis),
        "resends": [],
        "reject": reject(row),
    });
    if let (ActivityState::Bounced(kind) | ActivityState::BouncedLate(kind), Some(members)) =
        (row.state, info.as_object_mut())
    {
        members.insert("bounce_description".to_owned(), bounce_word(kind).into());
    }
    info
}

/// Clients expect a text; what was erased is an empty one.
pub(super) fn text(value: &Personal<String>) -> &str {
    value.known().map_or("", String::as_str)
}

/// The sender's metadata, with the types that they came with.
fn metadata(row: &ActivityRow) -> Map<String, Value> {
    let known = row.metadata.known().into_iter().flatten();
    known
        .map(|(name, json)| {
            (
                name.clone(),
                serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.clone())),
            )
        })
        .collect()
}

fn smtp_event(attempt: &ActivityAttempt) -> Option<Value> {
    let kind = match attempt.result {
        AttemptResult::Delivered => "sent",
        AttemptResult::Bounced(_) => "bounced",
        AttemptResult::Deferred(_) => "deferred",
        AttemptResult::Open | AttemptResult::NotStarted(_) | AttemptResult::InDoubt(_) => return None,
    };
    let destination = attempt
        .peer
        .as_deref()
        .and_then(|peer| peer.rsplit_once(':'))
        .map_or("", |(ip, _)| ip);
    Some(json!({
        "ts": attempt.at.as_millis().div_euclid(1_000),
        "type": kind,
        "diag": attempt.reply.as_ref().map(diagnosis).unwrap_or_default(),
        "source_ip": "",
        "destination_ip": destination.trim_matches(['[', ']']),
        "size": attempt.content_bytes.unwrap_or(0),
    }))
}

/// Code and text of a reply, as the server wrote them: the text begins with the enhanced status where there is one.
fn diagnosis(reply: &Reply) -> String {
    format!("{} {}", reply.code, text(&reply.text)).trim_end().to_owned()
}

fn reject(row: &ActivityRow) -> Value {
    match row.state {
        ActivityState::Rejected(reason) => json!({
            "reason": reject_word(reason).unwrap_or("invalid"),
            "last_event_at": mandrill_time(row.at),
        }),
        ActivityState::Queued
        | ActivityState::Held(_)
        | ActivityState::Sending
        | ActivityState::Deferred(_)
        | ActivityState::InDoubt(_)
        | ActivityState::Delivered
        | ActivityState::Bounced(_)
        | ActivityState::BouncedLate(_)
        | ActivityState::Complained(_)
        | ActivityState::Discarded => Value::Null,
    }
}

const fn bounce_word(kind: BounceKind) -> &'static str {
    match kind {
        BounceKind::Hard => "bad_mailbox",
        BounceKind::Soft | BounceKind::Expired => "general",
        BounceKind::Blocked => "ip_blocked",
        BounceKind::Policy => "policy",
    }
}
