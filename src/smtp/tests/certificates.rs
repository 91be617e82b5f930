//! Makes an authority and the good and bad certificates of the tests.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

pub(super) const NAME: &str = "mx.good.test";

/// Which certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Good,
    Expired,
    NotYetValid,
    WrongName,
    UnknownIssuer,
    SelfSigned,
    /// Self-signed and marked as an authority, as `openssl req -x509` makes it.
    SelfSignedAuthority,
}

pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let issuer = CertifiedIssuer::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(super) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }

    pub(super) fn server(&self, shown: Shown) -> Arc<ServerConfig> {
        self.server_speaking(shown, &[&version::TLS13, &version::TLS12])
    }

    pub(super) fn server_speaking(
        &self,
        shown: Shown,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = self.certificate(shown, &key);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap();
        Arc::new(
            config
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap(),
        )
    }

    /// A server that shows a good certificate and does not have its key.
    pub(super) fn impostor(&self) -> Arc<ServerConfig> {
        let certificate = self.certificate(Shown::Good, &KeyPair::generate().unwrap());
        let other_key = PrivatePkcs8KeyDer::from(KeyPair::generate().unwrap().serialize_der());
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let signing_key = provider.key_provider.load_private_key(other_key.into()).unwrap();
        let certified = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], signing_key));
        let config = ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        Arc::new(
            config
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(certified)),
        )
    }

    fn certificate(&self, shown: Shown, key: &KeyPair) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, NAME);
        let signed = match shown {
            Shown::Good => params.signed_by(key, &self.issuer),
            Shown::Expired => {
                params.not_before = date_time_ymd(2024, 1, 1);
                params.not_after = date_time_ymd(2024, 2, 1);
                params.signed_by(key, &self.issuer)
            }
            Shown::NotYetValid => {
                params.not_before = date_time_ymd(2090, 1, 1);
                params.not_after = date_time_ymd(2091, 1, 1);
                params.signed_by(key, &self.issuer)
            }
            Shown::WrongName => CertificateParams::new(vec!["elsewhere.test".to_owned()])
                .unwrap()
                .signed_by(key, &self.issuer),
            Shown::UnknownIssuer => params.signed_by(key, &Self::new("Somebody else").issuer),
            Shown::SelfSigned => params.self_signed(key),
            Shown::SelfSignedAuthority => authority_params(NAME).self_signed(key),
        };
        signed.unwrap().der().clone()
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
