//! Judges a server's certificate by WebPKI, records the verdict, and lets the handshake go on whatever it is.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// What WebPKI says about a certificate and the name of the server it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateVerdict {
    /// Issued by a trusted authority for this name, and in force.
    Valid,
    /// No longer in force.
    Expired,
    /// Not yet in force.
    NotYetValid,
    /// Trusted and in force, but for another name.
    NameMismatch,
    /// Issued by somebody we do not trust.
    UnknownIssuer,
    /// Issued by itself.
    SelfSigned,
    /// Withdrawn by its issuer.
    Revoked,
    /// Not usable for another reason, such as an algorithm that is too weak.
    Other,
}

/// Whether the name that was asked for can be matched with a certificate at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameCheck {
    Possible,
    /// The MX is no host name, so no certificate can be valid for it.
    Impossible,
}

/// Accepts every certificate, but no handshake whose signature does not match it. Made for one connection: on a resumed
/// session rustls would not ask it, and the verdict would be missing.
pub(super) struct RecordingVerifier {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    name_check: NameCheck,
    verdict: OnceLock<CertificateVerdict>,
}

impl RecordingVerifier {
    pub(super) fn new(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>, name_check: NameCheck) -> Self {
        Self {
            roots,
            provider,
            name_check,
            verdict: OnceLock::new(),
        }
    }

    /// The verdict; [`CertificateVerdict::Other`] if the handshake showed no certificate.
    pub(super) fn verdict(&self) -> CertificateVerdict {
        self.verdict.get().copied().unwrap_or(CertificateVerdict::Other)
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> CertificateVerdict {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let judged = ParsedCertificate::try_from(leaf).and_then(|certificate| {
            verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, chain, now, algorithms)?;
            verify_server_name(&certificate, name)
        });
        match (judged, self.name_check) {
            (Ok(()), NameCheck::Possible) => CertificateVerdict::Valid,
            (Ok(()), NameCheck::Impossible) => CertificateVerdict::NameMismatch,
            (Err(error), _) => verdict_on(&error, leaf),
        }
    }
}

fn verdict_on(error: &Error, leaf: &CertificateDer<'_>) -> CertificateVerdict {
    use CertificateError as E;
    let Error::InvalidCertificate(error) = error else {
        return CertificateVerdict::Other;
    };
    match error {
        E::Expired | E::ExpiredContext { .. } => CertificateVerdict::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => CertificateVerdict::NotYetValid,
        E::NotValidForName | E::NotValidForNameContext { .. } => CertificateVerdict::NameMismatch,
        E::Revoked => CertificateVerdict::Revoked,
        // A certificate made by `openssl req -x509` is marked as an authority, which WebPKI refuses in a leaf before it
        // looks for an issuer.
        E::UnknownIssuer | E::Other(_) if is_self_issued(leaf) => CertificateVerdict::SelfSigned,
        E::UnknownIssuer => CertificateVerdict::UnknownIssuer,
        _ => CertificateVerdict::Other,
    }
}

fn is_self_issued(leaf: &CertificateDer<'_>) -> bool {
    webpki::EndEntityCert::try_from(leaf).is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

impl fmt::Debug for RecordingVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingVerifier")
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verdict.get_or_init(|| self.judge(leaf, chain, name, now));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            leaf,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            leaf,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
