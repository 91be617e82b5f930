//! A disk that is really full: a small file system of its own, filled by mail until nothing fits, then emptied a little.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use sealpost::config::Config;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::cli::program::Process;
use crate::support::{Answer, Inbox, SendingKey, mandrill_mail, spawn_sealpost, v1_mail};

/// Mounts the file system where only this process sees it, brings the data there, and becomes the program.
const SCRIPT: &str = "set -e
mount -t tmpfs -o size=48m,mode=700 none \"$1\"
cp -a \"$2\"/. \"$1\"
head -c 8M /dev/zero >\"$1/ballast\"
exec \"$3\" serve --config \"$4\"";

/// The program on a small disk.
struct SmallDisk {
    process: Process,
    /// The disk as this process sees it: through the other one's root.
    disk: PathBuf,
    key: SendingKey,
    accepted: Vec<String>,
}

impl SmallDisk {
    async fn start(config: &Config, key: &SendingKey) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let (mount, file) = (folder.join("disk"), folder.join("sealpost.toml"));
        std::fs::create_dir(&mount).unwrap();
        let mut config = config.clone();
        let source = std::mem::replace(&mut config.data, mount.clone());
        std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
        let mut command = Command::new("unshare");
        command
            .args([unshared(), "bash", "-c", SCRIPT, "bash"])
            .args([&mount, &source, Path::new(env!("CARGO_BIN_EXE_sealpost")), &file])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = Process::of(command);
        let ready = process.ready().await;
        let address = ready["api"]
            .as_str()
            .unwrap()
            .trim_start_matches("http://")
            .trim_end_matches("/api/1.0");
        let key = key.at(address.parse().unwrap());
        let root = PathBuf::from(format!("/proc/{}/root", process.id()));
        let disk = root.join(mount.strip_prefix("/").unwrap());
        Self {
            process,
            disk,
            key,
            accepted: Vec::new(),
        }
    }

    async fn send(&mut self, body: &Value) -> Answer {
        let request = self.key.0.request(Method::POST, "/v1/messages").json(body);
        let answer = self.key.0.door.send(request).await;
        if answer.status == 202 {
            self.accepted
                .push(answer.body["messages"][0]["id"].as_str().unwrap().to_owned());
        }
        answer
    }

    /// Sends until it is refused; the refusal.
    async fn until_refused(&mut self, body: &Value, at_most: usize) -> Answer {
        for _ in 0..at_most {
            let answer = self.send(body).await;
            if answer.status != 202 {
                return answer;
            }
        }
        panic!("{at_most} mails fit");
    }
}

/// A mount namespace needs root's rights; whoever is not root gets them in a user namespace.
fn unshared() -> &'static str {
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root { "-m" } else { "-rm" }
}

/// Bytes that no compressor makes smaller, in base64.
fn noise(bytes: usize) -> String {
    use base64::Engine as _;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(bytes)
    .collect();
    base64::engine::general_purpose::STANDARD.encode(noise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_refuses_mail_says_so_and_takes_it_again_when_there_is_room() {
    let sealpost = spawn_sealpost().await;
    let key = sealpost.sending_key().await;
    let (config, inbox) = (sealpost.config.clone(), sealpost.inbox.clone());
    assert_eq!(
        config.disk.accept_mark_bytes, 0,
        "nothing stops it before the disk does"
    );
    let sealpost = sealpost
        .restart_after(async || fill_and_empty(&config, &key, &inbox).await)
        .await;
    sealpost.stop().await;
}

async fn fill_and_empty(config: &Config, key: &SendingKey, inbox: &Inbox) {
    let mut disk = SmallDisk::start(config, key).await;
    let mut large = v1_mail(&["ann@inbox.test"]);
    large["attachments"] = json!([{ "name": "noise", "type": "application/octet-stream", "content": noise(1 << 20) }]);
    let refused = disk.until_refused(&large, 100).await;
    assert_eq!(refused.problem(), (503, "disk_full"), "{}", refused.body);
    assert_eq!(refused.header("retry-after"), "60");
    let refused = disk.until_refused(&v1_mail(&["ann@inbox.test"]), 20_000).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(
        ["disk_full", "unavailable"].contains(&refused.problem().1),
        "{}",
        refused.body
    );
    assert_eq!(disk.key.0.door.get("/healthz").await.status, 200, "it lives");
    let message = disk
        .key
        .mandrill(
            "messages/send",
            json!({ "message": mandrill_mail(&["ann@inbox.test"]) }),
        )
        .await;
    assert_eq!(message.mandrill_error().1, "ServiceUnavailable");

    std::fs::remove_file(disk.disk.join("ballast")).unwrap();
    let mut every = tokio::time::interval(Duration::from_millis(100));
    let again = async {
        loop {
            every.tick().await;
            if disk.send(&v1_mail(&["ann@inbox.test"])).await.status == 202 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), again)
        .await
        .expect("it takes mail again by itself");
    let arrived = inbox.wait_for(disk.accepted.len()).await;
    let ids: std::collections::BTreeSet<_> = arrived.iter().map(|mail| message_id(&mail.content)).collect();
    assert_eq!(ids.len(), disk.accepted.len(), "each that was accepted arrives");
    assert_eq!(disk.process.stop().await.code, 0);
}

/// The Message-ID of a mail.
fn message_id(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let line = text.lines().find(|line| line.starts_with("Message-ID:"));
    line.expect("a Message-ID").to_owned()
}
