//! `/v1/messages`: sends, and shows what became of one.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::Instant;
use sealpost_domain::limits::{MESSAGE_LIFETIME_S_MAX, MESSAGE_LIFETIME_S_MIN};
use sealpost_domain::message::{RejectReason, TlsLevel, Tracking};
use sealpost_domain::rights::KeyKind;
use serde_json::{Value, json};

use super::call::{answer, caller, members};
use crate::actors::{SendAnswer, Verdict};
use crate::compose::{Address, Alternatives, Audience, Draft, RecipientKind};
use crate::http::draft_fields::{attachments, headers, images, metadata};
use crate::http::fault::Fault;
use crate::http::field_names::Dialect;
use crate::http::fields::Fields;
use crate::http::front::Front;
use crate::http::idempotency::RepeatKey;
use crate::http::members::Members;
use crate::http::message_lookup::{activity, read_own_id, timeline};
use crate::http::message_view::shown_message;
use crate::http::send::{self, Intake, Planable};
use crate::http::send_request::{SendRequest, Wanted};

/// Shortest and longest time after which a message bounces if nobody took it, in seconds.
const LIFETIME_S: std::ops::RangeInclusive<u64> = MESSAGE_LIFETIME_S_MIN..=MESSAGE_LIFETIME_S_MAX;

/// `POST /v1/messages`
pub(in crate::http) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let sent = async {
        let caller = caller(&request, &front, "messages/send", KeyKind::Sending).await?;
        let Members {
            fields,
            size_bytes,
            room,
        } = members(&request, &front, payload).await?;
        let intake = Intake {
            fields,
            size_bytes,
            repeat_key: RepeatKey::of(&request)?,
            method: "v1/messages",
            read: |fields, now| Ok(Planable::Draft(Box::new(read_send(fields, now)?.plan()?))),
        };
        let answers = send::send(&front, &caller, intake).await?;
        drop(room);
        Ok(json!({ "messages": answers.iter().map(shown).collect::<Vec<_>>() }))
    };
    answer(&request, StatusCode::ACCEPTED, sent.await)
}

/// `GET /v1/messages/{id}`
pub(in crate::http) async fn get(request: HttpRequest, id: web::Path<String>, front: web::Data<Front>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &front, "messages/info", KeyKind::Sending).await?;
        let message = read_own_id(&caller, &id)?;
        let row = activity(&front, caller.account, message).await?;
        let lines = timeline(&front, caller.account, message).await?;
        Ok(shown_message(&row, &lines))
    };
    answer(&request, StatusCode::OK, found.await)
}

fn read_send(mut fields: Fields, _now: Instant) -> Result<SendRequest, Fault> {
    let (from_given, from_name) = from(&mut fields)?;
    let draft = Draft {
        header_from: Address {
            name: from_name,
            mailbox: String::new(),
        },
        to: Vec::new(),
        subject: fields.text("subject")?.unwrap_or_default(),
        text: fields.text("text")?,
        html: fields.text("html")?,
        alternatives: Alternatives::AsGiven,
        headers: headers(&mut fields)?,
        attachments: attachments(&mut fields)?,
        inline_images: images(&mut fields)?,
        audience: match fields.flag("show_recipients")? {
            Some(true) => Audience::AllVisible,
            Some(false) | None => Audience::OwnCopies,
        },
        merge: None,
    };
    if draft.text.is_none() && draft.html.is_none() {
        return Err(fields.wrong("text", "Please enter a text, an html, or both"));
    }
    let request = SendRequest {
        dialect: Dialect::V1,
        from_given,
        draft,
        recipients: recipients(&mut fields)?,
        tags: fields.texts("tags")?,
        metadata: metadata(&mut fields, "metadata")?,
        own_metadata: BTreeMap::new(),
        subaccount: None,
        tracking: Tracking::default(),
        bcc_address: None,
        tls_required: tls(&mut fields)?,
        lifetime: fields.number("expires_in_s", LIFETIME_S)?.map(Duration::from_secs),
    };
    fields.finish()?;
    Ok(request)
}

/// An address, or an object with `email` and `name`.
fn from(fields: &mut Fields) -> Result<(String, Option<String>), Fault> {
    match fields.take("from") {
        None => Err(fields.missing("from")),
        Some(value) => address(value, fields.path_of("from")),
    }
}

fn address(value: Value, path: String) -> Result<(String, Option<String>), Fault> {
    if let Value::String(email) = value {
        return Ok((email, None));
    }
    let mut fields = Fields::of_value(value, path)?;
    let read = (fields.text_required("email")?, fields.text("name")?);
    fields.finish()?;
    Ok(read)
}

fn recipients(fields: &mut Fields) -> Result<Vec<Wanted>, Fault> {
    let mut wanted = Vec::new();
    for (name, kind) in [
        ("to", RecipientKind::To),
        ("cc", RecipientKind::Cc),
        ("bcc", RecipientKind::Bcc),
    ] {
        let path = fields.path_of(name);
        for (index, value) in fields.array(name)?.unwrap_or_default().into_iter().enumerate() {
            let (given, name) = address(value, format!("{path}[{index}]"))?;
            wanted.push(Wanted { given, name, kind });
        }
    }
    Ok(wanted)
}

