//! Calls that manage keys, as `/v1` and the control socket share them: read, carried out, shown.

use sealpost_domain::Personal;
use sealpost_domain::api_key::{ApiKeyCommand, KeyStanding};
use sealpost_domain::ids::KeyId;
use sealpost_domain::limits;
use sealpost_domain::rights::{KeyKind, KeyLimits, KeyWorld};
use serde_json::{Value, json};

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::fields::Fields;
use super::front::Front;
use crate::access::{IssueRequest, IssuedKey};
use crate::actors::{Asker, KeyView, Manage, Managed};

/// Longest label of a key, in bytes.
const LABEL_BYTES_MAX: usize = limits::KEY_LABEL_BYTES_MAX as usize;
/// Longest reason that is recorded with a command, in bytes.
const REASON_BYTES_MAX: usize = limits::REASON_BYTES_MAX as usize;

/// Limits that nothing holds yet. A number of messages is not counted, and addresses and networks are personal: they may
/// not stand in clear in the log, where admission could read them.
const NOT_BUILT: [&str; 3] = ["from_mailboxes", "networks", "messages_per_hour_max"];

/// What is done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyAct {
    /// End it.
    Revoke,
    /// Hold what it sends.
    Freeze,
    /// Let it send again.
    Thaw,
}

/// Reads what is to be issued.
pub(super) fn read_issue(fields: &mut Fields) -> Result<IssueRequest, Fault> {
    let kind = match fields.text("kind")?.as_deref() {
        None | Some("sending") => KeyKind::Sending,
        Some("management") => KeyKind::Management,
        Some(_) => return Err(fields.wrong("kind", "Please enter sending or management")),
    };
    let world = match fields.text("world")?.as_deref() {
        None | Some("live") => KeyWorld::Live,
        Some("test") => KeyWorld::Test,
        Some(_) => return Err(fields.wrong("world", "Please enter live or test")),
    };
    let limits = match fields.take("limits") {
        None => KeyLimits::default(),
        Some(value) => {
            if let Some(name) = NOT_BUILT.into_iter().find(|name| value.get(name).is_some()) {
                let field = format!("{}.{name}", fields.path_of("limits"));
                return Err(Fault {
                    field: Some(field),
                    ..Fault::from(ErrorCode::LimitNotBuilt)
                });
            }
            serde_json::from_value(value)
                .map_err(|wrong| fields.wrong("limits", format!("They cannot be read: {wrong}")))?
        }
    };
    Ok(IssueRequest {
        kind,
        world,
        label: Personal::Known(short(fields, "label", LABEL_BYTES_MAX)?),
        limits,
    })
}

/// Reads a text of people, empty where there is none.
fn short(fields: &mut Fields, name: &str, bytes_max: usize) -> Result<String, Fault> {
    let text = fields.text(name)?.unwrap_or_default();
    if text.len() > bytes_max {
        return Err(fields.wrong(name, format!("Please enter at most {bytes_max} bytes")));
    }
    Ok(text)
}

/// Reads why something is done.
pub(super) fn read_reason(fields: &mut Fields) -> Result<Personal<String>, Fault> {
    short(fields, "reason", REASON_BYTES_MAX).map(Personal::Known)
}

/// Reads the id of a key.
pub(super) fn read_key_id(text: &str) -> Result<KeyId, Fault> {
    text.parse().map_err(|_| ErrorCode::UnknownKey.into())
}

/// Does it.
pub(super) async fn act(
    front: &Front,
    asker: Asker,
    key: KeyId,
    act: KeyAct,
    reason: Personal<String>,
) -> Result<Value, Fault> {
    let command = match act {
        KeyAct::Revoke => ApiKeyCommand::RevokeKey { reason },
        KeyAct::Freeze => ApiKeyCommand::FreezeKey { reason },
        KeyAct::Thaw => ApiKeyCommand::ThawKey,
    };
    match front.accounts.manage_for(asker, Manage::Key(key, command)).await? {
        Managed::Done { position } => Ok(json!({ "id": key.to_hex(), "position": position })),
        Managed::Frozen { position, begun } => {
            let begun: Vec<Value> = begun
                .iter()
                .map(|begun| json!({ "message": begun.message.to_hex(), "attempt": begun.attempt.to_hex() }))
                .collect();
            Ok(json!({ "id": key.to_hex(), "position": position, "begun": begun }))
        }
        Managed::Keys(_) | Managed::Domains(_) => Err(ErrorCode::Internal.into()),
    }
}

