//! Mail hosts behind boxes that meddle with TLS, and the rig that sends to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sealpost::actors::{Manage, SendCall};
use sealpost::config::{Config, RouteConfig};
use sealpost::delivery::mx::{DnsConfig, Ipv6Use};
use sealpost::serve::Ports;
use sealpost::smtp::client::Timeouts;
use sealpost::smtp::server::{Personality, Receiver, Running};
use sealpost_domain::Event;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{Attempted, DeferralReason, Judged, MessageEvent, Started};
use sealpost_domain::tls_rule::{AccountTls, ClearReason, TlsFailure};

use super::{Inbox, Meddling, Middlebox, NameWorld, Rig, RigOptions};

/// An authority of its own, and certificates for `127.0.0.1`.
pub struct TlsAuthority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for TlsAuthority {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }
}

impl TlsAuthority {
    /// The file of its certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate that it issued, for this name.
    pub fn valid(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name).signed_by(&key, &self.issuer).unwrap();
        server_config(vec![certificate.der().clone()], &key)
    }
}

/// A certificate that nobody issued.
pub fn self_signed(name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = params(name).self_signed(&key).unwrap();
    server_config(vec![certificate.der().clone()], &key)
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn server_config(chain: Vec<rustls_pki_types::CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// One mail host of `mail.test` behind a box, and a rig that sends to it.
pub struct TlsWorld {
    /// The rig.
    pub rig: Rig,
    /// The box on the way.
    pub way: Middlebox,
    /// What the host took.
    pub inbox: Arc<Inbox>,
    _authority: TlsAuthority,
    _host: Running,
}

/// Time limits at which a silent host costs a test little.
fn short_timeouts() -> Timeouts {
    Timeouts {
        handshake: Duration::from_secs(2),
        ..Timeouts::default()
    }
}

impl TlsWorld {
    /// A host with a valid certificate.
    pub async fn start(meddling: Meddling) -> Self {
        Self::with(meddling, |authority| {
            Personality::encrypted("mail.test", authority.valid("127.0.0.1"))
        })
        .await
    }

    /// A host that is as the test wants it.
    pub async fn with(meddling: Meddling, host: impl FnOnce(&TlsAuthority) -> Personality) -> Self {
        let authority = TlsAuthority::default();
        let inbox = Arc::new(Inbox::default());
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let host = Receiver::start(anywhere, host(&authority), inbox.clone())
            .await
            .unwrap();
        let way = Middlebox::start(anywhere, host.addr(), meddling).await;
        let (port, roots) = (way.port(), authority.file());
        let configure = move |config: &mut Config| {
            config.routes.push(RouteConfig::to("mail.test", "127.0.0.1", port));
            config.delivery.extra_roots = Some(roots.clone());
        };
        let options = RigOptions {
            ports: Ports {
                timeouts: short_timeouts(),
                ..Ports::default()
            },
            configure: Box::new(configure),
        };
        Self {
            rig: Rig::with(Vec::new(), options).await,
            way,
            inbox,
            _authority: authority,
            _host: host,
        }
    }

    /// Ends the engine and starts it again; way and host stay.
    pub async fn restart(self) -> Self {
        Self {
            rig: self.rig.restart().await,
            ..self
        }
    }

    /// The account chooses.
    pub async fn choose(&self, tls: AccountTls) {
        let command = AccountCommand::ChangeTlsDemand { tls };
        self.rig
            .manage(self.rig.account, Manage::Account(command))
            .await
            .unwrap();
    }

    /// Sends to `ann@mail.test`.
    pub async fn send(&self) -> MessageId {
        self.rig.send(&["ann@mail.test"]).await.unwrap()[0].message
    }

    /// Sends to `ann@mail.test` what is changed before.
    pub async fn send_changed(&self, change: impl FnOnce(&mut SendCall)) -> MessageId {
        let mut call = self
            .rig
            .send_call(self.rig.account, self.rig.key, &["ann@mail.test"])
            .await;
        change(&mut call);
        self.rig.engine.accounts().send(call).await.unwrap()[0].message
    }

    /// Waits for the `n`-th deferral of a message; gives all of them.
    pub async fn deferrals(&self, message: MessageId, n: usize) -> Vec<Deferral> {
        let id = sealpost_domain::StreamId::message(message);
        let events = self.rig.until_log("a deferral", |events| {
            let mine = events.iter().filter(|recorded| recorded.stream == id);
            mine.filter(|recorded| recorded.event.event_type() == "DeliveryDeferred")
                .count()
                >= n
        });
        let events = events.await;
        let mine = events.into_iter().filter(|recorded| recorded.stream == id);
        mine.filter_map(|recorded| Deferral::of(recorded.event)).collect()
    }

    /// Waits until a message is delivered; what its end says, and what its start said.
    pub async fn delivered(&self, message: MessageId) -> (Attempted, Started) {
        delivered(&self.rig, message).await
    }
}

const ZONE: &str = "
two MX 10 mx1.two
two MX 20 mx2.two
mx1.two A HOST1
mx2.two A HOST2
";

/// The domain `two.test` with two mail hosts, the preferred one behind a box.
pub struct TwoHosts {
    /// The rig.
    pub rig: Rig,
    /// The box before the preferred host.
    pub way: Middlebox,
    /// What the preferred host took.
    pub first: Arc<Inbox>,
    /// What the other one took.
    pub second: Arc<Inbox>,
    _names: NameWorld,
    _hosts: [Running; 2],
}

impl TwoHosts {
    /// A world whose box does this.
    pub async fn start(meddling: Meddling) -> Self {
        let names = NameWorld::start(ZONE).await;
        let (first, second) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mx1 = Personality::encrypted("mx1.two.test", self_signed("mx1.two.test"));
        let mx1 = Receiver::start(anywhere, mx1, first.clone()).await.unwrap();
        let listen = SocketAddr::from((names.address(1), names.mail_port));
        let way = Middlebox::start(listen, mx1.addr(), meddling).await;
        let mx2 = Personality::encrypted("mx2.two.test", self_signed("mx2.two.test"));
        let mx2 = names.receiver(names.address(2), mx2, &second).await;
        let dns = DnsConfig {
            ipv6: Ipv6Use::Never,
            ..names.dns()
        };
        let configure = move |config: &mut Config| {
            config.delivery.by_mx = true;
            config.dns = dns.clone();
        };
        let options = RigOptions {
            ports: Ports {
                mx_port: names.mail_port,
                timeouts: short_timeouts(),
                ..Ports::default()
            },
            configure: Box::new(configure),
        };
        Self {
            rig: Rig::with(Vec::new(), options).await,
            way,
            first,
            second,
            _names: names,
            _hosts: [mx1, mx2],
        }
    }
}

/// Waits until a message is delivered; what its end says, and what its last start said.
pub async fn delivered(rig: &Rig, message: MessageId) -> (Attempted, Started) {
    rig.until(message, "MessageDelivered").await;
    let (mut ended, mut started) = (None, None);
    for recorded in rig.stream(message).await {
        match recorded.event {
            Event::Message(MessageEvent::MessageDelivered { attempted, .. }) => ended = Some(attempted),
            Event::Message(MessageEvent::DeliveryStarted(start)) => started = Some(*start),
            _ => {}
        }
    }
    (ended.unwrap(), started.unwrap())
}

/// One deferral.
#[derive(Debug, Clone)]
pub struct Deferral {
    /// Facts of the attempt.
    pub attempted: Attempted,
    /// Why.
    pub reason: DeferralReason,
    /// Class and status.
    pub judged: Judged,
}

impl Deferral {
    fn of(event: Event) -> Option<Self> {
        match event {
            Event::Message(MessageEvent::DeliveryDeferred {
                attempted,
                reason,
                judged,
                ..
            }) => Some(Self {
                attempted,
                reason,
                judged: judged.unwrap(),
            }),
            _ => None,
        }
    }

    /// Our own status.
    pub fn status(&self) -> String {
        self.judged.status.map(|status| status.to_string()).unwrap_or_default()
    }

    /// What failed on the way, in order.
    pub fn failures(&self) -> Vec<TlsFailure> {
        failures(&self.attempted)
    }
}

/// What failed on the way to a session, in order.
pub fn failures(attempted: &Attempted) -> Vec<TlsFailure> {
    let record = attempted.tls_record.as_ref().unwrap();
    record.failures.iter().map(|failed| failed.failure).collect()
}

/// The reason of a delivery in clear text.
pub fn clear(attempted: &Attempted) -> Option<ClearReason> {
    attempted.tls_record.as_ref().unwrap().clear
}
