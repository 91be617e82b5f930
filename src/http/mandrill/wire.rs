//! Reads the `message` of `messages/send` into a [`SendRequest`], field by field as Mandrill documents them.
//!
//! What changes the look or the time of a mail and is not built yet (scheduling) is refused, never ignored. Subaccount
//! and tracking are put on record; what only names or measures besides (analytics, pools) is taken and has no effect.

use std::collections::BTreeMap;

use sealpost_domain::Instant;
use sealpost_domain::message::{ClickTracking, OpenTracking, TlsLevel, Tracking};
use serde_json::Value;

use super::merge_fields::merge;
use crate::compose::{Address, Alternatives, Audience, Draft, RecipientKind};
use crate::http::draft_fields::{attachments, headers, images, metadata};
use crate::http::fault::Fault;
use crate::http::field_names::Dialect;
use crate::http::fields::Fields;
use crate::http::send_request::{SendRequest, Wanted};
use crate::intake::{DayEnd, read_time};

/// Reads the members of the call.
///
/// # Errors
/// The first member that is wrong, with its path.
pub(super) fn read_send(mut fields: Fields, now: Instant) -> Result<SendRequest, Fault> {
    fields.flag("async")?;
    refuse_scheduling(&mut fields, now)?;
    let mut message = fields.object_required("message")?;
    let merge = merge(&mut message)?;
    let from_given = message.text_required("from_email")?;
    let from_name = message.text("from_name")?;
    let draft = Draft {
        header_from: Address {
            name: from_name.filter(|name| !name.is_empty()),
            mailbox: String::new(),
        },
        to: Vec::new(),
        subject: message.text("subject")?.unwrap_or_default(),
        text: message.text("text")?,
        html: message.text("html")?,
        alternatives: alternatives(&mut message)?,
        headers: headers(&mut message)?,
        attachments: attachments(&mut message)?,
        inline_images: images(&mut message)?,
        audience: match message.flag("preserve_recipients")? {
            Some(true) => Audience::AllVisible,
            Some(false) | None => Audience::OwnCopies,
        },
        merge,
    };
    Ok(SendRequest {
        dialect: Dialect::Mandrill,
        from_given,
        draft,
        recipients: recipients(&mut message)?,
        tags: message.texts("tags")?,
        metadata: metadata(&mut message, "metadata")?,
        own_metadata: own_metadata(&mut message)?,
        subaccount: message.text("subaccount")?.filter(|id| !id.is_empty()),
        tracking: tracking(&mut message)?,
        bcc_address: message.text("bcc_address")?.filter(|address| !address.is_empty()),
        tls_required: TlsLevel::Plain,
        lifetime: None,
    })
}

/// A time that has passed means now, as in the original.
pub(super) fn refuse_scheduling(fields: &mut Fields, now: Instant) -> Result<(), Fault> {
    let Some(text) = fields.text("send_at")?.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    match read_time(&text, DayEnd::First) {
        None => Err(fields.wrong("send_at", "Please enter a date as YYYY-MM-DD HH:MM:SS")),
        Some(at) if at > now => Err(fields.wrong("send_at", "Scheduling is not offered yet: leave it out to send now")),
        Some(_) => Ok(()),
    }
}

/// What the sender says of measuring; what is absent or null is the account's choice.
fn tracking(message: &mut Fields) -> Result<Tracking, Fault> {
    Ok(Tracking {
        opens: message.flag("track_opens")?.map(|track| match track {
            true => OpenTracking::On,
            false => OpenTracking::Off,
        }),
        clicks: message.flag("track_clicks")?.map(|track| match track {
            true => ClickTracking::All,
            false => ClickTracking::Off,
        }),
    })
}

/// `recipient_metadata`: by the address in lower case.
fn own_metadata(message: &mut Fields) -> Result<BTreeMap<String, BTreeMap<String, String>>, Fault> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for mut one in message.objects("recipient_metadata")? {
        let recipient = one.text_required("rcpt")?.to_lowercase();
        all.entry(recipient).or_default().extend(metadata(&mut one, "values")?);
    }
    Ok(all)
}

fn alternatives(message: &mut Fields) -> Result<Alternatives, Fault> {
    let (text, html) = (message.flag("auto_text")?, message.flag("auto_html")?);
    Ok(match (text.unwrap_or(false), html.unwrap_or(false)) {
        (true, true) => Alternatives::AddEither,
        (true, false) => Alternatives::AddText,
        (false, true) => Alternatives::AddHtml,
        (false, false) => Alternatives::AsGiven,
    })
}

fn recipients(message: &mut Fields) -> Result<Vec<Wanted>, Fault> {
    if message.members().get("to").is_none_or(Value::is_null) {
        return Err(message.missing("to"));
    }
    message.objects("to")?.into_iter().map(recipient).collect()
}

