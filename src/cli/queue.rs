//! `sealpost queue`.

use reqwest::Method;
use serde_json::Value;

use super::arguments::{QueueChange, QueueCommand};
use super::control_client::Control;
use super::show::{list, member, table};

pub(super) async fn queue(command: QueueCommand) -> anyhow::Result<()> {
    match command {
        QueueCommand::List { place } => {
            Control::reach(&place)
                .await?
                .command(Method::GET, "/queue?limit=1000", None, text)
                .await
        }
        QueueCommand::Hold(change) => act(change, "hold").await,
        QueueCommand::Release(change) => act(change, "release").await,
    }
}

async fn act(change: QueueChange, verb: &str) -> anyhow::Result<()> {
    let path = format!("/queue/{}/{verb}", change.message.to_hex());
    let text = |answer: &Value| format!("{verb}: on record at position {}", member(answer, "position"));
    Control::reach(&change.place)
        .await?
        .command(Method::POST, &path, None, text)
        .await
}

fn text(answer: &Value) -> String {
    let columns = ["id", "state", "to", "deferrals", "due_at", "key"];
    let row = |one: &Value| columns.iter().map(|column| member(one, column)).collect();
    let mut rows: Vec<Vec<String>> = list(answer, "messages").iter().map(row).collect();
    rows.extend(
        list(answer, "parked")
            .iter()
            .map(|one| vec![member(one, "id"), "parked".to_owned(), member(one, "error")]),
    );
    let counts = answer.get("counts").unwrap_or(&Value::Null);
    let summary = ["queued", "held", "in_flight", "parked"].map(|name| format!("{} {name}", member(counts, name)));
    format!(
        "{}\n{}",
        table(&["ID", "STATE", "TO", "DEFERRALS", "DUE", "KEY"], &rows),
        summary.join(", ")
    )
}
