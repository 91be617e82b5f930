//! The program with everything planted into it: by both APIs, by broken requests, by its command line, by the words of
//! a receiver.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::values::{
    CALLER, CONTENT, LOGIN, METRICS_TOKEN, NO_KEY, OTHER_PASSWORD, PASSWORD, PERSONAL, RECIPIENTS, SHORT_PASSWORD,
};
use crate::cli::program::{Folder, Process, sealpost};
use crate::support::{RawServer, http_client};

const PATIENCE: Duration = Duration::from_secs(30);
/// Everything that the program and its libraries can say.
const LEVEL: (&str, &str) = ("SEALPOST_LOG", "trace");

/// A program that runs, and what is searched for.
pub struct Run {
    process: Process,
    /// Its data folder.
    pub data: PathBuf,
    /// What must be found nowhere.
    pub secrets: Vec<String>,
    /// What commands complained of.
    pub complaints: String,
    base: String,
    client: Client,
    account: String,
    _receiver: RawServer,
}

impl Run {
    /// Starts it in a folder, with an account that may send.
    pub async fn start(folder: &Path) -> Self {
        let receiver = RawServer::start(&[]).await;
        let data = folder.join("data");
        let config = folder.join("sealpost.toml");
        let text = format!(
            "data = '{}'\n[http]\nplain = '127.0.0.1:0'\nsecure = '127.0.0.1:0'\nmetrics_token = '{METRICS_TOKEN}'\n\
             [delivery]\nretry_delays_s = [1]\n[disk]\naccept_mark_bytes = 0\n\
             [[route]]\ndomain = '*'\nhost = '127.0.0.1'\nport = {}\n",
            data.display(),
            receiver.port(),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = sealpost(&["serve", "--init", "--config", config.to_str().unwrap()]);
        command.env(LEVEL.0, LEVEL.1);
        let mut process = Process::of(command);
        let ready = process.ready().await;
        let base = ready["v1"].as_str().unwrap().trim_end_matches("/v1").to_owned();
        let client = http_client().local_address(CALLER.parse::<IpAddr>().unwrap());
        let mut run = Self {
            process,
            data,
            secrets: [PASSWORD, OTHER_PASSWORD, SHORT_PASSWORD, METRICS_TOKEN, NO_KEY]
                .map(str::to_owned)
                .into(),
            complaints: String::new(),
            base,
            client: client.user_agent("plantedagent/7").build().unwrap(),
            account: String::new(),
            _receiver: receiver,
        };
        run.open_account().await;
        run
    }

    /// Runs a command on the folder; what it printed.
    async fn command(&mut self, words: &[&str], input: &str) -> String {
        let mut command = sealpost(&[words, &["--data", self.data.to_str().unwrap()]].concat());
        let mut child = command
            .env(LEVEL.0, LEVEL.1)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses its words does not read.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        self.complaints.push_str(&String::from_utf8(output.stderr).unwrap());
        String::from_utf8(output.stdout).unwrap()
    }

    async fn open_account(&mut self) {
        let create = |login: &'static str| {
            let front = ["account", "create", "--name", "plantedaccountname", "--login", login];
            [&front[..], &["--password-stdin", "--json"]].concat()
        };
        let created = self.command(&create(LOGIN), &format!("{PASSWORD}\n")).await;
        let created: Value = serde_json::from_str(&created).unwrap();
        self.account = created["account"].as_str().unwrap().to_owned();
        let refused = self.command(&create(LOGIN), &format!("{OTHER_PASSWORD}\n")).await;
        assert_eq!(refused, "", "the login is taken");
        let refused = self
            .command(&create("a@b.example"), &format!("{SHORT_PASSWORD}\n"))
            .await;
        assert_eq!(refused, "", "the password is too short");
        let account = self.account.clone();
        self.command(&["domain", "add", "--account", &account, "sender.example"], "")
            .await;
        self.command(&["domain", "add", "--account", &account, "plantedbad address@@"], "")
            .await;
    }

