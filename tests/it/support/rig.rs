//! The engine in a folder of its own, with an account that may send and receivers that take.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealpost::actors::{Admission, Claim, Manage, Managed, SendAnswer};
use sealpost::clock::{Clock, draw_uuid};
use sealpost::config::Config;
use sealpost::delivery::dkim;
use sealpost::serve::{Engine, Ports};
use sealpost::smtp::server::{Personality, Running};
use sealpost::vault::{KeyScope, MasterKey};
use sealpost_domain::account::AccountCommand;
use sealpost_domain::address::DomainName;
use sealpost_domain::api_key::{ApiKeyCommand, Issued};
use sealpost_domain::ids::{AccountId, KeyId, MessageId, RequestId};
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use sealpost_domain::rights::{KeyHash, KeyKind, KeyLimits, KeyWorld, Method};
use sealpost_domain::sending_domain::{DkimKey, OwnershipProof, SendingDomainCommand};
use sealpost_domain::{Personal, Recorded, StreamId};

use super::receivers::start_receivers;
use super::{HandClock, Inbox, records};

/// How a rig begins.
pub struct RigOptions {
    /// The ports; the clock is the rig's own.
    pub ports: Ports,
    /// Changes the configuration before the start.
    pub configure: Box<dyn Fn(&mut Config) + Send + Sync>,
}

impl Default for RigOptions {
    fn default() -> Self {
        Self {
            ports: Ports::default(),
            configure: Box::new(|_| {}),
        }
    }
}

/// A running engine and its world.
pub struct Rig {
    /// The engine.
    pub engine: Engine,
    /// The clock.
    pub clock: Arc<HandClock>,
    /// The account that sends.
    pub account: AccountId,
    /// Its key.
    pub key: KeyId,
    config: Config,
    options: RigOptions,
    folder: tempfile::TempDir,
    receivers: Vec<Running>,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The message.
    pub message: MessageId,
    /// What was answered.
    pub answer: SendAnswer,
}

impl Rig {
    /// An engine with the receivers, one for each domain.
    pub async fn start(domains: Vec<(&str, Personality, Arc<Inbox>)>) -> Self {
        Self::with(domains, RigOptions::default()).await
    }

    /// An engine that begins in another way.
    pub async fn with(domains: Vec<(&str, Personality, Arc<Inbox>)>, mut options: RigOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::in_folder(folder.path());
        config.disk.accept_mark_bytes = 0;
        config.delivery.by_mx = false;
        let receivers = start_receivers(&mut config, domains).await;
        (options.configure)(&mut config);
        MasterKey::create(&config.master_key_path()).unwrap();
        let clock = Arc::new(HandClock::default());
        options.ports.clock = clock.clone();
        let engine = Engine::start(&config, options.ports.clone()).await.unwrap();
        let account = AccountId::from_uuid(draw_uuid());
        let key = KeyId::from_uuid(draw_uuid());
        let rig = Self {
            engine,
            clock,
            account,
            key,
            config,
            options,
            folder,
            receivers,
        };
        rig.open_account(account).await;
        rig.issue_key(account, key).await;
        rig
    }

    /// Ends the engine and starts it again in the same folder.
    pub async fn restart(self) -> Self {
        self.restart_after(|| {}).await
    }

    /// Ends the engine, does something to its folder, and starts it again.
    pub async fn restart_after(self, between: impl FnOnce()) -> Self {
        let Self {
            engine,
            clock,
            account,
            key,
            config,
            options,
            folder,
            receivers,
        } = self;
        engine.stop().await;
        between();
        let engine = Engine::start(&config, options.ports.clone()).await.unwrap();
        Self {
            engine,
            clock,
            account,
            key,
            config,
            options,
            folder,
            receivers,
        }
    }

    /// Opens an account with `example.org` to send from.
    pub async fn open_account(&self, account: AccountId) {
        self.engine
            .vault()
            .ensure_keys(vec![KeyScope::Account(account)])
            .await
            .unwrap();
        let known = |text: &str| Personal::Known(text.to_owned());
        let open = AccountCommand::OpenAccount {
            name: known("Acme"),
            contact: known("ops@example.org"),
        };
        self.manage(account, Manage::Account(open)).await.unwrap();
        let domain = DomainName::parse("example.org").unwrap();
        let add = SendingDomainCommand::AddDomain { domain: domain.clone() };
        self.change_domain(account, &domain, add).await;
        let proof = OwnershipProof::Operator;
        let verify = SendingDomainCommand::VerifyOwnership { proof };
        self.change_domain(account, &domain, verify).await;
        for (selector, pair) in [
            ("sp1", dkim::generate_rsa_2048().unwrap()),
            ("sp2", dkim::generate_ed25519().unwrap()),
        ] {
            let selector = selector.to_owned();
            let key = DkimKey {
                selector: selector.clone(),
                algorithm: pair.algorithm.as_str().to_owned(),
                public_key: pair.public_base64,
                private_key: Personal::Known(STANDARD.encode(&*pair.private_pkcs8_der)),
            };
            let create = SendingDomainCommand::CreateDkimKey(Box::new(key));
            self.change_domain(account, &domain, create).await;
            let activate = SendingDomainCommand::ActivateDkimKey { selector };
            self.change_domain(account, &domain, activate).await;
        }
    }

    /// Changes a domain of an account.
    pub async fn change_domain(&self, account: AccountId, domain: &DomainName, command: SendingDomainCommand) {
        let manage = Manage::Domain(domain.clone(), command);
        self.manage(account, manage).await.unwrap();
    }

