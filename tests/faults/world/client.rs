//! A caller: sends by the API's `messages/send` or by SMTP, and understands the answer.

use std::net::SocketAddr;
use std::time::Duration;

use sealpost_domain::ids::MessageId;
use serde_json::{Value, json};

use super::submission::submit;
use crate::judge::Acknowledged;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200, or 250 after the final dot: these are accepted.
    Accepted(Vec<Acknowledged>),
    /// Another status or reply.
    Refused(u16),
    /// No whole answer.
    Lost,
}

/// The door that a caller comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// HTTP.
    Api,
    /// SMTP submission.
    Submission,
}

/// Who sends: a key, and an address that its account may send from.
#[derive(Debug, Clone)]
pub struct Sender {
    pub key: String,
    pub from: String,
}

/// A caller.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: String,
    submission: SocketAddr,
    door: Door,
    senders: Vec<Sender>,
    sender: usize,
}

impl Client {
    /// A caller of this API, and of submission at this address, with connections of its own, who is the first of the
    /// senders.
    pub fn new(api: &str, submission: SocketAddr, senders: &[Sender]) -> Self {
        // The client wants a provider even where it never meets TLS; a second installation is refused and harmless.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            api: api.trim_end_matches('/').to_owned(),
            submission,
            door: Door::Api,
            senders: senders.to_vec(),
            sender: 0,
        }
    }

    /// The same as another of the senders; they come round.
    pub fn sending_as(self, number: usize) -> Self {
        let sender = number % self.senders.len();
        Self { sender, ..self }
    }

    /// The same at another door.
    pub fn coming_to(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// Sends a text of so many bytes to these recipients.
    pub async fn send(&self, recipients: &[String], text_bytes: usize) -> Answer {
        let sender = &self.senders[self.sender];
        match self.door {
            Door::Api => self.call(sender, recipients, text_bytes).await,
            Door::Submission => submit(self.submission, sender, recipients, &text(text_bytes, "\r\n")).await,
        }
    }

    async fn call(&self, sender: &Sender, recipients: &[String], text_bytes: usize) -> Answer {
        let Sender { key, from } = sender;
        let to: Vec<Value> = recipients.iter().map(|email| json!({ "email": email })).collect();
        let text = text(text_bytes, "\n");
        let message = json!({ "from_email": from, "subject": "Faults", "text": text, "to": to });
        let body = json!({ "key": key, "message": message });
        let call = self.http.post(format!("{}/messages/send.json", self.api)).json(&body);
        let Ok(response) = call.send().await else {
            return Answer::Lost;
        };
        let status = response.status().as_u16();
        match response.json::<Value>().await {
            Ok(answer) if status == 200 => Answer::Accepted(accepted(&answer)),
            // A body that breaks off behind a 200 is an acknowledgement that the caller cannot read.
            Err(_) if status == 200 => Answer::Lost,
            _ => Answer::Refused(status),
        }
    }
}

/// A text of so many bytes or a few more, in whole lines that end so.
fn text(at_least_bytes: usize, line_end: &str) -> String {
    let line = format!("All work and no play makes a dull message, line by line.{line_end}");
    line.repeat(at_least_bytes.div_ceil(line.len()))
}

fn accepted(answer: &Value) -> Vec<Acknowledged> {
    let each = answer.as_array().unwrap().iter().map(|one| {
        let status = one["status"].as_str().unwrap();
        assert!(matches!(status, "sent" | "queued"), "{one}");
        let message: MessageId = one["_id"].as_str().unwrap().parse().unwrap();
        Acknowledged {
            message,
            recipient: one["email"].as_str().unwrap().to_owned(),
        }
    });
    each.collect()
}
