//! The demo's receiving servers on loopback: one with valid TLS, one with a certificate of its own making, one without
//! TLS, one whose handshake breaks, one that greylists, one that rejects every recipient. What they take lies in a folder,
//! a file a message.

use std::fs::Permissions;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;

use crate::config::RouteConfig;
use crate::durable_folder;
use crate::smtp::server::{Deposit, Offer, Personality, Received, Receiver, RecipientRule, Running};

/// The host that all of them are reached by; the certificate is valid for it.
const HOST: &str = "localhost";

/// The running receivers.
pub(super) struct World {
    /// Routes to them.
    pub routes: Vec<RouteConfig>,
    /// The authority that issued the certificate of the first, in PEM.
    pub ca: PathBuf,
    running: Vec<Running>,
}

/// Stores what a receiver took: `INBOX/DOMAIN/NUMBER.eml`, byte for byte as it came.
struct Inbox {
    folder: PathBuf,
    next: AtomicU64,
}

#[async_trait]
impl Deposit for Inbox {
    async fn deposit(&self, received: Received) -> io::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let stamp = received.received_at.format("%Y%m%dT%H%M%S%3f");
        let path = self.folder.join(format!("{stamp}-{number:06}.eml"));
        let partial = path.with_extension("part");
        let mut file = tokio::fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .await?;
        file.write_all(&received.content).await?;
        file.flush().await?;
        tokio::fs::rename(&partial, &path).await
    }
}

impl World {
    /// Starts the receivers; their mail goes below `folder`.
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let (ca, tls) = certificates(folder)?;
        let own = self_signed()?;
        let refuses = RecipientRule::Reject(550, "5.1.1 no such mailbox here".to_owned());
        let personalities = [
            ("tls", Personality::encrypted("tls.demo.test", tls.clone())),
            ("selfsigned", Personality::encrypted("selfsigned.demo.test", own)),
            ("plain", Personality::plain("plain.demo.test")),
            (
                "broken",
                Personality {
                    starttls: Offer::BreakHandshake,
                    ..Personality::plain("broken.demo.test")
                },
            ),
            (
                "grey",
                Personality {
                    recipients: RecipientRule::Greylist,
                    ..Personality::encrypted("grey.demo.test", tls)
                },
            ),
            (
                "reject",
                Personality {
                    recipients: refuses,
                    ..Personality::plain("reject.demo.test")
                },
            ),
        ];
        let (mut routes, mut running) = (Vec::new(), Vec::new());
        for (name, personality) in personalities {
            let inbox = folder.join("inbox").join(name);
            durable_folder::make(&inbox).with_context(|| format!("the folder {} cannot be made", inbox.display()))?;
            let deposit = Arc::new(Inbox {
                folder: inbox,
                next: AtomicU64::new(0),
            });
            let receiver = Receiver::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), personality, deposit)
                .await
                .context("a receiving server cannot listen on loopback")?;
            let domain = format!("{name}.demo.test");
            routes.push(RouteConfig::to(&domain, HOST, receiver.addr().port()));
            running.push(receiver);
        }
        Ok(Self { routes, ca, running })
    }

    /// Ends the receivers.
    pub(super) async fn stop(self) {
        for receiver in self.running {
            receiver.stop().await;
        }
    }
}

/// An authority of the demo's own, and a certificate by it for the receivers' host. Made anew at each start: nothing
/// but this world trusts it.
fn certificates(folder: &Path) -> anyhow::Result<(PathBuf, Arc<ServerConfig>)> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "Sealpost demo authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![HOST.to_owned()])?.signed_by(&key, &issuer)?;
    durable_folder::make(folder)?;
    // A folder of an earlier release is everybody's to read; mail lies in it.
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, authority_certificate.pem()).context("the demo's authority cannot be stored")?;
    let chain = vec![certificate.der().clone(), authority_certificate.der().clone()];
    Ok((ca, server_config(chain, &key)?))
}

/// A certificate that nobody vouches for: good enough against listeners, and no proof of who answers.
fn self_signed() -> anyhow::Result<Arc<ServerConfig>> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![HOST.to_owned()])?.self_signed(&key)?;
    server_config(vec![certificate.der().clone()], &key)
}

fn server_config(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> anyhow::Result<Arc<ServerConfig>> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::wire::ReversePath;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn what_the_receivers_take_is_its_owner_s_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("demo");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let received = Received {
            reverse_path: ReversePath::null(),
            forward_paths: Vec::new(),
            content: b"Subject: hi\r\n\r\nhi\r\n".to_vec(),
            tls: None,
            received_at: std::time::SystemTime::now().into(),
        };
        let world = World::start(&folder).await.unwrap();
        let inbox = folder.join("inbox").join("tls");
        assert_eq!((mode(&folder), mode(&inbox)), (0o700, 0o700));
        let deposit = Inbox {
            folder: inbox.clone(),
            next: AtomicU64::new(0),
        };
        deposit.deposit(received).await.unwrap();
        let file = std::fs::read_dir(&inbox).unwrap().next().unwrap().unwrap().path();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(std::fs::read(&file).unwrap(), b"Subject: hi\r\n\r\nhi\r\n");
        world.stop().await;
    }
}
