//! `sealpost key`.

use reqwest::Method;
use serde_json::{Value, json};

use super::arguments::{KeyChange, KeyCommand, World};
use super::control_client::Control;
use super::show::{list, member, table};

pub(super) async fn key(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Issue {
            place,
            account,
            label,
            management,
            world,
        } => {
            let kind = if management { "management" } else { "sending" };
            let world = match world {
                World::Live => "live",
                World::Test => "test",
            };
            let body = json!({ "account": account.to_hex(), "label": label, "kind": kind, "world": world });
            let text = |answer: &Value| {
                format!(
                    "key {}  (shown once)\nid  {}",
                    member(answer, "key"),
                    member(answer, "id")
                )
            };
            Control::reach(&place)
                .await?
                .command(Method::POST, "/keys", Some(body), text)
                .await
        }
        KeyCommand::List { place, account } => {
            let path = format!("/keys?account={}", account.to_hex());
            Control::reach(&place)
                .await?
                .command(Method::GET, &path, None, shown_keys)
                .await
        }
        KeyCommand::Revoke(change) => act(change, "revoke").await,
        KeyCommand::Freeze(change) => act(change, "freeze").await,
        KeyCommand::Thaw(change) => act(change, "thaw").await,
    }
}

async fn act(change: KeyChange, verb: &str) -> anyhow::Result<()> {
    let KeyChange {
        place,
        account,
        key,
        reason,
    } = change;
    let path = format!("/keys/{}/{verb}", key.to_hex());
    let body = json!({ "account": account.to_hex(), "reason": reason });
    let text = |answer: &Value| {
        let begun = list(answer, "begun");
        let mut text = format!("{verb}: on record at position {}", member(answer, "position"));
        if !begun.is_empty() {
            text.push_str("\nthese had begun before and may still arrive:");
            for one in begun {
                text.push_str(&format!("\n  message {}", member(one, "message")));
            }
        }
        text
    };
    Control::reach(&place)
        .await?
        .command(Method::POST, &path, Some(body), text)
        .await
}

fn shown_keys(answer: &Value) -> String {
    let columns = ["id", "display", "kind", "world", "state", "label", "issued_at"];
    let row = |key: &Value| columns.iter().map(|column| member(key, column)).collect();
    let rows: Vec<Vec<String>> = list(answer, "keys").iter().map(row).collect();
    table(&["ID", "KEY", "KIND", "WORLD", "STATE", "LABEL", "ISSUED"], &rows)
}
