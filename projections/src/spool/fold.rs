//! Folds the events of messages into one row each, in step with `Message::evolve`; finished ones leave. A row rests
//! while its key is frozen or its account suspended.

use sealpost_domain::account::AccountEvent;
use sealpost_domain::api_key::ApiKeyEvent;
use sealpost_domain::event::Event;
use sealpost_domain::ids::{AccountId, KeyId, MessageId};
use sealpost_domain::message::{Accepted, Message, MessageEvent, Resolution};
use sealpost_domain::{Personal, Recorded, StreamType, Unread};

use crate::columns::{account_of, json, message_of, millis};
use crate::projection::{FoldRefusal, Projection, RowChange, Value};

/// The projection of what waits to be sent.
#[derive(Debug)]
pub struct Spool;

impl Projection for Spool {
    const NAME: &'static str = "spool";
    const VERSION: u32 = 3;
    const TABLES: &'static [&'static str] = &["spool", "spool_rests"];
    // A parked row has an error; what it lacks is null. `rests` counts what of key and account stands in `spool_rests`:
    // a row that rests is in no index of what is due, so that nobody reads past it.
    const SCHEMA: &'static str = "
        CREATE TABLE spool (
            message TEXT PRIMARY KEY,
            account TEXT,
            key_id TEXT,
            domain TEXT,
            recipient TEXT,
            reverse_path TEXT,
            message_id_header TEXT,
            phase TEXT NOT NULL,
            attempt_id TEXT,
            deferrals BIGINT NOT NULL,
            due_at_ms BIGINT,
            last_closed TEXT,
            last_class TEXT,
            order_json TEXT,
            sequence BIGINT NOT NULL,
            error TEXT,
            rests BIGINT NOT NULL DEFAULT 0
        );
        CREATE TABLE spool_rests (id TEXT PRIMARY KEY);
        CREATE INDEX spool_due ON spool (domain, due_at_ms, message)
            WHERE phase = 'queued' AND error IS NULL AND rests = 0;
        CREATE INDEX spool_open ON spool (message) WHERE phase = 'in_flight';
        CREATE INDEX spool_parked ON spool (message) WHERE error IS NOT NULL;
        CREATE INDEX spool_key ON spool (key_id, message);";

    fn fold(recorded: &Recorded) -> Result<Vec<RowChange>, FoldRefusal> {
        match &recorded.event {
            Event::Message(event) => fold_message(recorded, event),
            Event::ApiKey(ApiKeyEvent::KeyFrozen { .. }) => Ok(rest(key_hex(recorded), REST, OF_KEY)),
            Event::ApiKey(ApiKeyEvent::KeyThawed) => Ok(rest(key_hex(recorded), GO_ON, OF_KEY)),
            Event::Account(AccountEvent::AccountSuspended { .. }) => Ok(rest(account_hex(recorded), REST, OF_ACCOUNT)),
            Event::Account(AccountEvent::AccountReinstated) => Ok(rest(account_hex(recorded), GO_ON, OF_ACCOUNT)),
            // A revocation lets nothing go that a freeze holds.
            Event::ApiKey(_)
            | Event::Account(_)
            | Event::User(_)
            | Event::SendingDomain(_)
            | Event::Suppression(_)
            | Event::Engagement(_)
            | Event::Gate(_)
            | Event::Shard(_) => Ok(Vec::new()),
        }
    }

    fn park(recorded: &Recorded, refusal: &FoldRefusal) -> Option<Vec<RowChange>> {
        let accepted = match &recorded.event {
            Event::Message(MessageEvent::MessageAccepted(accepted)) => Some(accepted),
            _ => None,
        };
        let state = accepted.map(|accepted| state_after(accepted)).unwrap_or_default();
        Some(vec![RowChange::new(
            PARK,
            [
                message_of(recorded)
                    .map_or_else(|_| recorded.stream.id.clone(), |id| id.to_hex())
                    .into(),
                recorded.account.map(|account| account.to_hex()).into(),
                accepted.map(|accepted| accepted.key.to_hex()).into(),
                state.due_at.map(|at| at.as_millis()).into(),
                state.order.as_ref().map_or(Value::Null, json),
                recorded.sequence.into(),
                refusal.to_string().into(),
            ],
        )])
    }

    fn park_unread(unread: &Unread) -> Option<Vec<RowChange>> {
        Some(park_message(unread))
    }
}

const ACCEPT: &str = "
    INSERT INTO spool (message, account, key_id, domain, recipient, reverse_path, message_id_header, due_at_ms,
        order_json, sequence, phase, deferrals, rests)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', 0,
        (SELECT count(*) FROM spool_rests WHERE id IN ($2, $3)))";
const PARK: &str = "
    INSERT INTO spool (message, account, key_id, due_at_ms, order_json, sequence, error, phase, deferrals)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0)
    ON CONFLICT (message) DO UPDATE SET sequence = excluded.sequence, error = excluded.error";
const HOLD: &str = "UPDATE spool SET phase = 'held', attempt_id = NULL, sequence = $2 WHERE message = $1";
const QUEUE: &str = "UPDATE spool SET phase = 'queued', attempt_id = NULL, sequence = $2 WHERE message = $1";
const START: &str = "
    UPDATE spool SET phase = 'in_flight', sequence = $2, attempt_id = $3, due_at_ms = $4 WHERE message = $1";
const DEFER: &str = "
    UPDATE spool SET phase = 'queued', attempt_id = NULL, deferrals = deferrals + 1, sequence = $2,
        last_closed = $3, due_at_ms = $4, last_class = COALESCE($5, last_class)
    WHERE message = $1";
