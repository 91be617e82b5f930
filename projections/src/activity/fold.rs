//! Folds accepts, rejections and outcomes of messages into the activity and its attempts.

use sealpost_domain::Recorded;
use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::event::Event;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{Accepted, Attempted, MessageEvent, Rejected, Reply, Resolution, Started};
use sealpost_domain::{Instant, Personal};

use super::state::StateName;
use crate::columns::{account_of, class, json, known, message_of, millis, reply_values, word};
use crate::projection::{FoldRefusal, Projection, RowChange, Value};
use crate::tls_seen::TlsSeen;

/// The projection of what became of each message.
#[derive(Debug)]
pub struct Activity;

impl Projection for Activity {
    const NAME: &'static str = "activity";
    const VERSION: u32 = 3;
    const TABLES: &'static [&'static str] = &["activity", "activity_attempt"];
    const SCHEMA: &'static str = "
        CREATE TABLE activity (
            message TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            at_ms BIGINT NOT NULL,
            sequence BIGINT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT,
            key_id TEXT NOT NULL,
            method TEXT,
            actor TEXT NOT NULL,
            channel TEXT NOT NULL,
            request TEXT,
            client_ip TEXT,
            user_agent TEXT,
            sender TEXT,
            from_domain TEXT,
            recipient TEXT,
            recipient_folded TEXT,
            recipient_domain TEXT,
            subject TEXT,
            tags_json TEXT,
            metadata_json TEXT,
            message_id_header TEXT,
            size_bytes BIGINT,
            tls_required TEXT,
            expires_at_ms BIGINT,
            next_attempt_at_ms BIGINT,
            finished_at_ms BIGINT,
            late_at_ms BIGINT,
            late_reply_code BIGINT,
            late_reply_enhanced TEXT,
            late_reply_text TEXT
        );
        CREATE INDEX activity_time ON activity (account, at_ms, message);
        CREATE INDEX activity_recipient ON activity (account, recipient_folded, at_ms);
        CREATE TABLE activity_attempt (
            message TEXT NOT NULL,
            attempt_id TEXT NOT NULL,
            sequence BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            result TEXT NOT NULL,
            reason TEXT,
            class TEXT,
            host TEXT,
            peer TEXT,
            tls_json TEXT,
            content_bytes BIGINT,
            reply_code BIGINT,
            reply_enhanced TEXT,
            reply_text TEXT,
            PRIMARY KEY (message, attempt_id)
        );";

    fn fold(recorded: &Recorded) -> Result<Vec<RowChange>, FoldRefusal> {
        match &recorded.event {
            Event::Message(event) => fold_message(recorded, event),
            Event::Engagement(event) => fold_late(recorded, event).map(|change| vec![change]),
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

const BEGIN: &str = "
    INSERT INTO activity (message, account, at_ms, sequence, state, reason, key_id, method, actor, channel, request,
        client_ip, user_agent, sender, from_domain, recipient, recipient_folded, recipient_domain, subject, tags_json,
        metadata_json, message_id_header, size_bytes, tls_required, expires_at_ms, next_attempt_at_ms, finished_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25, $26, $27)";
const MOVE: &str = "
    UPDATE activity SET sequence = $2, next_attempt_at_ms = $5, finished_at_ms = $6,
        state = CASE WHEN state IN ('bounced_late', 'complained') THEN state ELSE $3 END,
        reason = CASE WHEN state IN ('bounced_late', 'complained') THEN reason ELSE $4 END
    WHERE message = $1";
// A report may come before the outcome that it is about is told. What a person says outweighs what a server says.
const BOUNCED_LATE: &str = "
    UPDATE activity SET state = 'bounced_late', reason = $2, late_at_ms = $3, late_reply_code = $4,
        late_reply_enhanced = $5, late_reply_text = $6
    WHERE message = $1 AND state <> 'complained'";
const COMPLAINED: &str = "
    UPDATE activity SET state = 'complained', reason = $2, late_at_ms = $3 WHERE message = $1";
// What the start says of server and session stays where an outcome does not say it again.
const ATTEMPT: &str = "
    INSERT INTO activity_attempt (message, attempt_id, sequence, at_ms, result, reason, class, host, peer, tls_json,
        content_bytes, reply_code, reply_enhanced, reply_text)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (message, attempt_id) DO UPDATE SET at_ms = excluded.at_ms, result = excluded.result,
        reason = excluded.reason, class = excluded.class, host = COALESCE(excluded.host, activity_attempt.host),
        peer = COALESCE(excluded.peer, activity_attempt.peer),
        tls_json = COALESCE(excluded.tls_json, activity_attempt.tls_json),
        reply_code = excluded.reply_code, reply_enhanced = excluded.reply_enhanced, reply_text = excluded.reply_text";

fn fold_late(recorded: &Recorded, event: &EngagementEvent) -> Result<RowChange, FoldRefusal> {
    let message = message_of(recorded)?.to_hex().into();
    Ok(match event {
        EngagementEvent::BounceReceived(bounce) => {
            let said = [message, word(&bounce.kind), millis(bounce.received_at)];
            let params: Vec<Value> = said.into_iter().chain(reply_values(Some(&bounce.reply))).collect();
            RowChange::new(BOUNCED_LATE, params)
        }
        EngagementEvent::ComplaintReceived(complaint) => {
            let said = [message, word(&complaint.kind), millis(complaint.received_at)];
            RowChange::new(COMPLAINED, said)
        }
    })
}

fn fold_message(recorded: &Recorded, event: &MessageEvent) -> Result<Vec<RowChange>, FoldRefusal> {
    let step = Step {
        recorded,
        message: message_of(recorded)?,
    };
    Ok(match event {
        MessageEvent::MessageAccepted(accepted) => vec![step.accepted(accepted)?],
        MessageEvent::MessageRejected(rejected) => vec![step.rejected(rejected)?],
        MessageEvent::MessageHeld { reason, .. } => vec![step.moved(StateName::Held, word(reason), When::Open)],
        MessageEvent::MessageReleased { .. } => vec![step.moved(StateName::Queued, Value::Null, When::Open)],
        MessageEvent::MessageDiscarded { .. } => {
            let when = When::Finished(recorded.recorded_at);
            vec![step.moved(StateName::Discarded, Value::Null, when)]
        }
        MessageEvent::DeliveryStarted(started) => vec![
            step.moved(StateName::Sending, Value::Null, When::Open),
            step.started(started),
        ],
        MessageEvent::DeliveryNotStarted { attempt_id, reason } => vec![
            step.moved(StateName::Queued, Value::Null, When::Open),
            step.unheard(&attempt_id.to_hex(), "not_started", word(reason)),
        ],
        MessageEvent::DeliveryDeferred {
            attempted,
            reason,
            reply,
            next_attempt_at,
            judged,
        } => vec![
            step.moved(StateName::Deferred, word(reason), When::Due(*next_attempt_at)),
            step.ended(attempted, ("deferred", word(reason), class(*judged)), reply.as_ref()),
        ],
        MessageEvent::MessageDelivered { attempted, reply } => vec![
            step.moved(StateName::Delivered, Value::Null, When::Finished(attempted.ended_at)),
            step.ended(attempted, ("delivered", Value::Null, Value::Null), Some(reply)),
        ],
        MessageEvent::MessageBounced {
            attempted,
            kind,
            reply,
            judged,
        } => vec![
            step.moved(StateName::Bounced, word(kind), When::Finished(attempted.ended_at)),
            step.ended(attempted, ("bounced", word(kind), class(*judged)), reply.as_ref()),
        ],
        MessageEvent::DeliveryInDoubt {
            attempt_id,
            cause,
            resolution,
        } => vec![
            match resolution {
                Resolution::Resend { at } => step.moved(StateName::InDoubt, word(cause), When::Due(*at)),
                Resolution::Hold => step.moved(StateName::Held, Value::from("in_doubt"), When::Open),
            },
            step.unheard(&attempt_id.to_hex(), "in_doubt", word(cause)),
        ],
    })
}

/// What a row says of time besides its beginning.
enum When {
    Open,
    Due(Instant),
    Finished(Instant),
}

struct Step<'a> {
    recorded: &'a Recorded,
    message: MessageId,
}

impl Step<'_> {
    fn accepted(&self, accepted: &Accepted) -> Result<RowChange, FoldRefusal> {
        let what = [
            accepted.from_domain.as_str().into(),
            known(&accepted.recipient),
            folded(&accepted.recipient),
            accepted.recipient_domain.as_str().into(),
            known(&accepted.subject),
            accepted.tags.known().map_or(Value::Null, json),
            accepted.metadata.known().map_or(Value::Null, json),
            accepted.message_id_header.as_str().into(),
            accepted.content.size_bytes.into(),
            word(&accepted.tls_required),
            millis(accepted.expires_at),
            millis(accepted.accepted_at),
            Value::Null,
        ];
        let head = self.head(accepted.accepted_at, StateName::Queued, Value::Null)?;
        let sent = [accepted.key.to_hex().into(), accepted.method.as_str().into()];
        Ok(self.begin(head, sent, known(&accepted.header_from), what))
    }

    fn rejected(&self, rejected: &Rejected) -> Result<RowChange, FoldRefusal> {
        let what = [
            Value::Null,
            known(&rejected.recipient),
            folded(&rejected.recipient),
            Value::Null,
            known(&rejected.subject),
            rejected.tags.known().map_or(Value::Null, json),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            millis(rejected.rejected_at),
        ];
        let head = self.head(rejected.rejected_at, StateName::Rejected, word(&rejected.reason))?;
        let sent = [rejected.key.to_hex().into(), Value::Null];
        Ok(self.begin(head, sent, known(&rejected.header_from), what))
    }

    fn head(&self, at: Instant, state: StateName, reason: Value) -> Result<[Value; 6], FoldRefusal> {
        Ok([
            self.message.to_hex().into(),
            account_of(self.recorded)?.to_hex().into(),
            millis(at),
            self.recorded.sequence.into(),
            state.as_str().into(),
            reason,
        ])
    }

    fn begin(&self, head: [Value; 6], sent: [Value; 2], sender: Value, what: [Value; 13]) -> RowChange {
        let metadata = &self.recorded.metadata;
        let caller = [
            metadata.actor.to_string().into(),
            metadata.channel.label().into(),
            metadata.request.map(|request| request.to_hex()).into(),
            metadata
                .ip
                .as_ref()
                .and_then(|ip| ip.known())
                .map(ToString::to_string)
                .into(),
            metadata.user_agent.as_ref().map_or(Value::Null, known),
            sender,
        ];
        let params: Vec<Value> = head.into_iter().chain(sent).chain(caller).chain(what).collect();
        RowChange::new(BEGIN, params)
    }

    fn moved(&self, state: StateName, reason: Value, when: When) -> RowChange {
        let (due, finished) = match when {
            When::Open => (Value::Null, Value::Null),
            When::Due(at) => (millis(at), Value::Null),
            When::Finished(at) => (Value::Null, millis(at)),
        };
        RowChange::new(
            MOVE,
            [
                self.message.to_hex().into(),
                self.recorded.sequence.into(),
                state.as_str().into(),
                reason,
                due,
                finished,
            ],
        )
    }

    fn started(&self, started: &Started) -> RowChange {
        let server = [
            started.host.as_str().into(),
            started.peer.as_str().into(),
            TlsSeen::of_start(started).value(),
            started.content_bytes.into(),
        ];
        let at = started.started_at;
        self.attempt(
            &started.attempt_id.to_hex(),
            at,
            ("open", Value::Null, Value::Null),
            server,
            reply_values(None),
        )
    }

    fn ended(&self, attempted: &Attempted, result: (&str, Value, Value), reply: Option<&Reply>) -> RowChange {
        let server = [
            attempted.host.clone().into(),
            attempted.peer.clone().into(),
            TlsSeen::of_end(attempted).value(),
            Value::Null,
        ];
        let id = attempted.attempt_id.to_hex();
        self.attempt(&id, attempted.ended_at, result, server, reply_values(reply))
    }

    /// The end of an attempt that brought no answer of a server.
    fn unheard(&self, attempt_id: &str, result: &str, reason: Value) -> RowChange {
        let server = [Value::Null, Value::Null, Value::Null, Value::Null];
        let at = self.recorded.recorded_at;
        self.attempt(
            attempt_id,
            at,
            (result, reason, Value::Null),
            server,
            reply_values(None),
        )
    }

    fn attempt(
        &self,
        attempt_id: &str,
        at: Instant,
        (result, reason, class): (&str, Value, Value),
        server: [Value; 4],
        reply: [Value; 3],
    ) -> RowChange {
        let head = [
            self.message.to_hex().into(),
            attempt_id.into(),
            self.recorded.sequence.into(),
            millis(at),
            result.into(),
            reason,
            class,
        ];
        let params: Vec<Value> = head.into_iter().chain(server).chain(reply).collect();
        RowChange::new(ATTEMPT, params)
    }
}

/// The address as an exact search compares it.
fn folded(address: &Personal<String>) -> Value {
    address.known().map(|text| text.to_lowercase()).into()
}
