//! `messages/send` and `messages/send-raw`: send, and answer for each recipient in Mandrill's words.

use sealpost_domain::Instant;
use sealpost_domain::message::RejectReason;
use serde_json::{Value, json};

use super::call::Admitted;
use super::raw::read_raw;
use super::wire::read_send;
use crate::actors::{SendAnswer, Verdict};
use crate::http::fault::Fault;
use crate::http::fields::Fields;
use crate::http::idempotency::RepeatKey;
use crate::http::send::{self, Intake, Planable};

/// With more recipients the original answers `queued`, whatever `async` says.
const SENT_AT_ONCE_MAX: usize = 10;

/// `messages/send`
pub(super) async fn send(call: Admitted<'_>) -> Result<Value, Fault> {
    let read: Read = |fields, now| Ok(Planable::Draft(Box::new(read_send(fields, now)?.plan()?)));
    answer(call, "messages/send", read).await
}

/// `messages/send-raw`
pub(super) async fn send_raw(call: Admitted<'_>) -> Result<Value, Fault> {
    let read: Read = |fields, now| {
        let plan = read_raw(fields, now)?
            .plan()
            .map_err(|refusal| send::of_raw(&refusal))?;
        Ok(Planable::Raw(Box::new(plan)))
    };
    answer(call, "messages/send-raw", read).await
}

type Read = fn(Fields, Instant) -> Result<Planable, Fault>;

async fn answer(call: Admitted<'_>, method: &'static str, read: Read) -> Result<Value, Fault> {
    let Admitted {
        front,
        request,
        caller,
        fields,
        size_bytes,
    } = call;
    // Only looked at: it is read, and checked, with the rest.
    let asynchronous = fields.members().get("async") == Some(&Value::Bool(true));
    let intake = Intake {
        fields,
        size_bytes,
        repeat_key: RepeatKey::of(request)?,
        method,
        read,
    };
    let answers = send::send(front, &caller, intake).await?;
    let pace = Pace::of(answers.len(), asynchronous);
    Ok(Value::Array(
        answers.iter().map(|answer| result(answer, pace)).collect(),
    ))
}

/// What an accepted recipient is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// `sent`: accepted, and on its way.
    AtOnce,
    /// `queued`, because the caller asked for it.
    Asynchronous,
    /// `queued`, because there are many.
    Many,
}

impl Pace {
    const fn of(recipients: usize, asynchronous: bool) -> Self {
        if recipients > SENT_AT_ONCE_MAX {
            Self::Many
        } else if asynchronous {
            Self::Asynchronous
        } else {
            Self::AtOnce
        }
    }
}

fn result(answer: &SendAnswer, pace: Pace) -> Value {
    let (status, reject_reason, queued_reason) = match (answer.verdict, pace) {
        (Verdict::Accepted, Pace::AtOnce) => ("sent", None, None),
        (Verdict::Accepted, Pace::Asynchronous) => ("queued", None, None),
        (Verdict::Accepted, Pace::Many) => ("queued", None, Some("multiple-recipients")),
        (Verdict::Held, _) => ("queued", None, Some("sending-paused")),
        (Verdict::Rejected(RejectReason::InvalidRecipient), _) => ("invalid", None, None),
        (Verdict::Rejected(reason), _) => ("rejected", reject_word(reason), None),
    };
    json!({
        "email": answer.given,
        "status": status,
        "reject_reason": reject_reason,
        "queued_reason": queued_reason,
        "_id": answer.message.to_hex(),
    })
}

/// Mandrill's word for a reason, with hyphens; an invalid address has none.
pub(super) const fn reject_word(reason: RejectReason) -> Option<&'static str> {
    match reason {
        RejectReason::HardBounce => Some("hard-bounce"),
        RejectReason::Complaint => Some("spam"),
        RejectReason::Unsubscribed => Some("unsub"),
        RejectReason::Suppressed => Some("custom"),
        RejectReason::InvalidRecipient => None,
        RejectReason::Unsigned => Some("unsigned"),
        RejectReason::KeyLimit => Some("rule"),
    }
}

#[cfg(test)]
mod tests {
    use sealpost_domain::ids::MessageId;
    use uuid::Uuid;

    use super::*;

    fn status_of(verdict: Verdict, pace: Pace) -> (Value, Value, Value) {
        let message = MessageId::from_uuid(Uuid::from_u128(5));
        let shown = result(
            &SendAnswer {
                message,
                given: "Ann@X.org ".to_owned(),
                verdict,
            },
            pace,
        );
        assert_eq!(shown["email"], "Ann@X.org ", "byte for byte");
        assert_eq!(shown["_id"], "00000000000000000000000000000005");
        (
            shown["status"].clone(),
            shown["reject_reason"].clone(),
            shown["queued_reason"].clone(),
        )
    }

    #[test]
    fn every_verdict_has_mandrill_s_words() {
        use RejectReason::*;
        let none = Value::Null;
        let sent = status_of(Verdict::Accepted, Pace::of(10, false));
        assert_eq!(sent, (json!("sent"), none.clone(), none.clone()));
        let queued = status_of(Verdict::Accepted, Pace::of(11, false));
        assert_eq!(queued, (json!("queued"), none.clone(), json!("multiple-recipients")));
        let queued = status_of(Verdict::Accepted, Pace::of(1, true));
        assert_eq!(queued, (json!("queued"), none.clone(), none.clone()));
        let held = status_of(Verdict::Held, Pace::AtOnce);
        assert_eq!(held, (json!("queued"), none.clone(), json!("sending-paused")));
        for (reason, status, word) in [
            (HardBounce, "rejected", json!("hard-bounce")),
            (Complaint, "rejected", json!("spam")),
            (Unsubscribed, "rejected", json!("unsub")),
            (Suppressed, "rejected", json!("custom")),
            (Unsigned, "rejected", json!("unsigned")),
            (KeyLimit, "rejected", json!("rule")),
            (InvalidRecipient, "invalid", none.clone()),
        ] {
            assert_eq!(
                status_of(Verdict::Rejected(reason), Pace::Many),
                (json!(status), word, none.clone())
            );
        }
    }
}
