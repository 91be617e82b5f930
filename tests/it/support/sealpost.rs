//! The whole program in this process: doors on ports of their own, a folder of its own, an account that may send.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sealpost::config::Config;
use sealpost::serve::{Ports, Server, WrapStore};
use sealpost::smtp::server::submission::Pace;
use sealpost::smtp::server::{Personality, RecipientRule, Running};
use sealpost::vault::MasterKey;
use sealpost_domain::Event;
use sealpost_domain::message::{Accepted, MessageEvent};
use serde_json::{Value, json};

use super::clients::{Anonymous, Bearer, ControlSocket, ManagementKey, SendingKey};
use super::receivers::start_receivers;
use super::{HandClock, Inbox, records};

/// How long a start may take to settle what the last run left: longer than a test runs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program and its world: `inbox.test` takes mail, `reject.test` answers `550`.
pub struct Sealpost {
    /// The program.
    pub server: Server,
    /// Its clock.
    pub clock: Arc<HandClock>,
    /// How it was started.
    pub config: Config,
    /// The account that may send from `example.org`.
    pub account: String,
    /// What `inbox.test` took.
    pub inbox: Arc<Inbox>,
    _receivers: Vec<Running>,
    _folder: tempfile::TempDir,
}

/// Starts the program with what it is by default.
pub async fn spawn_sealpost() -> Sealpost {
    spawn_sealpost_with(|_| {}).await
}

/// Starts the program; `configure` changes its configuration before.
pub async fn spawn_sealpost_with(configure: impl FnOnce(&mut Config)) -> Sealpost {
    spawn_sealpost_behind(Arc::new(|store| store), configure).await
}

/// Starts the program with something before its log's store.
pub async fn spawn_sealpost_behind(wrap_store: WrapStore, configure: impl FnOnce(&mut Config)) -> Sealpost {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::in_folder(folder.path());
    config.disk.accept_mark_bytes = 0;
    config.delivery.by_mx = false;
    config.http.plain = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let inbox = Arc::new(Inbox::default());
    let refusing = Personality {
        recipients: RecipientRule::Reject(550, "5.1.1 no such user".to_owned()),
        ..Personality::plain("reject.test")
    };
    let domains = vec![
        ("inbox.test", Personality::plain("inbox.test"), inbox.clone()),
        ("reject.test", refusing, Arc::new(Inbox::default())),
    ];
    let receivers = start_receivers(&mut config, domains).await;
    configure(&mut config);
    MasterKey::create(&config.master_key_path()).unwrap();
    let clock = Arc::new(HandClock::default());
    let ports = Ports {
        clock: clock.clone(),
        patience: PATIENCE,
        wrap_store,
        ..Ports::default()
    };
    let server = Server::start(&config, ports).await.unwrap();
    let account = open_account(&ControlSocket::at(&server.socket()), "example.org").await;
    Sealpost {
        server,
        clock,
        config,
        account,
        inbox,
        _receivers: receivers,
        _folder: folder,
    }
}

async fn start(config: &Config, clock: &Arc<HandClock>, patience: Duration) -> Server {
    let ports = Ports {
        clock: clock.clone(),
        patience,
        ..Ports::default()
    };
    Server::start(config, ports).await.unwrap()
}

async fn open_account(control: &ControlSocket, domain: &str) -> String {
    let open = json!({ "name": "Acme", "contact": format!("ops@{domain}") });
    let account = control.post("/accounts", &open).await.ok()["account"]
        .as_str()
        .unwrap()
        .to_owned();
    let add = json!({ "account": account, "domain": domain });
    control.post("/domains", &add).await.ok();
    account
}

impl Sealpost {
    /// A client without a key.
    pub fn anonymous(&self) -> Anonymous {
        Anonymous::at(self.server.addresses().plain.unwrap())
    }

    /// The operator's client.
    pub fn control(&self) -> ControlSocket {
        ControlSocket::at(&self.server.socket())
    }

    /// A client with a new sending key.
    pub async fn sending_key(&self) -> SendingKey {
        SendingKey(self.bearer(&self.account, "sending").await)
    }

    /// A client with a new management key.
    pub async fn management_key(&self) -> ManagementKey {
        ManagementKey(self.bearer(&self.account, "management").await)
    }

    /// A client with a sending key of another account, that may send from this domain.
    pub async fn stranger(&self, domain: &str) -> SendingKey {
        let account = open_account(&self.control(), domain).await;
        SendingKey(self.bearer(&account, "sending").await)
    }

    /// A client with a key that was just issued.
    pub fn with_key(&self, issued: &Value) -> SendingKey {
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        SendingKey(Bearer {
            key: text("key"),
            id: text("id"),
            door: self.anonymous(),
        })
    }

    async fn bearer(&self, account: &str, kind: &str) -> Bearer {
        let (key, id) = self.control().issue(account, kind).await;
        let door = self.anonymous();
        Bearer { key, id, door }
    }

    /// The last position on disk.
    pub fn head(&self) -> u64 {
        self.server.engine().log().read().head()
    }

    /// The types of all events after a position.
    pub async fn recorded_after(&self, position: u64) -> Vec<String> {
        records::recorded_after(self.server.engine(), position).await
    }

    /// Waits until the last event of a message is of this type; all of its types.
    pub async fn until(&self, id: &str, last: &str) -> Vec<String> {
        records::until(self.server.engine(), id.parse().unwrap(), last).await
    }

    /// What the log says of the accept of a message, opened.
    pub async fn accepted(&self, id: &str) -> Accepted {
        let stream = records::opened(self.server.engine(), id.parse().unwrap()).await;
        let accepted = stream.into_iter().find_map(|recorded| match recorded.event {
            Event::Message(MessageEvent::MessageAccepted(accepted)) => Some(*accepted),
            _ => None,
        });
        accepted.unwrap()
    }

    /// Ends the program and starts it again in the same folder, on another port.
    pub async fn restart(self) -> Self {
        self.restart_after(async || {}).await
    }

    /// Ends the program and starts it again with another configuration of the same folder.
    pub async fn restart_with(mut self, config: Config) -> Self {
        self.config = config;
        self.restart().await
    }

    /// Ends the program, does something, and starts it again.
    pub async fn restart_after(self, between: impl AsyncFnOnce()) -> Self {
        self.restart_with_patience(PATIENCE, between).await
    }

    /// Ends the program, does something, and starts it again; it waits so long for what the last run left.
    pub async fn restart_with_patience(self, patience: Duration, between: impl AsyncFnOnce()) -> Self {
        let Self { server, .. } = self;
        server.stop().await;
        between().await;
        Self {
            server: start(&self.config, &self.clock, patience).await,
            ..self
        }
    }

    /// Ends the program and starts it again with less patience for those who submit.
    pub async fn restart_at_pace(self, submission_pace: Pace) -> Self {
        self.server.stop().await;
        let ports = Ports {
            clock: self.clock.clone(),
            submission_pace,
            ..Ports::default()
        };
        Self {
            server: Server::start(&self.config, ports).await.unwrap(),
            ..self
        }
    }

    /// Ends the program in order.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// A short mail to these addresses, as `messages/send` of Mandrill's API wants it.
pub fn mandrill_mail(to: &[&str]) -> Value {
    let to: Vec<Value> = to.iter().map(|email| json!({ "email": email })).collect();
    json!({ "from_email": "shop@example.org", "to": to, "subject": "Your order", "text": "Thank you." })
}

/// A short mail to these addresses, as `/v1/messages` wants it.
pub fn v1_mail(to: &[&str]) -> Value {
    json!({ "from": "shop@example.org", "to": to, "subject": "Your order", "text": "Thank you." })
}
