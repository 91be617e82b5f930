//! The program with a bounce domain, and what a test asks of a message that comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sealpost::config::Config;
use sealpost::serve::WrapStore;
use sealpost_domain::engagement::EngagementEvent;
use sealpost_domain::ids::MessageId;
use sealpost_domain::{Event, Recorded, StreamId};
use serde_json::Value;

use super::clients::SendingKey;
use super::report_letters::bring;
use super::sealpost::{Sealpost, spawn_sealpost_behind, v1_mail};

/// A running program with `bounce.test` as its bounce domain.
pub struct BounceWorld {
    /// The program.
    pub sealpost: Sealpost,
    /// A key that sends.
    pub key: SendingKey,
}

/// A message that was taken.
pub struct Taken {
    /// Its id.
    pub id: String,
    /// Its reverse-path.
    pub reverse_path: String,
}

impl BounceWorld {
    /// Starts it.
    pub async fn start() -> Self {
        Self::with(Arc::new(|store| store), |_| {}).await
    }

    /// Starts it behind a store, with more in its configuration.
    pub async fn with(wrap_store: WrapStore, configure: impl FnOnce(&mut Config)) -> Self {
        let sealpost = spawn_sealpost_behind(wrap_store, |config| {
            config.host = "mail.example.org".to_owned();
            config.bounces.domain = Some("bounce.test".to_owned());
            config.bounces.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
            configure(config);
        })
        .await;
        let key = sealpost.sending_key().await;
        Self { sealpost, key }
    }

    /// Where reports are taken.
    pub fn door(&self) -> SocketAddr {
        self.sealpost.server.addresses().inbound.unwrap()
    }

    /// Sends to an address of `inbox.test`, until it is taken there.
    pub async fn taken(&self, to: &str) -> Taken {
        let before = self.sealpost.inbox.count();
        let answer = self.key.0.post("/v1/messages", &v1_mail(&[to])).await.ok();
        let id = answer["messages"][0]["id"].as_str().unwrap().to_owned();
        self.sealpost.until(&id, "MessageDelivered").await;
        let mail = self.sealpost.inbox.wait_for(before + 1).await;
        let reverse_path = mail.last().unwrap().reverse_path.as_str().to_owned();
        Taken { id, reverse_path }
    }

    /// Brings a letter to an address; the last reply.
    pub async fn bring(&self, to: &str, letter: &str) -> String {
        bring(self.door(), to, letter).await
    }

    /// What is on record of a message since it was taken.
    pub async fn late(&self, id: &str) -> Vec<EngagementEvent> {
        let stream = StreamId::engagement(id.parse::<MessageId>().unwrap());
        let reader = self.sealpost.server.engine().log().read();
        let recorded = tokio::task::spawn_blocking(move || reader.stream(&stream).unwrap());
        let late = |recorded: Recorded| match recorded.event {
            Event::Engagement(event) => event,
            other => panic!("{other:?}"),
        };
        recorded.await.unwrap().into_iter().map(late).collect()
    }

    /// The first late fact of a message, once there is one.
    pub async fn until_late(&self, id: &str) -> EngagementEvent {
        let mut tail = self.sealpost.server.engine().log().read().tail();
        let looking = async {
            loop {
                if let Some(event) = self.late(id).await.pop() {
                    return event;
                }
                tail.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap()
    }

    /// The message as `/v1` shows it.
    pub async fn shown(&self, id: &str) -> Value {
        self.key.0.get(&format!("/v1/messages/{id}")).await.ok()
    }

    /// The message as Mandrill's clients see it.
    pub async fn info(&self, id: &str) -> Value {
        let key = &self.key.0.key;
        let call = serde_json::json!({ "key": key, "id": id });
        self.key.0.door.post("/api/1.0/messages/info", &call).await.ok()
    }

    /// What a send to this address is answered now.
    pub async fn next_send(&self, to: &str) -> Value {
        let answer = self.key.0.post("/v1/messages", &v1_mail(&[to])).await.ok();
        answer["messages"][0].clone()
    }
}