/// `require_tls` asks for any TLS, `tls` for a level; where both stand the stricter one holds.
fn tls(fields: &mut Fields) -> Result<TlsLevel, Fault> {
    let least = match fields.flag("require_tls")? {
        Some(true) => TlsLevel::Encrypted,
        Some(false) | None => TlsLevel::Plain,
    };
    let level = match fields.text("tls")?.as_deref() {
        None | Some("opportunistic") => TlsLevel::Plain,
        Some("encrypted") => TlsLevel::Encrypted,
        Some("authenticated") => TlsLevel::Authenticated,
        Some(_) => return Err(fields.wrong("tls", "Please enter opportunistic, encrypted or authenticated")),
    };
    Ok(level.max(least))
}

fn shown(answer: &SendAnswer) -> Value {
    let (status, reason) = match answer.verdict {
        Verdict::Accepted => ("accepted", None),
        Verdict::Held => ("held", Some("key_frozen")),
        Verdict::Rejected(reason) => ("rejected", Some(reason_word(reason))),
    };
    json!({ "id": answer.message.to_hex(), "to": answer.given, "status": status, "reason": reason })
}

const fn reason_word(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::HardBounce => "hard_bounce",
        RejectReason::Complaint => "complaint",
        RejectReason::Unsubscribed => "unsubscribed",
        RejectReason::Suppressed => "suppressed",
        RejectReason::InvalidRecipient => "invalid_recipient",
        RejectReason::Unsigned => "unsigned",
        RejectReason::KeyLimit => "key_limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<SendRequest, Fault> {
        read_send(Fields::of_body(json.as_bytes()).unwrap(), Instant::from_millis(0))
    }

    fn field_of(json: &str) -> String {
        read(json).err().expect(json).field.unwrap_or_default()
    }

    #[test]
    fn a_call_is_read_with_all_its_members() {
        let request = read(
            r#"{"from":{"email":"shop@x.org","name":"Shop"},"to":["a@y.org",{"email":"b@y.org","name":"B"}],
            "cc":["c@y.org"],"bcc":["d@y.org"],"subject":"s","text":"t","html":"<p>t","headers":{"Reply-To":"r@x.org"},
            "tags":["t"],"metadata":{"n":1},"attachments":[{"name":"a","type":"text/plain","content":"aGk="}],
            "images":[],"tls":"authenticated","expires_in_s":3600,"show_recipients":true}"#,
        )
        .unwrap_or_else(|fault| panic!("{fault:?}"));
        let kinds: Vec<_> = request
            .recipients
            .iter()
            .map(|one| (one.given.as_str(), one.kind))
            .collect();
        use RecipientKind::{Bcc, Cc, To};
        assert_eq!(
            kinds,
            [("a@y.org", To), ("b@y.org", To), ("c@y.org", Cc), ("d@y.org", Bcc)]
        );
        assert_eq!(request.tls_required, TlsLevel::Authenticated);
        assert_eq!(request.lifetime, Some(Duration::from_secs(3_600)));
        assert_eq!(request.draft.header_from.name.as_deref(), Some("Shop"));
        assert_eq!(request.draft.audience, Audience::AllVisible);
    }

    #[test]
    fn the_stricter_of_require_tls_and_tls_holds() {
        for (members, level) in [
            ("", TlsLevel::Plain),
            (r#","require_tls":false"#, TlsLevel::Plain),
            (r#","require_tls":true"#, TlsLevel::Encrypted),
            (r#","require_tls":true,"tls":"opportunistic""#, TlsLevel::Encrypted),
            (r#","require_tls":true,"tls":"authenticated""#, TlsLevel::Authenticated),
            (r#","require_tls":false,"tls":"encrypted""#, TlsLevel::Encrypted),
        ] {
            let json = format!(r#"{{"from":"a@x.org","to":["b@y.org"],"text":"t"{members}}}"#);
            let request = read(&json).unwrap_or_else(|fault| panic!("{fault:?}"));
            assert_eq!(request.tls_required, level, "{members}");
        }
        assert_eq!(
            field_of(r#"{"from":"a@x.org","to":["b@y.org"],"text":"t","require_tls":"yes"}"#),
            "require_tls"
        );
    }

    #[test]
    fn what_is_wrong_missing_or_misspelt_is_named() {
        let with = |members: &str| format!(r#"{{"from":"a@x.org","to":["b@y.org"],"text":"t",{members}}}"#);
        for (json, field) in [
            ("{}".to_owned(), "from"),
            (r#"{"from":"a@x.org","to":["b@y.org"]}"#.to_owned(), "text"),
            (with(r#""subjet":"s""#), "subjet"),
            (with(r#""tls":"yes""#), "tls"),
            (with(r#""expires_in_s":5"#), "expires_in_s"),
            (with(r#""cc":"c@y.org""#), "cc"),
            (with(r#""bcc":[7]"#), "bcc[0]"),
            (with(r#""cc":[{"name":"C"}]"#), "cc[0].email"),
            (with(r#""cc":[{"email":"c@y.org","type":"to"}]"#), "cc[0].type"),
        ] {
            assert_eq!(field_of(&json), field, "{json}");
        }
        assert!(read(r#"{"from":"a@x.org","text":"t"}"#).is_ok_and(|request| request.recipients.is_empty()));
    }

    #[test]
    fn every_reason_is_the_word_of_the_log() {
        use RejectReason::*;
        for reason in [
            HardBounce,
            Complaint,
            Unsubscribed,
            Suppressed,
            InvalidRecipient,
            Unsigned,
            KeyLimit,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason_word(reason));
        }
    }
}