/// The account's keys.
pub(super) async fn list(front: &Front, asker: Asker) -> Result<Value, Fault> {
    match front.accounts.manage_for(asker, Manage::ListKeys).await? {
        Managed::Keys(keys) => Ok(json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() })),
        Managed::Done { .. } | Managed::Frozen { .. } | Managed::Domains(_) => Err(ErrorCode::Internal.into()),
    }
}

/// A key that was just issued: the only time that it is shown.
pub(super) fn shown_issued(issued: &IssuedKey) -> Value {
    json!({
        "id": issued.key.to_hex(),
        "key": issued.secret.expose(),
        "kind": kind_word(issued.secret.kind()),
        "world": issued.secret.world().label(),
        "display": issued.display,
        "issued_at": issued.issued_at,
    })
}

fn shown(view: &KeyView) -> Value {
    json!({
        "id": view.key.to_hex(),
        "kind": kind_word(view.kind),
        "world": view.world.label(),
        "display": view.display,
        "label": view.label.known(),
        "state": standing_word(view.standing),
        "limits": view.limits,
        "issued_at": view.issued_at,
    })
}

const fn kind_word(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Sending => "sending",
        KeyKind::Management => "management",
    }
}

const fn standing_word(standing: KeyStanding) -> &'static str {
    match standing {
        KeyStanding::None => "none",
        KeyStanding::Active => "active",
        KeyStanding::Frozen => "frozen",
        KeyStanding::Revoked => "revoked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<IssueRequest, Fault> {
        read_issue(&mut Fields::of_body(json.as_bytes()).unwrap())
    }

    #[test]
    fn a_limit_that_nothing_holds_is_neither_promised_nor_stored() {
        for (json, field) in [
            (r#"{"limits":{"from_mailboxes":["a@x.org"]}}"#, "limits.from_mailboxes"),
            (r#"{"limits":{"networks":["192.0.2.0/24"]}}"#, "limits.networks"),
            (
                r#"{"limits":{"messages_per_hour_max":5}}"#,
                "limits.messages_per_hour_max",
            ),
        ] {
            let fault = read(json).unwrap_err();
            assert_eq!(
                (fault.code, fault.field.as_deref()),
                (ErrorCode::LimitNotBuilt, Some(field))
            );
        }
    }

    #[test]
    fn a_key_sends_real_mail_where_nothing_else_is_said() {
        let request = read("{}").unwrap();
        assert_eq!((request.kind, request.world), (KeyKind::Sending, KeyWorld::Live));
        assert_eq!(request.limits, KeyLimits::default());
    }

    #[test]
    fn limits_are_read_and_a_wrong_one_is_named() {
        let request = read(
            r#"{"kind":"management","world":"test","label":"CI","limits":{"recipient_domains":["inbox.test"],
            "methods":["messages/send"],"from_domains":["example.org"]}}"#,
        )
        .unwrap();
        assert_eq!((request.kind, request.world), (KeyKind::Management, KeyWorld::Test));
        assert_eq!(request.limits.recipient_domains[0].as_str(), "inbox.test");
        for (json, field) in [
            (r#"{"kind":"spk"}"#, "kind"),
            (r#"{"world":1}"#, "world"),
            (r#"{"limits":{"netwroks":[]}}"#, "limits"),
            (r#"{"limits":{"from_domains":["not a domain"]}}"#, "limits"),
        ] {
            assert_eq!(read(json).unwrap_err().field.as_deref(), Some(field), "{json}");
        }
        let long = format!(r#"{{"label":"{}"}}"#, "a".repeat(201));
        assert_eq!(read(&long).unwrap_err().field.as_deref(), Some("label"));
    }
}