fn recipient(mut to: Fields) -> Result<Wanted, Fault> {
    let kind = match to.text("type")?.as_deref() {
        None | Some("to") => RecipientKind::To,
        Some("cc") => RecipientKind::Cc,
        Some("bcc") => RecipientKind::Bcc,
        Some(_) => return Err(to.wrong("type", "Please enter to, cc or bcc")),
    };
    Ok(Wanted {
        given: to.text_required("email")?,
        name: to.text("name")?,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<SendRequest, Fault> {
        read_send(
            Fields::of_body(json.as_bytes()).unwrap(),
            Instant::from_millis(1_795_600_800_000),
        )
    }

    fn with(members: &str) -> Result<SendRequest, Fault> {
        read(&format!(
            r#"{{"message":{{"from_email":"a@x.org","to":[{{"email":"b@y.org"}}],{members}}}}}"#
        ))
    }

    fn field_of(result: Result<SendRequest, Fault>) -> String {
        result.err().expect("a fault").field.unwrap_or_default()
    }

    #[test]
    fn what_official_clients_send_is_read() {
        let asked = read(
            r#"{"message": {"subject": "H\u00e9", "text": "x", "from_email": "a@x.io", "from_name": "A",
            "to": [{"email": "b@y.io"}, {"email": "c@y.io", "name": "C", "type": "cc"}], "tags": null,
            "headers": {"Reply-To": "r@x.io", "X-N": 7}, "metadata": {"order": 12, "vip": true, "who": "me"},
            "attachments": [{"type": "text/plain", "name": "a.txt", "content": "aGVs\nbG8"}],
            "images": [{"type": "image/png", "name": "logo", "content": "AAEC"}],
            "auto_text": true, "track_opens": true, "merge": true, "global_merge_vars": []}, "async": true}"#,
        );
        let request = asked.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(
            (request.from_given.as_str(), request.draft.subject.as_str()),
            ("a@x.io", "Hé")
        );
        assert_eq!(request.recipients.len(), 2);
        assert!(request.recipients[1].kind == RecipientKind::Cc);
        assert_eq!(
            request.draft.headers,
            [("Reply-To".into(), "r@x.io".into()), ("X-N".into(), "7".into())]
        );
        assert_eq!(request.metadata["order"], "12");
        assert_eq!(request.metadata["who"], "\"me\"");
        assert_eq!(request.draft.attachments[0].content, b"hello");
        assert_eq!(request.draft.inline_images[0].content, [0, 1, 2]);
        assert_eq!(request.draft.alternatives, Alternatives::AddText);
    }

    #[test]
    fn wrong_members_are_named() {
        assert_eq!(field_of(read("{}")), "message");
        assert_eq!(field_of(read(r#"{"message":[]}"#)), "message");
        assert_eq!(field_of(read(r#"{"message":{"to":[]}}"#)), "message.from_email");
        assert_eq!(field_of(read(r#"{"message":{"from_email":"a@x.org"}}"#)), "message.to");
        assert_eq!(
            field_of(read(r#"{"message":{"from_email":"a@x.org","to":{"email":"b"}}}"#)),
            "message.to"
        );
        assert_eq!(
            field_of(read(r#"{"message":{"from_email":"a@x.org","to":[{}]}}"#)),
            "message.to[0].email"
        );
        assert_eq!(field_of(with(r#""subject":7"#)), "message.subject");
        assert_eq!(field_of(with(r#""headers":{"X":[1]}"#)), "message.headers.X");
        assert_eq!(field_of(with(r#""metadata":{"a":{}}"#)), "message.metadata.a");
        assert_eq!(
            field_of(with(r#""attachments":[{"content":"!!"}]"#)),
            "message.attachments[0].content"
        );
        assert_eq!(
            field_of(with(r#""attachments":[{}]"#)),
            "message.attachments[0].content"
        );
        assert_eq!(field_of(with(r#""auto_text":"yes""#)), "message.auto_text");
        assert_eq!(field_of(read(r#"{"async":"yes"}"#)), "async");
    }

    #[test]
    fn what_is_for_the_record_and_for_copies_is_read() {
        let request = with(
            r#""subaccount":"c-1","track_opens":true,"track_clicks":false,"bcc_address":"c@y.org",
            "recipient_metadata":[{"rcpt":"B@y.org","values":{"n":1}},{"rcpt":"d@y.org","values":[]}]"#,
        );
        let request = request.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(request.subaccount.as_deref(), Some("c-1"));
        assert_eq!(request.tracking.opens, Some(OpenTracking::On));
        assert_eq!(request.tracking.clicks, Some(ClickTracking::Off));
        assert_eq!(request.own_metadata["b@y.org"]["n"], "1");
        let plan = request.plan().unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!((plan.recipients.len(), plan.answered), (2, 1));
        let plan = |members: &str| with(members).and_then(super::SendRequest::plan).map(drop);
        for (members, field) in [
            (r#""bcc_address":"nobody""#, "message.bcc_address"),
            (r#""recipient_metadata":[{}]"#, "message.recipient_metadata[0].rcpt"),
            (
                r#""recipient_metadata":[{"rcpt":"b@y.org","values":{"a":[]}}]"#,
                "message.recipient_metadata[0].values.a",
            ),
        ] {
            let fault = plan(members).expect_err("a fault");
            assert_eq!(fault.field.as_deref(), Some(field), "{members}");
        }
        let long = format!(r#""subaccount":"{}""#, "s".repeat(256));
        assert_eq!(
            plan(&long).err().and_then(|fault| fault.field).as_deref(),
            Some("message.subaccount")
        );
    }

    #[test]
    fn what_is_not_built_is_refused_and_what_is_harmless_is_taken() {
        let scheduled = |at: &str| {
            read(&format!(
                r#"{{"send_at":"{at}","message":{{"from_email":"a@x.org","to":[{{"email":"b@y.org"}}]}}}}"#
            ))
        };
        assert!(scheduled("2026-11-25 09:59:59").is_ok(), "in the past means now");
        assert_eq!(field_of(scheduled("2026-11-25 10:00:01")), "send_at");
        assert_eq!(field_of(scheduled("tomorrow")), "send_at");
        assert!(with(r#""track_clicks":true,"important":true,"headers":[],"metadata":[],"unknown":{}"#).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_json_breaks_the_reader(
            name in "[a-z_]{1,20}",
            value in "[1-9][0-9]{0,4}|true|null|\"x\"|\\[\\]|\\{\\}|\\[\\{\\}\\]",
        ) {
            drop(with(&format!(r#""{name}":{value}"#)));
            drop(read(&format!(r#"{{"message":{{"{name}":{value}}}}}"#)));
        }
    }
}
