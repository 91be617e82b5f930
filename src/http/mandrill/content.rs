//! `messages/content`: a message as it was composed, read back from the content store.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sealpost_projections::activity::ActivityRow;
use serde_json::{Map, Value, json};

use super::call::Admitted;
use super::info::text;
use crate::compose::{ShownMessage, show};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::message_lookup::{activity, find, read_own_id, unknown};

/// `messages/content`
pub(super) async fn content(call: Admitted<'_>) -> Result<Value, Fault> {
    let Admitted {
        front,
        caller,
        mut fields,
        ..
    } = call;
    let id = fields.text_required("id")?;
    let message = read_own_id(&caller, &id)?;
    let found = find(front, message).await?;
    let stored = found
        .content
        .filter(|_| found.account == caller.account)
        .ok_or_else(|| unknown(&id))?;
    let row = activity(front, caller.account, message).await?;
    let keeper = front.keeper().clone();
    front
        .desk
        .work()
        .run(move || {
            let raw = keeper.read(message, &stored)?;
            let shown = show(&raw)
                .map_err(|failure| Fault::of_failure(ErrorCode::Internal, "reading a composed message", &failure))?;
            Ok(message_content(&row, shown))
        })
        .await
}

fn message_content(row: &ActivityRow, shown: ShownMessage) -> Value {
    let files = shown
        .attachments
        .iter()
        .map(|file| json!({ "name": file.name, "type": file.media_type, "content": STANDARD.encode(&file.content) }));
    let attachments: Vec<Value> = files.collect();
    let to = shown
        .to
        .iter()
        .chain(&shown.cc)
        .find(|one| one.mailbox == text(&row.recipient));
    json!({
        "ts": row.at.as_millis().div_euclid(1_000),
        "_id": row.message.to_hex(),
        "from_email": shown.header_from.mailbox,
        "from_name": shown.header_from.name,
        "subject": shown.subject,
        "to": { "email": text(&row.recipient), "name": to.and_then(|one| one.name.clone()) },
        "tags": row.tags.known().cloned().unwrap_or_default(),
        "headers": headers(shown.headers),
        "text": shown.text.unwrap_or_default(),
        "html": shown.html.unwrap_or_default(),
        "attachments": attachments,
    })
}

/// A name that occurs more than once has its values in an array.
fn headers(headers: Vec<(String, String)>) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in headers {
        match shown.get_mut(&name) {
            None => drop(shown.insert(name, Value::String(value))),
            Some(Value::Array(values)) => values.push(Value::String(value)),
            Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_occurs_twice_is_an_array() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let shown = headers(vec![
            pair("X-A", "1"),
            pair("To", "ann@x.org"),
            pair("X-A", "2"),
            pair("X-A", "3"),
        ]);
        assert_eq!(
            Value::Object(shown),
            json!({ "X-A": ["1", "2", "3"], "To": "ann@x.org" })
        );
    }
}
