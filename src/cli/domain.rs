//! `sealpost domain`.

use reqwest::Method;
use serde_json::{Value, json};

use super::arguments::DomainCommand;
use super::control_client::Control;
use super::show::member;

pub(super) async fn domain(command: DomainCommand) -> anyhow::Result<()> {
    let DomainCommand::Add { place, account, domain } = command;
    let body = json!({ "account": account.to_hex(), "domain": domain });
    Control::reach(&place)
        .await?
        .command(Method::POST, "/domains", Some(body), text)
        .await
}

fn text(answer: &Value) -> String {
    let dkim = answer.get("dkim").unwrap_or(&Value::Null);
    format!(
        "{} may send. Publish this TXT record, or receivers will not trust the signature:\n\n  {}\n  {}",
        member(answer, "domain"),
        member(dkim, "record_name"),
        member(dkim, "record_text"),
    )
}