    /// Issues a key; its text and its id.
    async fn key(&mut self, more: &[&str]) -> (String, String) {
        let account = self.account.clone();
        let words = [
            "key",
            "issue",
            "--account",
            &account,
            "--label",
            "plantedlabel",
            "--json",
        ];
        let issued = self.command(&[&words[..], more].concat(), "").await;
        let issued: Value = serde_json::from_str(&issued).unwrap();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        self.secrets.push(text("key"));
        // The part that nobody can guess, should it stand alone somewhere.
        self.secrets.push(text("key").rsplit('_').next().unwrap().to_owned());
        (text("key"), text("id"))
    }

    async fn mandrill(&self, method: &str, key: &str, mut members: Value) -> Value {
        members["key"] = key.into();
        let request = self
            .client
            .post(format!("{}/api/1.0/{method}.json", self.base))
            .json(&members);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn v1(&self, key: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/v1/messages", self.base)).json(body);
        let request = request.header("Idempotency-Key", "planted-idempotency-key");
        request.bearer_auth(key).send().await.unwrap().json().await.unwrap()
    }

    /// Everything that people do rightly and wrongly.
    pub async fn plant(&mut self) {
        let (key, id) = self.key(&[]).await;
        let (management, _) = self.key(&["--management"]).await;
        self.mail(&key).await;
        self.refused_mail(&key).await;
        self.garbage(&key).await;
        self.manage(&key, &management).await;
        let account = self.account.clone();
        for verb in ["freeze", "thaw", "revoke"] {
            let words = ["key", verb, "--account", &account, &id, "--reason", "plantedreason"];
            self.command(&words, "").await;
        }
        let refused = self.mandrill("users/info", &key, json!({})).await;
        assert_eq!(refused["name"], "Invalid_Key", "{refused}");
        for words in [
            &["message", "show", "plantedpath"][..],
            &["key", "list", "--account", "plantedpath"],
        ] {
            self.command(words, "").await;
        }
        self.command(&["queue", "list"], "").await;
        self.command(&["audit", "rebuild", "--check"], "").await;
    }

    async fn mail(&self, key: &str) {
        let address = |local: &str| format!("{local}@receiver.example");
        let message = |to: &str| {
            json!({
                "from_email": "shop@sender.example", "from_name": CONTENT[6], "text": CONTENT[0], "html": CONTENT[1],
                "to": [{ "email": address(to), "name": CONTENT[5] }],
                "subject": "plantedsubject about a rare illness plantedümlaut für Grüße",
                "tags": ["plantedtag"], "metadata": { "plantedmetaname": "plantedmetavalue" },
                "headers": { "X-Illness": CONTENT[4], "Reply-To": "plantedstranger@nobody.example" },
                "attachments": [{ "type": "application/pdf", "name": CONTENT[2], "content": STANDARD.encode(CONTENT[3]) }],
            })
        };
        let folder = Folder(self.data.clone());
        let mut ids = Vec::new();
        for to in &RECIPIENTS[..5] {
            let sent = self
                .mandrill("messages/send", key, json!({ "message": message(to) }))
                .await;
            assert_eq!(sent[0]["status"], "sent", "{sent}");
            ids.push(sent[0]["_id"].as_str().unwrap().to_owned());
        }
        for (id, state) in ids.iter().zip(["delivered", "bounced", "deferred"]) {
            folder.until(id, state, PATIENCE).await;
        }
        // What was said after its final dot was no reply, and named it.
        self.until_shown(&ids[3], "in_doubt").await;
        let again = self
            .mandrill("messages/send", key, json!({ "message": message(RECIPIENTS[1]) }))
            .await;
        assert_eq!(again[0]["reject_reason"], "hard-bounce", "{again}");
        let mail = json!({ "from": "shop@sender.example", "to": [address(RECIPIENTS[6])], "text": CONTENT[0],
            "subject": PERSONAL[3] });
        let first = self.v1(key, &mail).await;
        assert_eq!(first["messages"][0]["status"], "accepted", "{first}");
        assert_eq!(self.v1(key, &mail).await, first);
        let mut other = mail.clone();
        other["subject"] = "plantedquery".into();
        assert_eq!(self.v1(key, &other).await["code"], "idempotency_key_reused");
        for id in &ids[..1] {
            for method in ["messages/info", "messages/content"] {
                let answer = self.mandrill(method, key, json!({ "id": id })).await;
                assert_eq!(answer["_id"].as_str(), Some(id.as_str()), "{answer}");
            }
        }
        let found = self
            .mandrill("messages/search", key, json!({ "query": "subject:plantedsubject" }))
            .await;
        assert!(!found.as_array().unwrap().is_empty());
    }

    /// Waits until a message's story tells of this.
    async fn until_shown(&self, message: &str, what: &str) {
        let folder = Folder(self.data.clone());
        let mut every = tokio::time::interval(Duration::from_millis(100));
        let shown = async {
            loop {
                every.tick().await;
                let output = folder.run(&["message", "show", message, "--json"]).await;
                if output.stdout.contains(&format!("\"{what}\"")) {
                    return;
                }
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, shown).await.is_ok(),
            "{message} is never {what}"
        );
    }

    async fn refused_mail(&self, key: &str) {
        let mail = |from: &str, to: &str| {
            json!({ "message": { "from_email": from, "subject": PERSONAL[3], "text": CONTENT[0],
                "to": [{ "email": to }] } })
        };
        let unsigned = mail(
            "plantedstranger@nobody.example",
            &format!("{}@receiver.example", RECIPIENTS[5]),
        );
        let answer = self.mandrill("messages/send", key, unsigned).await;
        assert_eq!(answer[0]["reject_reason"], "unsigned", "{answer}");
        for (member, value) in [
            ("from_email", json!("plantedbad address@@")),
            (
                "subject",
                json!("plantedsubject about a rare illness\r\nplantedgarbage: x"),
            ),
            ("subaccount", json!("plantedsubaccount")),
            ("headers", json!({ "plantedgarbage": "plantedgarbage\n" })),
            (
                "attachments",
                json!([{ "name": "plantedfilename.pdf", "content": "plantedgarbage!" }]),
            ),
            ("tags", json!([["plantedtag"]])),
            ("plantedgarbage", json!({ "plantedquery": 1 })),
            (
                "to",
                json!([{ "email": "plantedbad address@@", "type": "plantedgarbage" }]),
            ),
        ] {
            let mut wrong = mail("shop@sender.example", "a@receiver.example");
            wrong["message"][member] = value;
            self.mandrill("messages/send", key, wrong).await;
        }
        for query in ["plantedsearch", "full_email:(", "plantedsearch:("] {
            self.mandrill(
                "messages/search",
                key,
                json!({ "query": query, "senders": ["plantedstranger@nobody.example"] }),
            )
            .await;
        }
        self.mandrill("messages/info", key, json!({ "id": "plantedpath" }))
            .await;
        self.mandrill("users/ping", NO_KEY, json!({})).await;
        let mut mistyped = key.to_owned();
        mistyped.pop();
        self.mandrill("users/ping", &mistyped, json!({})).await;
    }

    /// What is no request, or one with values where none belong.
    async fn garbage(&self, key: &str) {
        let bearer = format!("Authorization: Bearer {key}\r\n");
        let body = r#"{"plantedgarbage": "plantedsubject about a rare illness", "#;
        for request in [
            format!("plantedgarbage {key} plantedsubject about a rare illness\r\n\r\n"),
            format!("GET /v1/messages/plantedpath?key={key}&plantedquery=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET /plantedpath/{NO_KEY} HTTP/1.1\r\nHost: a\r\nReferer: plantedreferrer\r\n\r\n"),
            format!("PLANTED /plantedpath HTTP/1.1\r\nHost: plantedgarbage\r\nCookie: plantedcookie\r\n{bearer}\r\n"),
            format!(
                "POST /v1/messages HTTP/1.1\r\nHost: a\r\n{bearer}X-Forwarded-For: plantedforwarded\r\n\
                Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            format!(
                "POST /v1/messages HTTP/1.1\r\nHost: a\r\n{bearer}Content-Type: plantedgarbage\r\nContent-Length: 900\r\n\r\n{body}"
            ),
            format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\n{bearer}Content-Length: plantedgarbage\r\n\r\n{body}"),
            format!(
                "POST /v1/messages HTTP/1.1\r\nHost: a\r\n{bearer}Transfer-Encoding: chunked\r\n\r\nplantedgarbage\r\n"
            ),
            format!("GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {METRICS_TOKEN}\r\n\r\n"),
            format!(
                "GET /v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {}\r\n\r\n",
                STANDARD.encode(format!("{LOGIN}:{PASSWORD}"))
            ),
        ] {
            let address: SocketAddr = self.base.trim_start_matches("http://").parse().unwrap();
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::new(CALLER.parse().unwrap(), 0)).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            // The other side may end it before everything is written.
            drop(stream.write_all(request.as_bytes()).await);
            drop(stream.shutdown().await);
            let mut answer = Vec::new();
            let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
            assert!(read.is_ok(), "the connection stays open");
        }
    }

