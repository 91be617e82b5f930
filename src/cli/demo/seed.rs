//! What the demo begins with: an account with an owner, a domain that may send, and a key of each kind.
//!
//! The demo, and only the demo, keeps its keys and its password in a file, so that it can print them again.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::account::draw_password;
use crate::cli::control_client::{Control, Refused};
use crate::cli::show::{list, member};
use crate::durable_folder;

/// The domain that the demo's account sends from.
const DOMAIN: &str = "sender.demo.test";

/// What was seeded. It holds secrets, so that it has no form for a program log.
#[derive(Serialize, Deserialize)]
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

/// Who signs in: kept before anything is seeded, so that a start that was cut off can be taken up.
#[derive(Serialize, Deserialize)]
struct Owner {
    login: String,
    password: String,
}

/// Seeds a new folder, goes on where an earlier start was cut off, or reads what it seeded.
pub(super) async fn seed(control: &Control, folder: &Path) -> anyhow::Result<Seed> {
    let (file, begun) = (folder.join("seed.json"), folder.join("seed.begun.json"));
    if file.exists() {
        return read(&file);
    }
    let (owner, account) = account(control, &begun).await?;
    let add = json!({ "account": account, "domain": DOMAIN });
    unless(
        control.ask(Method::POST, "/domains", Some(&add)).await,
        "already_exists",
    )?;
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
        login: owner.login,
        password: owner.password,
    };
    keep(&file, &seed)?;
    fs::remove_file(&begun).context("the demo's first file cannot be removed")?;
    Ok(seed)
}

/// The account and its owner: new ones in a new folder, those of the start that was cut off in another.
async fn account(control: &Control, begun: &Path) -> anyhow::Result<(Owner, String)> {
    let known = control.ask(Method::GET, "/accounts", None).await?;
    let known = list(&known, "accounts").first().and_then(Value::as_str);
    if begun.exists() {
        let owner: Owner = read(begun)?;
        let Some(account) = known else {
            return open(control, owner).await;
        };
        let register = json!({ "account": account, "login": owner.login, "password": owner.password });
        unless(
            control.ask(Method::POST, "/users", Some(&register)).await,
            "login_taken",
        )?;
        return Ok((owner, account.to_owned()));
    }
    if known.is_some() {
        bail!("the folder holds accounts, and not the demo's keys (seed.json): give the demo another one");
    }
    let owner = Owner {
        login: format!("owner@{DOMAIN}"),
        password: draw_password()?,
    };
    keep(begun, &owner)?;
    open(control, owner).await
}

async fn open(control: &Control, owner: Owner) -> anyhow::Result<(Owner, String)> {
    let open = json!({ "name": "Demo", "login": owner.login, "password": owner.password });
    let account = member(&control.ask(Method::POST, "/accounts", Some(&open)).await?, "account");
    Ok((owner, account))
}

/// Passes over a refusal that says that the step was taken already.
fn unless(answer: anyhow::Result<Value>, taken: &str) -> anyhow::Result<()> {
    match answer {
        Err(failure) if !Refused::is(&failure, taken) => Err(failure),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not in its form", file.display()))
}

/// Writes a file that only its owner can read, whole or not at all.
fn keep(file: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let partial = file.with_extension("part");
    write(&partial, value)
        .and_then(|()| Ok(fs::rename(&partial, file)?))
        .and_then(|()| Ok(durable_folder::sync_folder_of(file)?))
        .with_context(|| format!("{} cannot be kept", file.display()))
}

fn write(file: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let mut open = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?;
    open.write_all(&serde_json::to_vec_pretty(value)?)?;
    open.sync_all()?;
    Ok(())
}
