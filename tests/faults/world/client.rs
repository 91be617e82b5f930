//! A caller of the API: sends by `messages/send` and understands the answer.

use std::time::Duration;

use sealpost_domain::ids::MessageId;
use serde_json::{Value, json};

use crate::judge::Acknowledged;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200: these are accepted.
    Accepted(Vec<Acknowledged>),
    /// Another status.
    Refused(u16),
    /// No whole answer.
    Lost,
}

/// A caller with a key.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: String,
    key: String,
    from: String,
}

impl Client {
    /// A caller of this API with connections of its own.
    pub fn new(api: &str, key: &str, from: &str) -> Self {
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
            key: key.to_owned(),
            from: from.to_owned(),
        }
    }

    /// Sends a text of so many bytes to these recipients.
    pub async fn send(&self, recipients: &[String], text_bytes: usize) -> Answer {
        let to: Vec<Value> = recipients.iter().map(|email| json!({ "email": email })).collect();
        let line = "All work and no play makes a dull message, line by line. \n";
        let text: String = line.chars().cycle().take(text_bytes).collect();
        let message = json!({ "from_email": self.from, "subject": "Faults", "text": text, "to": to });
        let body = json!({ "key": self.key, "message": message });
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
