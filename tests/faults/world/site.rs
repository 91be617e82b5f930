//! A folder with a configuration and accounts that may send, ready for the program to be started in.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use super::client::{Client, Sender};
use super::server::{Launch, Server};
use crate::judge::{LogCopy, unfinished};

/// The domains of the accounts, one each.
const DOMAINS: [&str; 2] = ["example.org", "example.net"];

/// Where the program lives.
pub struct Site {
    data: PathBuf,
    config: PathBuf,
    report: PathBuf,
    senders: Vec<Sender>,
}

impl Site {
    /// Makes `data` in the folder, and two accounts there whose mail to the domain `sink.test` goes to `receiver`.
    /// The configuration and what the program says about itself lie beside the folder.
    pub async fn new(folder: &Path, receiver: SocketAddr, launch: &Launch) -> Self {
        let (data, beside) = (folder.join("data"), folder.parent().unwrap());
        let mut site = Self {
            config: beside.join("sealpost.toml"),
            report: beside.join("report"),
            data,
            senders: Vec::new(),
        };
        fs::write(&site.config, site.configuration(receiver)).unwrap();
        let mut server = Server::start(&site.config, &["--init"], launch, &site.report).await;
        assert!(server.ready().await.is_some(), "ended at once: {}", server.report());
        for domain in DOMAINS {
            let sender = site.open_account(domain).await;
            site.senders.push(sender);
        }
        assert!(server.stop().await.success());
        site
    }

    /// Opens an account that sends from this domain.
    async fn open_account(&self, domain: &str) -> Sender {
        let login = format!("owner@{domain}");
        let words = ["account", "create", "--name", domain, "--login", &login];
        let account = self.command(&words).await;
        let account = account["account"].as_str().unwrap();
        self.command(&["domain", "add", "--account", account, domain]).await;
        let words = ["key", "issue", "--account", account, "--label", "faults"];
        let key = self.command(&words).await;
        Sender {
            key: key["key"].as_str().unwrap().to_owned(),
            from: format!("shop@{domain}"),
        }
    }

    /// The same, as it lies now, in another folder; the program must not run here.
    pub fn copy_to(&self, folder: &Path, receiver: SocketAddr) -> Self {
        let beside = folder.parent().unwrap();
        let copy = Self {
            data: folder.join("data"),
            config: beside.join("sealpost.toml"),
            report: beside.join("report"),
            senders: self.senders.clone(),
        };
        copy_folder(&self.data, &copy.data);
        fs::write(&copy.config, copy.configuration(receiver)).unwrap();
        copy
    }

    fn configuration(&self, receiver: SocketAddr) -> String {
        format!(
            "data = '{}'\nhost = 'mail.example.org'\n[http]\nplain = '127.0.0.1:0'\nsecure = '127.0.0.1:0'\n[submission]\n\
             starttls = ['127.0.0.1:0']\n[delivery]\nretry_delays_s = [1]\n\
             drain_s = 10\n[disk]\naccept_mark_bytes = 0\n[[route]]\ndomain = 'sink.test'\nhost = '{}'\nport = {}\n",
            self.data.display(),
            receiver.ip(),
            receiver.port(),
        )
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts the program here.
    pub async fn start(&self, launch: &Launch) -> Server {
        Server::start(&self.config, &[], launch, &self.report).await
    }

    /// Starts the program here and waits until it is ready.
    pub async fn start_ready(&self, launch: &Launch) -> (Server, Client) {
        let mut server = self.start(launch).await;
        let ready = server
            .ready()
            .await
            .unwrap_or_else(|| panic!("ended at once: {}", server.report()));
        let client = self.client(&ready);
        (server, client)
    }

    /// A caller of a program that has said where it listens.
    pub fn client(&self, ready: &Value) -> Client {
        let text = |name: &str| ready[name].as_str().unwrap();
        Client::new(text("api"), text("smtp").parse().unwrap(), &self.senders)
    }

    /// Waits until no message waits in the log of the running program; `false` when that takes too long.
    pub async fn until_finished(&self, at_most: Duration) -> bool {
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        let finished = async {
            loop {
                ticks.tick().await;
                if unfinished(&LogCopy::live(&self.data).events()).is_empty() {
                    return;
                }
            }
        };
        timeout(at_most, finished).await.is_ok()
    }

    /// Gives the running program a command and reads its answer.
    async fn command(&self, words: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        let output = command
            .args(words)
            .arg("--json")
            .arg("--config")
            .arg(&self.config)
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
