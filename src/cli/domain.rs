//! `sealpost domain`.

use reqwest::Method;
use serde_json::{Value, json};

use super::arguments::{DomainCommand, Signing};
use super::control_client::Control;
use super::show::{list, member};

pub(super) async fn domain(command: DomainCommand) -> anyhow::Result<()> {
    let (place, method, path, body, text): (_, _, _, _, fn(&Value) -> String) = match command {
        DomainCommand::Add {
            place,
            account,
            dkim,
            domain,
        } => {
            let body = json!({ "account": account.to_hex(), "domain": domain, "dkim": word(dkim) });
            (place, Method::POST, "/domains".to_owned(), Some(body), may_send)
        }
        DomainCommand::List { place, account } => {
            let path = format!("/domains?account={}", account.to_hex());
            (place, Method::GET, path, None, all)
        }
        DomainCommand::Dkim {
            place,
            account,
            domain,
            signing,
        } => {
            let body = json!({ "account": account.to_hex(), "dkim": word(signing) });
            (place, Method::POST, format!("/domains/{domain}/dkim"), Some(body), one)
        }
    };
    Control::reach(&place).await?.command(method, &path, body, text).await
}

const fn word(signing: Signing) -> &'static str {
    match signing {
        Signing::Rsa => "rsa",
        Signing::Ed25519 => "ed25519",
        Signing::Both => "both",
        Signing::None => "none",
    }
}

fn may_send(answer: &Value) -> String {
    let name = member(answer, "domain");
    if list(answer, "dkim").is_empty() {
        return format!("{name} may send. Nothing signs its mail here.");
    }
    format!(
        "{name} may send. Publish what stands below as TXT records, or receivers will not trust the signatures:\n\n{}",
        records(answer)
    )
}

fn one(domain: &Value) -> String {
    let verified = domain.get("verified").and_then(Value::as_bool).unwrap_or_default();
    let head = format!(
        "{}  signing: {}{}",
        member(domain, "domain"),
        member(domain, "signing"),
        if verified { "" } else { "  (not verified)" },
    );
    match records(domain) {
        records if records.is_empty() => head,
        records => format!("{head}\n{records}"),
    }
}

fn all(answer: &Value) -> String {
    let domains: Vec<String> = list(answer, "domains").iter().map(one).collect();
    domains.join("\n\n")
}

/// Name and text of the DNS record of each key.
fn records(domain: &Value) -> String {
    let record = |key: &Value| {
        let signs = key.get("signs").and_then(Value::as_bool).unwrap_or_default();
        format!(
            "  {}{}\n  {}",
            member(key, "record_name"),
            if signs { "" } else { "  (does not sign)" },
            member(key, "record_text"),
        )
    };
    let records: Vec<String> = list(domain, "dkim").iter().map(record).collect();
    records.join("\n\n")
}