    /// Issues a sending key.
    pub async fn issue_key(&self, account: AccountId, key: KeyId) {
        let issued = Issued {
            account,
            key,
            kind: KeyKind::Sending,
            world: KeyWorld::Live,
            hash: KeyHash::from_hex(format!("{:064x}", key.as_uuid().as_u128())),
            display: "spk_live_…0000".to_owned(),
            label: Personal::Known("test".to_owned()),
            limits: KeyLimits::default(),
            issued_at: self.clock.now(),
        };
        self.manage(account, Manage::Key(key, ApiKeyCommand::IssueKey(Box::new(issued))))
            .await
            .unwrap();
    }

    /// Asks an account for anything but a send.
    pub async fn manage(&self, account: AccountId, manage: Manage) -> Result<Managed, Admission> {
        self.engine
            .accounts()
            .manage(account, self.metadata(account), manage)
            .await
    }

    fn metadata(&self, account: AccountId) -> Arc<Metadata> {
        Arc::new(Metadata {
            account: Some(account),
            actor: Actor::Key(self.key),
            channel: Channel::Api,
            request: Some(RequestId::from_uuid(draw_uuid())),
            cause: None,
            node: "n1".to_owned(),
            ip: Some(Personal::Known("192.0.2.7".parse().unwrap())),
            user_agent: None,
        })
    }

    /// A claim of the rig's key.
    pub fn claim(&self, account: AccountId, key: KeyId) -> Claim {
        Claim {
            account,
            key,
            method: Method::named("messages/send"),
            needs: KeyKind::Sending,
            ip: "192.0.2.7".parse().unwrap(),
            metadata: self.metadata(account),
        }
    }

    /// Sends a text to these addresses with the rig's key.
    pub async fn send(&self, to: &[&str]) -> Result<Vec<Sent>, Admission> {
        self.send_with(self.account, self.key, to).await
    }

    /// Sends a text to these addresses with any key.
    pub async fn send_with(&self, account: AccountId, key: KeyId, to: &[&str]) -> Result<Vec<Sent>, Admission> {
        let call = self.send_call(account, key, to).await;
        let answers = self.engine.accounts().send(call).await?;
        Ok(answers
            .into_iter()
            .map(|answer| Sent {
                message: answer.message,
                answer,
            })
            .collect())
    }

    /// Sends a text to each of these addresses in a call of its own, which needs fewer resources than a large call.
    pub async fn send_each(&self, account: AccountId, key: KeyId, to: &[String]) -> Vec<MessageId> {
        let mut messages = Vec::new();
        for mailbox in to {
            let sent = self.send_with(account, key, &[mailbox]).await.unwrap();
            messages.push(sent[0].message);
        }
        messages
    }

    /// The event types of a message, in order.
    pub async fn history(&self, message: MessageId) -> Vec<String> {
        records::history(&self.engine, message).await
    }

    /// The events of a message.
    pub async fn stream(&self, message: MessageId) -> Vec<Recorded> {
        records::stream(&self.engine, message).await
    }

    /// All events, in order.
    pub async fn events(&self) -> Vec<Recorded> {
        let reader = self.engine.log().read();
        tokio::task::spawn_blocking(move || reader.events(0, 1_000_000).unwrap())
            .await
            .unwrap()
    }

    /// Waits until the log satisfies a condition; panics after 60 s. The condition is asked whenever the log has grown.
    pub async fn until_log(&self, what: &str, holds: impl Fn(&[Recorded]) -> bool) -> Vec<Recorded> {
        let mut tail = self.engine.log().read().tail();
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let events = self.events().await;
            if holds(&events) {
                return events;
            }
            let moved = tokio::time::timeout_at(end, tail.changed()).await;
            assert!(
                moved.is_ok(),
                "the log never came to this: {what}; unfinished: {:?}",
                unfinished(&events)
            );
        }
    }

    /// Waits for the log as [`Self::until_log`] does, and moves the clock on by `step` again and again meanwhile: for what
    /// comes to be due at a time that nobody can name.
    pub async fn drive_until_log(
        &self,
        what: &str,
        step: Duration,
        holds: impl Fn(&[Recorded]) -> bool,
    ) -> Vec<Recorded> {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let mut tail = self.engine.log().read().tail();
            let events = self.events().await;
            if holds(&events) {
                return events;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "the log never came to this: {what}; unfinished: {:?}",
                unfinished(&events)
            );
            // Not every failure leaves something in the log: then the time-out is what moves the clock.
            if tokio::time::timeout(Duration::from_millis(200), tail.changed())
                .await
                .is_err()
            {
                self.clock.advance(step);
            }
        }
    }

    /// Waits until the last event of a message is of this type; panics after 20 s.
    pub async fn until(&self, message: MessageId, last: &str) -> Vec<String> {
        records::until(&self.engine, message, last).await
    }
}

/// The histories of messages that have not come to their end.
fn unfinished(events: &[Recorded]) -> Vec<Vec<String>> {
    let mut histories: BTreeMap<&StreamId, Vec<String>> = BTreeMap::new();
    for recorded in events {
        let history = histories.entry(&recorded.stream).or_default();
        history.push(recorded.event.event_type());
    }
    let ends = [
        "MessageDelivered",
        "MessageBounced",
        "MessageRejected",
        "MessageDiscarded",
    ];
    histories
        .into_values()
        .filter(|history| history[0] == "MessageAccepted" && !ends.contains(&history[history.len() - 1].as_str()))
        .collect()
}
