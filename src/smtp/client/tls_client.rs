//! Holds what all TLS handshakes of an installation share, and the facts that one of them establishes.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection, Error, ProtocolVersion, RootCertStore};

use super::certificate::{CertificateVerdict, NameCheck, RecordingVerifier};

/// What the caller demands of a session. Opportunistic and encrypted differ in what the caller does after a failure,
/// not in what is done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsDemand {
    /// TLS is welcome; any certificate will do.
    Opportunistic,
    /// TLS is a must; any certificate will do.
    Encrypted,
    /// TLS is a must, with a certificate that is valid for the server's name.
    Authenticated,
}

/// How large the first message of the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientHello {
    /// Post-quantum key exchange first; about 1,470 bytes, more than one TCP segment on many paths.
    PostQuantum,
    /// Elliptic curves only; about 240 bytes, for the retry past a middlebox that drops the larger one.
    Reduced,
}

/// What one handshake is to achieve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOrder {
    /// The host name that the certificate is judged by and that is sent as SNI, with or without a final dot.
    pub peer_name: String,
    /// What is demanded.
    pub demand: TlsDemand,
    /// How large the first message is.
    pub hello: ClientHello,
}

/// What a handshake has established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The key exchange, such as `X25519MLKEM768`.
    pub group: Option<String>,
    /// The cipher suite by its registered name, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// SHA-256 of the server's certificate in DER, in lower-case hexadecimal.
    pub certificate_sha256: String,
    /// SHA-256 of the certificate's public key (SubjectPublicKeyInfo in DER), in lower-case hexadecimal; survives a
    /// renewal that keeps the key.
    pub spki_sha256: Option<String>,
    /// What WebPKI says.
    pub verdict: CertificateVerdict,
    /// The name that the verdict is about.
    pub peer_name: String,
}

/// The facts of a handshake together with the certificates that were shown, for checks such as DANE.
#[derive(Debug, Clone)]
pub struct TlsSession {
    /// What was established.
    pub facts: TlsFacts,
    /// The certificates as the server sent them, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// The trusted roots and the ciphers. One for the whole program; clones are cheap.
#[derive(Debug, Clone)]
pub struct TlsClient {
    roots: Arc<RootCertStore>,
    post_quantum: Arc<CryptoProvider>,
    reduced: Arc<CryptoProvider>,
}

impl TlsClient {
    /// Judges certificates by these roots; with none, every certificate has an unknown issuer.
    pub fn new(roots: RootCertStore) -> Self {
        let elliptic = vec![
            provider::kx_group::X25519,
            provider::kx_group::SECP256R1,
            provider::kx_group::SECP384R1,
        ];
        let reduced = CryptoProvider {
            kx_groups: elliptic,
            ..provider::default_provider()
        };
        Self {
            roots: Arc::new(roots),
            post_quantum: Arc::new(provider::default_provider()),
            reduced: Arc::new(reduced),
        }
    }

    // No resumption: rustls asks no verifier then, and connections are kept open instead.
    pub(super) fn prepare(
        &self,
        hello: ClientHello,
        name_check: NameCheck,
    ) -> Result<(ClientConfig, Arc<RecordingVerifier>), Error> {
        let provider = match hello {
            ClientHello::PostQuantum => &self.post_quantum,
            ClientHello::Reduced => &self.reduced,
        };
        let verifier = Arc::new(RecordingVerifier::new(
            Arc::clone(&self.roots),
            Arc::clone(provider),
            name_check,
        ));
        let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<RecordingVerifier>::clone(&verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok((config, verifier))
    }
}

impl TlsSession {
    pub(super) fn of(connection: &ClientConnection, verdict: CertificateVerdict, peer_name: &str) -> Self {
        let certificates: Vec<CertificateDer<'static>> = connection
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|der| der.clone().into_owned())
            .collect();
        let leaf = certificates.first();
        let cipher = connection
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()));
        let group = connection
            .negotiated_key_exchange_group()
            .map(|group| format!("{:?}", group.name()));
        let facts = TlsFacts {
            version: version_name(connection.protocol_version()),
            group,
            cipher: cipher
                .map(|name| name.replacen("TLS13_", "TLS_", 1))
                .unwrap_or_default(),
            certificate_sha256: leaf.map(|der| sha256_hex(der)).unwrap_or_default(),
            spki_sha256: leaf.and_then(spki_sha256),
            verdict,
            peer_name: peer_name.to_owned(),
        };
        Self { facts, certificates }
    }
}

fn version_name(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

fn spki_sha256(leaf: &CertificateDer<'static>) -> Option<String> {
    let certificate = ParsedCertificate::try_from(leaf).ok()?;
    Some(sha256_hex(&certificate.subject_public_key_info()))
}

fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
