//! `sealpost audit`.

use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::Value;

use super::arguments::AuditCommand;
use super::control_client::Control;
use super::show::{list, member, table};

pub(super) async fn audit(command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Rebuild { place, check } = command;
    if !check {
        bail!("a read model is rebuilt by deleting its file below `read/`; `--check` compares without touching it");
    }
    let control = Control::reach(&place).await?;
    let bar = ProgressBar::new_spinner().with_message("folding the log again beside the live read models");
    bar.enable_steady_tick(Duration::from_millis(100));
    let answered = control.ask(Method::POST, "/audit/rebuild-check", None).await;
    bar.finish_and_clear();
    control.end().await;
    let answer = answered?;
    if place.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        println!("{}", text(&answer));
    }
    if answer.get("equal") != Some(&Value::Bool(true)) {
        bail!("a rebuilt read model differs from the live one");
    }
    Ok(())
}

fn text(answer: &Value) -> String {
    let row = |one: &Value| {
        ["projection", "equal", "events", "rebuilt"]
            .map(|name| member(one, name))
            .to_vec()
    };
    let rows: Vec<Vec<String>> = list(answer, "projections").iter().map(row).collect();
    table(&["PROJECTION", "EQUAL", "EVENTS", "DIGEST"], &rows)
}