const DOUBT_AND_HOLD: &str = "
    UPDATE spool SET phase = 'held', attempt_id = NULL, deferrals = deferrals + 1, sequence = $2,
        last_closed = $3
    WHERE message = $1";
const FINISH: &str = "DELETE FROM spool WHERE message = $1";
const REST: &str = "INSERT INTO spool_rests (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
const GO_ON: &str = "DELETE FROM spool_rests WHERE id = $1";
const OF_KEY: &str = "
    UPDATE spool SET rests = (SELECT count(*) FROM spool_rests WHERE id IN (spool.key_id, spool.account))
    WHERE key_id = $1";
const OF_ACCOUNT: &str = "
    UPDATE spool SET rests = (SELECT count(*) FROM spool_rests WHERE id IN (spool.key_id, spool.account))
    WHERE account = $1";

/// Lets all that a key or an account sends rest or go on. An id in no form is that of nobody who sends.
fn rest(id: Option<String>, whether: &'static str, rows: &'static str) -> Vec<RowChange> {
    let Some(id) = id else { return Vec::new() };
    vec![
        RowChange::new(whether, [id.clone().into()]),
        RowChange::new(rows, [id.into()]),
    ]
}

fn key_hex(recorded: &Recorded) -> Option<String> {
    recorded.stream.id.parse().ok().map(|key: KeyId| key.to_hex())
}

fn account_hex(recorded: &Recorded) -> Option<String> {
    recorded
        .stream
        .id
        .parse()
        .ok()
        .map(|account: AccountId| account.to_hex())
}

fn fold_message(recorded: &Recorded, event: &MessageEvent) -> Result<Vec<RowChange>, FoldRefusal> {
    let message = message_of(recorded)?;
    let step = |sql, more: &[Value]| {
        let head = [message.to_hex().into(), recorded.sequence.into()];
        RowChange::new(sql, [&head, more].concat())
    };
    Ok(vec![match event {
        MessageEvent::MessageAccepted(accepted) => accept(recorded, message, accepted)?,
        MessageEvent::MessageHeld { .. } => step(HOLD, &[]),
        MessageEvent::MessageReleased { .. } | MessageEvent::DeliveryNotStarted { .. } => step(QUEUE, &[]),
        MessageEvent::DeliveryStarted(started) => {
            let attempt_id = started.attempt_id.to_hex().into();
            step(START, &[attempt_id, millis(started.started_at)])
        }
        MessageEvent::DeliveryDeferred {
            attempted,
            next_attempt_at,
            judged,
            ..
        } => {
            let class = judged.map_or(Value::Null, |judged| judged.class.as_str().into());
            step(
                DEFER,
                &[attempted.attempt_id.to_hex().into(), millis(*next_attempt_at), class],
            )
        }
        MessageEvent::DeliveryInDoubt {
            attempt_id, resolution, ..
        } => {
            let closed = attempt_id.to_hex().into();
            match resolution {
                Resolution::Resend { at } => step(DEFER, &[closed, millis(*at), Value::Null]),
                Resolution::Hold => step(DOUBT_AND_HOLD, &[closed]),
            }
        }
        MessageEvent::MessageDelivered { .. }
        | MessageEvent::MessageBounced { .. }
        | MessageEvent::MessageDiscarded { .. } => RowChange::new(FINISH, [message.to_hex().into()]),
        // It was never going out.
        MessageEvent::MessageRejected(_) => return Ok(Vec::new()),
    }])
}

fn accept(recorded: &Recorded, message: MessageId, accepted: &Accepted) -> Result<RowChange, FoldRefusal> {
    let recipient = must_know(&accepted.recipient, "recipient")?;
    if sealpost_domain::address::Mailbox::parse(recipient).is_err() {
        return Err(FoldRefusal::BadField("recipient"));
    }
    let reverse_path = must_know(&accepted.reverse_path, "reverse_path")?;
    // It goes into a MAIL command as it stands.
    if !reverse_path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(FoldRefusal::BadField("reverse_path"));
    }
    let state = state_after(accepted);
    Ok(RowChange::new(
        ACCEPT,
        [
            message.to_hex().into(),
            account_of(recorded)?.to_hex().into(),
            accepted.key.to_hex().into(),
            accepted.recipient_domain.as_str().into(),
            recipient.into(),
            reverse_path.into(),
            accepted.message_id_header.as_str().into(),
            state.due_at.map(|at| at.as_millis()).into(),
            state.order.as_ref().map_or(Value::Null, json),
            recorded.sequence.into(),
        ],
    ))
}

fn must_know<'a>(field: &'a Personal<String>, name: &'static str) -> Result<&'a str, FoldRefusal> {
    let known = field.known().map(String::as_str);
    known.ok_or(FoldRefusal::FieldUnknown(name))
}

/// What the aggregate itself makes of the accept: the row's order is the domain's, not a second reading of the event.
fn state_after(accepted: &Accepted) -> Message {
    let mut state = Message::default();
    state.evolve(&MessageEvent::MessageAccepted(Box::new(accepted.clone())));
    state
}

/// A message stands aside of which an event cannot be read: it may be over, or in flight. Of other events that cannot be
/// read nothing is lost here; whoever decides on them reads the log.
fn park_message(unread: &Unread) -> Vec<RowChange> {
    if unread.stream.stream_type != StreamType::Message {
        return Vec::new();
    }
    let message = unread.stream.id.parse().map(|id: MessageId| id.to_hex());
    let row = [
        message.unwrap_or_else(|_| unread.stream.id.clone()).into(),
        unread.account.map(|account| account.to_hex()).into(),
        Value::Null,
        Value::Null,
        Value::Null,
        unread.sequence.into(),
        "an event of the message cannot be read".into(),
    ];
    vec![RowChange::new(PARK, row)]
}