    async fn manage(&mut self, sending: &str, management: &str) {
        let issue = |body: Value, key: &str| {
            let request = self.client.post(format!("{}/v1/keys", self.base)).bearer_auth(key);
            request.json(&body).send()
        };
        let answer = issue(json!({ "label": "plantedlabel" }), management).await.unwrap();
        let issued: Value = answer.json().await.unwrap();
        let (key, id) = (
            issued["key"].as_str().unwrap().to_owned(),
            issued["id"].as_str().unwrap().to_owned(),
        );
        for (body, key) in [
            (json!({ "label": "plantedlabel".repeat(100) }), management),
            (
                json!({ "label": "plantedlabel", "limits": { "networks": ["plantedgarbage"] } }),
                management,
            ),
            (json!({ "label": "plantedlabel" }), sending),
            (json!({ "plantedgarbage": 1 }), NO_KEY),
        ] {
            let refused = issue(body, key).await.unwrap();
            assert!(refused.status().is_client_error());
        }
        let revoke = self.client.post(format!("{}/v1/keys/{id}/revoke", self.base));
        let revoke = revoke
            .bearer_auth(management)
            .json(&json!({ "reason": "plantedreason" }));
        assert!(revoke.send().await.unwrap().status().is_success());
        self.secrets.push(key);
    }

