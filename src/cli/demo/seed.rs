//! What the demo begins with: an account with an owner, a domain that may send, and a key of each kind.
//!
//! The demo, and only the demo, keeps its keys and its password in a file, so that it can print them again.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::account::draw_password;
use crate::cli::control_client::Control;
use crate::cli::show::member;

/// The domain that the demo's account sends from.
const DOMAIN: &str = "sender.demo.test";

/// What was seeded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seed {
    /// A sending key.
    pub key: String,
    /// A management key.
    pub management_key: String,
    /// An address that may send.
    pub from: String,
    /// Address to sign in with.
    pub login: String,
    /// Password to sign in with.
    pub password: String,
}

/// Seeds a new folder, or reads what an earlier start seeded.
pub(super) async fn seed(control: &Control, folder: &Path) -> anyhow::Result<Seed> {
    let file = folder.join("seed.json");
    if file.exists() {
        let text = fs::read(&file).context("the demo's keys cannot be read")?;
        return serde_json::from_slice(&text).context("the demo's keys are not in their form");
    }
    let (login, password) = (format!("owner@{DOMAIN}"), draw_password()?);
    let open = json!({ "name": "Demo", "login": login, "password": password });
    let account = member(&control.ask(Method::POST, "/accounts", Some(&open)).await?, "account");
    let add = json!({ "account": account, "domain": DOMAIN });
    control.ask(Method::POST, "/domains", Some(&add)).await?;
    let mut keys = Vec::new();
    for kind in ["sending", "management"] {
        let issue = json!({ "account": account, "label": format!("demo {kind}"), "kind": kind });
        keys.push(member(&control.ask(Method::POST, "/keys", Some(&issue)).await?, "key"));
    }
    let mut keys = keys.into_iter();
    let seed = Seed {
        key: keys.next().unwrap_or_default(),
        management_key: keys.next().unwrap_or_default(),
        from: format!("demo@{DOMAIN}"),
        login,
        password,
    };
    keep(&file, &seed).context("the demo's keys cannot be kept")?;
    Ok(seed)
}

fn keep(file: &Path, seed: &Seed) -> anyhow::Result<()> {
    let mut open = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    open.write_all(&serde_json::to_vec_pretty(seed)?)?;
    open.sync_all()?;
    Ok(())
}
