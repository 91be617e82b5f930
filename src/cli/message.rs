//! `sealpost message`.

use reqwest::Method;
use serde_json::Value;

use super::arguments::MessageCommand;
use super::control_client::Control;
use super::show::{list, member, table};

pub(super) async fn message(command: MessageCommand) -> anyhow::Result<()> {
    let MessageCommand::Show { place, message } = command;
    let path = format!("/messages/{}", message.to_hex());
    Control::reach(&place)
        .await?
        .command(Method::GET, &path, None, text)
        .await
}

fn text(answer: &Value) -> String {
    let facts = [
        ("message", "id"),
        ("state", "state"),
        ("reason", "reason"),
        ("from", "from"),
        ("to", "to"),
        ("subject", "subject"),
        ("key", "key"),
        ("in clear", "in_clear"),
        ("client IP", "client_ip"),
        ("account", "account"),
        ("accepted", "at"),
        ("next attempt", "next_attempt_at"),
        ("reported", "late_at"),
    ];
    let mut lines: Vec<String> = facts
        .iter()
        .map(|(label, name)| (label, member(answer, name)))
        .filter(|(_, shown)| !shown.is_empty())
        .map(|(label, shown)| format!("{label:<13} {shown}"))
        .collect();
    lines.push(String::new());
    let rows: Vec<Vec<String>> = list(answer, "timeline").iter().map(entry).collect();
    lines.push(table(&["SEQ", "AT", "EVENT", "TLS", "DETAIL"], &rows));
    lines.join("\n")
}

fn entry(entry: &Value) -> Vec<String> {
    let details = ["reason", "class", "status", "host", "peer", "next_attempt_at"];
    let mut shown: Vec<String> = details.iter().map(|name| member(entry, name)).collect();
    shown.push(failed_tls(entry));
    if let Some(reply) = entry.get("reply").filter(|reply| !reply.is_null()) {
        shown.push(format!("{} {}", member(reply, "code"), member(reply, "text")));
    }
    shown.retain(|detail| !detail.is_empty());
    vec![
        place(entry),
        member(entry, "at"),
        member(entry, "event"),
        protection(entry),
        shown.join(" "),
    ]
}

/// Place in the message's own stream; what came in later has a stream of its own.
fn place(entry: &Value) -> String {
    let sequence = member(entry, "sequence");
    match member(entry, "stream").as_str() {
        "engagement" => format!("late {sequence}"),
        _ => sequence,
    }
}

/// The session, or why there was clear text.
fn protection(entry: &Value) -> String {
    let clear = member(entry, "in_clear");
    match entry.get("tls").filter(|tls| !tls.is_null()) {
        Some(tls) => format!("{} ({})", member(tls, "version"), member(tls, "verdict")),
        None if clear.is_empty() => String::new(),
        None => format!("CLEAR ({clear})"),
    }
}

/// The classes of what failed on the way, as `F4 at mx.example.org`.
fn failed_tls(entry: &Value) -> String {
    let record = entry.get("tls_record").unwrap_or(&Value::Null);
    let failures = list(record, "failures");
    let failed = failures
        .iter()
        .map(|failure| format!("{} at {}", member(failure, "class"), member(failure, "host")));
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        String::new()
    } else {
        format!("[{}]", failed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_came_in_later_stands_behind_the_rest_with_its_class() {
        let shown = text(&json!({
            "id": "1", "state": "bounced_late", "late_at": "2026-11-25T10:00:00Z",
            "timeline": [
                { "stream": "message", "sequence": 3, "event": "MessageDelivered" },
                {
                    "stream": "engagement", "sequence": 1, "event": "BounceReceived", "reason": "hard",
                    "class": "recipient_unknown", "reply": { "code": 550, "text": "5.1.1 gone" },
                },
            ],
        }));
        assert!(shown.contains("reported      2026-11-25T10:00:00Z"), "{shown}");
        let last = shown.lines().last().unwrap_or_default();
        assert!(last.starts_with("late 1"), "{shown}");
        assert!(last.ends_with("  hard recipient_unknown 550 5.1.1 gone"), "{shown}");
    }
}