    /// Mail to several people, of which one message is held and let go again, and one is being tried again and again.
    pub async fn plant_held(&mut self) {
        let (key, _) = self.key(&[]).await;
        let to = |number: usize, kind: &str| {
            let email = format!("{}@receiver.example", RECIPIENTS[number]);
            json!({ "email": email, "name": CONTENT[5], "type": kind })
        };
        let message = json!({
            "from_email": "shop@sender.example", "subject": PERSONAL[3], "text": CONTENT[0], "tags": ["plantedtag"],
            "to": [to(2, "to"), to(0, "cc"), to(1, "bcc")], "preserve_recipients": true,
        });
        let sent = self
            .mandrill("messages/send", &key, json!({ "message": message }))
            .await;
        let id = sent[0]["_id"].as_str().unwrap().to_owned();
        self.until_shown(&id, "deferred").await;
        // While an attempt is under way it cannot be held.
        let holding = async { while self.command(&["queue", "hold", &id], "").await.is_empty() {} };
        tokio::time::timeout(PATIENCE, holding).await.unwrap();
        self.until_shown(&id, "held").await;
        assert_ne!(self.command(&["queue", "release", &id], "").await, "", "it is released");
    }

    /// Kills it without warning; what it said.
    pub async fn kill(self) -> (String, Vec<String>, String) {
        (self.process.kill().await, self.secrets, self.complaints)
    }

    /// Ends it; what it said.
    pub async fn stop(self) -> (String, Vec<String>, String) {
        let output = self.process.stop().await;
        assert_eq!(output.code, 0);
        (output.stdout + &output.stderr, self.secrets, self.complaints)
    }
}
