//! Makes DKIM keys, and the DNS record that publishes them: RFC 6376 §3.6.1, RFC 8463 §4.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sealpost_domain::sending_domain::DkimAlgorithm;
use zeroize::Zeroizing;

use super::signer::DkimFailure;

/// The value of `k=` in the record of a key.
#[must_use]
pub const fn key_type(algorithm: DkimAlgorithm) -> &'static str {
    match algorithm {
        DkimAlgorithm::Rsa => "rsa",
        DkimAlgorithm::Ed25519 => "ed25519",
    }
}

/// A key pair as it is stored and published.
pub struct DkimKeyPair {
    /// What the key signs with.
    pub algorithm: DkimAlgorithm,
    /// The private half as PKCS#8 DER; wiped when dropped. Secret: seal it before it is stored.
    pub private_pkcs8_der: Zeroizing<Vec<u8>>,
    /// What the record's `p=` holds: base64 of the SubjectPublicKeyInfo for RSA, of the 32 bytes of the key for Ed25519.
    pub public_base64: String,
}

impl std::fmt::Debug for DkimKeyPair {
    /// Redacted: the private half must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DkimKeyPair")
            .field("algorithm", &self.algorithm)
            .field("public_base64", &self.public_base64)
            .finish_non_exhaustive()
    }
}

/// Makes a key. An RSA key takes a noticeable part of a second: call it off the async threads.
///
/// # Errors
/// [`DkimFailure::Generation`] if the library cannot.
pub fn generate(algorithm: DkimAlgorithm) -> Result<DkimKeyPair, DkimFailure> {
    match algorithm {
        DkimAlgorithm::Rsa => generate_rsa_2048(),
        DkimAlgorithm::Ed25519 => generate_ed25519(),
    }
}

/// Makes an RSA key of 2048 bits (RFC 8301 §3.2). Takes a noticeable part of a second: call it off the async threads.
///
/// # Errors
/// [`DkimFailure::Generation`] if the library cannot.
pub fn generate_rsa_2048() -> Result<DkimKeyPair, DkimFailure> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| DkimFailure::Generation)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| DkimFailure::Generation)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| DkimFailure::Generation)?;
    Ok(DkimKeyPair {
        algorithm: DkimAlgorithm::Rsa,
        private_pkcs8_der: Zeroizing::new(private.as_ref().to_vec()),
        public_base64: STANDARD.encode(public.as_ref()),
    })
}

/// Makes an Ed25519 key.
///
/// # Errors
/// [`DkimFailure::Generation`] if the library cannot.
pub fn generate_ed25519() -> Result<DkimKeyPair, DkimFailure> {
    let pair = Ed25519KeyPair::generate().map_err(|_| DkimFailure::Generation)?;
    let private = pair.to_pkcs8v1().map_err(|_| DkimFailure::Generation)?;
    Ok(DkimKeyPair {
        algorithm: DkimAlgorithm::Ed25519,
        private_pkcs8_der: Zeroizing::new(private.as_ref().to_vec()),
        public_base64: STANDARD.encode(pair.public_key().as_ref()),
    })
}

/// The text of the TXT record. An RSA key's is longer than 255 bytes: a zone file splits it into several strings, which
/// resolvers join again without a space.
#[must_use]
pub fn dns_record(algorithm: DkimAlgorithm, public_base64: &str) -> String {
    format!("v=DKIM1; k={}; p={public_base64}", key_type(algorithm))
}

/// The name under which the record stands.
#[must_use]
pub fn dns_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}
