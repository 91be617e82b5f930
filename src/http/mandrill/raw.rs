//! Reads the members of `messages/send-raw`: a finished message, and who is to get it.
//!
//! The document says the rest, `X-MC-` headers among it, as a submission by SMTP does.

use sealpost_domain::Instant;
use sealpost_domain::limits::{DISPLAY_NAME_BYTES_MAX, RECIPIENTS_PER_CALL_MAX};

use super::wire::refuse_scheduling;
use crate::compose::{Address, RecipientKind, parse_addresses};
use crate::http::fault::Fault;
use crate::http::fields::Fields;
use crate::http::send_request::{Wanted, check_given};
use crate::intake::RawMail;

/// Reads the members of the call.
///
/// # Errors
/// The first member that is wrong, with its path.
pub(super) fn read_raw(mut fields: Fields, now: Instant) -> Result<RawMail, Fault> {
    fields.flag("async")?;
    fields.text("ip_pool")?;
    fields.text("return_path_domain")?;
    refuse_scheduling(&mut fields, now)?;
    let content = fields.text_required("raw_message")?.into_bytes();
    Ok(RawMail {
        content,
        header_from: header_from(&mut fields)?,
        addressees: addressees(&mut fields)?,
        trace: None,
        at: now,
    })
}

/// `from_email` may be `Name <address>`, as some clients write it.
fn header_from(fields: &mut Fields) -> Result<Option<Address>, Fault> {
    let given = fields.text("from_email")?.filter(|text| !text.is_empty());
    let name = fields.text("from_name")?.filter(|name| !name.is_empty());
    for (member, text) in [("from_email", &given), ("from_name", &name)] {
        if text.as_ref().is_some_and(|text| text.contains(['\r', '\n', '\0'])) {
            return Err(fields.wrong(member, "There is a line break or a NUL in it"));
        }
    }
    let Some(given) = given else { return Ok(None) };
    let read = parse_addresses(&given).into_iter().next().unwrap_or_default();
    let name = name.or(read.name);
    if name
        .as_ref()
        .is_some_and(|name| name.len() as u64 > DISPLAY_NAME_BYTES_MAX)
    {
        let detail = format!("Please enter at most {DISPLAY_NAME_BYTES_MAX} bytes");
        return Err(fields.wrong("from_name", detail));
    }
    Ok(Some(Address {
        name,
        mailbox: read.mailbox,
    }))
}

/// `None` where the document is to name them.
fn addressees(fields: &mut Fields) -> Result<Option<Vec<Wanted>>, Fault> {
    let given = fields.texts("to")?;
    if given.is_empty() {
        return Ok(None);
    }
    if given.len() as u64 > RECIPIENTS_PER_CALL_MAX {
        let detail = format!(
            "Please enter at most {RECIPIENTS_PER_CALL_MAX} recipients; there are {}",
            given.len()
        );
        return Err(fields.wrong("to", detail));
    }
    let wanted = |(index, given): (usize, String)| {
        check_given(&format!("to[{index}]"), &given)?;
        Ok(Wanted {
            given,
            name: None,
            kind: RecipientKind::To,
        })
    };
    given
        .into_iter()
        .enumerate()
        .map(wanted)
        .collect::<Result<_, _>>()
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::send::of_raw;

    const DOCUMENT: &str = "From: Ann <a@x.org>\\r\\nTo: b@y.org\\r\\nCc: c@y.org\\r\\nSubject: Hi\\r\\n\\r\\nhello";

    fn read(members: &str) -> Result<RawMail, Fault> {
        let json = format!(r#"{{"raw_message":"{DOCUMENT}"{members}}}"#);
        read_raw(
            Fields::of_body(json.as_bytes()).unwrap(),
            Instant::from_millis(1_795_600_800_000),
        )
    }

    fn given(mail: Result<RawMail, Fault>) -> Vec<String> {
        let plan = mail.and_then(|mail| mail.plan().map_err(|refusal| of_raw(&refusal)));
        let plan = plan.unwrap_or_else(|fault| panic!("{fault:?}"));
        plan.given().map(str::to_owned).collect()
    }

    fn field_of(mail: Result<RawMail, Fault>) -> String {
        let plan = mail.and_then(|mail| mail.plan().map_err(|refusal| of_raw(&refusal)));
        plan.expect_err("a fault").field.unwrap_or_default()
    }

    #[test]
    fn the_document_names_who_is_not_named() {
        assert_eq!(given(read("")), ["b@y.org", "c@y.org"]);
        assert_eq!(given(read(r#","to":null,"async":true"#)), ["b@y.org", "c@y.org"]);
        assert_eq!(given(read(r#","to":["d@y.org","nobody"]"#)), ["d@y.org", "nobody"]);
    }

    #[test]
    fn a_sender_fills_in_for_a_document_without_one() {
        let bare = |from: &str| {
            let json = format!(r#"{{"raw_message":"To: b@y.org\r\n\r\nhello","from_email":"{from}","from_name":"A"}}"#);
            read_raw(
                Fields::of_body(json.as_bytes()).unwrap(),
                Instant::from_millis(1_795_600_800_000),
            )
        };
        assert_eq!(given(bare("Ann <a@x.org>")), ["b@y.org"]);
        assert_eq!(given(bare("a@x.org")), ["b@y.org"]);
        assert_eq!(field_of(bare("")), "raw_message");
        assert_eq!(field_of(bare("nobody")), "raw_message");
        assert_eq!(field_of(bare("a@x.org\\r\\nBcc: c@y.org")), "from_email");
    }

    #[test]
    fn wrong_members_are_named() {
        assert_eq!(field_of(read(r#","to":"b@y.org""#)), "to");
        assert_eq!(field_of(read(r#","to":["b@y.org\r\nX: y"]"#)), "to[0]");
        assert_eq!(field_of(read(r#","send_at":"2026-11-25 10:00:01""#)), "send_at");
        let looping = "Received: x\\r\\n".repeat(1_000);
        let json = format!(r#"{{"raw_message":"{looping}From: a@x.org\r\n\r\nhello","to":["b@y.org"]}}"#);
        assert!(read_raw(Fields::of_body(json.as_bytes()).unwrap(), Instant::from_millis(0)).is_ok());
        let none = read_raw(Fields::of_body(b"{}").unwrap(), Instant::from_millis(0));
        assert_eq!(field_of(none), "raw_message");
    }
}
