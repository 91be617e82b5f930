//! Computes the `DKIM-Signature` header of a message that comes in pieces.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sealpost_domain::address::DomainName;
use sealpost_domain::sending_domain::DkimAlgorithm;
use thiserror::Error;

use super::canonical::{RelaxedBodyHash, fields, write_relaxed_field};

/// Longest header block that is signed, in bytes.
pub const HEADER_BLOCK_BYTES_MAX: usize = 262_144;
/// Longest run of base64 on one line of the signature, in bytes.
const LINE_BYTES_MAX: usize = 72;

/// Fields that are signed where they are present, in the order of `h=`. Unsubscribing with one click needs the two
/// `List-Unsubscribe` fields signed (RFC 8058 §4).
const SIGNED: [&str; 17] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Sender",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
];

/// What keeps a message from being signed, or a key from being made or read.
#[derive(Debug, Error)]
pub enum DkimFailure {
    /// No key could be made.
    #[error("no DKIM key could be generated")]
    Generation,
    /// The private key cannot be read.
    #[error("the private key of selector {selector} at {domain} is not usable")]
    BadKey {
        /// The domain that signs.
        domain: String,
        /// The selector.
        selector: String,
        /// What the library says.
        #[source]
        source: KeyRejected,
    },
    /// Domain and selector do not make a DNS name.
    #[error("the selector or the domain that signs is no domain name")]
    BadName,
    /// There is no empty line within the first 256 KiB.
    #[error("the header block does not end within {HEADER_BLOCK_BYTES_MAX} bytes")]
    NoHeaderEnd,
    /// RFC 6376 §5.4: the field From must be signed.
    #[error("the message has no From to sign")]
    NoFrom,
    /// The library failed to sign.
    #[error("signing with selector {selector} at {domain} failed")]
    Signing {
        /// The domain that signs.
        domain: String,
        /// The selector.
        selector: String,
        /// What the library says.
        #[source]
        source: Unspecified,
    },
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

struct Identity {
    domain: String,
    selector: String,
    key: Key,
}

/// What every signature of a message signs alike: it is read once, however many keys sign.
pub struct Signable {
    /// The canonical fields.
    signed: Vec<u8>,
    /// Their names, in the order of `h=`.
    names: Vec<&'static str>,
    /// Base64 of the SHA-256 of the canonical body.
    body_hash: String,
}

impl fmt::Debug for Signable {
    /// Redacted: the fields name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signable")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Signable {
    /// Reads the message that the parts make when joined.
    ///
    /// # Errors
    /// [`DkimFailure::NoHeaderEnd`] or [`DkimFailure::NoFrom`].
    pub fn read(parts: &[&[u8]]) -> Result<Self, DkimFailure> {
        let block = header_block(parts)?;
        let fields = fields(&block);
        let mut signed = Vec::with_capacity(2_048);
        let names = sign_fields(&fields, &mut signed)?;
        let body_hash = body_hash(parts, block.len().saturating_add(2));
        Ok(Self {
            signed,
            names,
            body_hash,
        })
    }
}

/// Signs for one domain with one selector. Cheap to clone, shared by threads; its key is parsed once.
#[derive(Clone)]
pub struct DkimSigner(Arc<Identity>);

impl fmt::Debug for DkimSigner {
    /// Redacted: shows what DNS shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DkimSigner")
            .field("domain", &self.0.domain)
            .field("selector", &self.0.selector)
            .finish_non_exhaustive()
    }
}

impl DkimSigner {
    /// Reads the private key, PKCS#8 DER.
    ///
    /// # Errors
    /// [`DkimFailure::BadName`] if selector and domain are no DNS names, [`DkimFailure::BadKey`] for what is neither an
    /// RSA nor an Ed25519 key.
    pub fn new(domain: &str, selector: &str, pkcs8_der: &[u8]) -> Result<Self, DkimFailure> {
        let domain = DomainName::parse(domain).map_err(|_| DkimFailure::BadName)?.to_string();
        // A selector may be one label, which is no full domain name; together they must be one.
        let whole = DomainName::parse(&format!("{selector}.{domain}")).map_err(|_| DkimFailure::BadName)?;
        let selector = whole
            .as_str()
            .strip_suffix(&format!(".{domain}"))
            .ok_or(DkimFailure::BadName)?
            .to_owned();
        let rsa = RsaKeyPair::from_pkcs8(pkcs8_der).map(|key| Key::Rsa(Box::new(key)));
        let ed25519 = || Ed25519KeyPair::from_pkcs8(pkcs8_der).map(|key| Key::Ed25519(Box::new(key)));
        match rsa.or_else(|not_rsa| ed25519().map_err(|_| not_rsa)) {
            Ok(key) => Ok(Self(Arc::new(Identity { domain, selector, key }))),
            Err(source) => Err(DkimFailure::BadKey {
                domain,
                selector,
                source,
            }),
        }
    }

    /// The domain that signs, `d=`.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// Whether a signature takes microseconds, not a millisecond.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        matches!(self.0.key, Key::Ed25519(_))
    }

    /// Signs a message, and returns the whole header with its folds and final CRLF, to be put in front of it. `From` is
    /// signed once more than it occurs, so that none can be added (RFC 6376 §8.15).
    ///
    /// RSA-2048 takes about a millisecond of CPU: sign large batches off the async threads.
    ///
    /// # Errors
    /// [`DkimFailure::Signing`].
    pub fn sign(&self, message: &Signable, now: DateTime<Utc>) -> Result<String, DkimFailure> {
        let mut signed = message.signed.clone();
        let unsigned = self.unsigned_value(&message.names, &message.body_hash, now);
        write_relaxed_field(b"DKIM-Signature", unsigned.as_bytes(), &mut signed);
        let signature = self.signature(&signed)?;
        Ok(finished_header(&unsigned, &signature))
    }

    /// The value with an empty `b=` at its end, as it is hashed (RFC 6376 §3.7). Nothing stands behind `b=`: verifiers
    /// differ in how much white space they remove with its value.
    fn unsigned_value(&self, names: &[&str], body_hash: &str, now: DateTime<Utc>) -> String {
        let Identity { domain, selector, key } = &*self.0;
        let algorithm = match key {
            Key::Rsa(_) => DkimAlgorithm::Rsa.as_str(),
            Key::Ed25519(_) => DkimAlgorithm::Ed25519.as_str(),
        };
        let time = now.timestamp().max(0);
        let mut value = format!("v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={domain};\r\n\ts={selector}; t={time};");
        value.push_str("\r\n\th=");
        let mut line = 3_usize;
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                value.push(':');
            }
            if line.saturating_add(name.len()) > LINE_BYTES_MAX {
                value.push_str("\r\n\t ");
                line = 2;
            }
            value.push_str(name);
            line = line.saturating_add(name.len()).saturating_add(1);
        }
        value.push_str(";\r\n\tbh=");
        value.push_str(body_hash);
        value.push_str(";\r\n\tb=");
        value
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, DkimFailure> {
        let identity = &self.0;
        let failed = |source| DkimFailure::Signing {
            domain: identity.domain.clone(),
            selector: identity.selector.clone(),
            source,
        };
        match &identity.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            // RFC 8463 §3: what is signed is the hash.
            Key::Ed25519(key) => {
                let hash = digest(&SHA256, signed);
                Ok(key.try_sign(hash.as_ref()).map_err(failed)?.as_ref().to_vec())
            }
        }
    }
}

/// The header block with the CRLF of its last field, copied together from the parts.
fn header_block(parts: &[&[u8]]) -> Result<Vec<u8>, DkimFailure> {
    let mut block = Vec::with_capacity(4_096);
    for part in parts {
        let searched = block.len().saturating_sub(3);
        let room = HEADER_BLOCK_BYTES_MAX.saturating_sub(block.len());
        block.extend_from_slice(part.get(..room).unwrap_or(part));
        let found = block
            .get(searched..)
            .and_then(|new| memchr::memmem::find(new, b"\r\n\r\n"));
        if block.starts_with(b"\r\n") {
            return Err(DkimFailure::NoFrom);
        }
        if let Some(at) = found {
            block.truncate(searched.saturating_add(at).saturating_add(2));
            return Ok(block);
        }
    }
    Err(DkimFailure::NoHeaderEnd)
}

/// Appends the canonical fields that are signed, and returns their names in the order of `h=`.
///
/// RFC 6376 §5.4.2: of fields with one name, verifiers take the last one first.
fn sign_fields(fields: &[(&[u8], &[u8])], signed: &mut Vec<u8>) -> Result<Vec<&'static str>, DkimFailure> {
    let mut names = Vec::with_capacity(SIGNED.len().saturating_add(1));
    for wanted in SIGNED {
        for (name, value) in fields.iter().rev() {
            if name.trim_ascii_end().eq_ignore_ascii_case(wanted.as_bytes()) {
                write_relaxed_field(name, value, signed);
                signed.extend_from_slice(b"\r\n");
                names.push(wanted);
            }
        }
        if wanted == "From" {
            if names.is_empty() {
                return Err(DkimFailure::NoFrom);
            }
            // One more than there is: a From that is added later breaks the signature.
            names.push(wanted);
        }
    }
    Ok(names)
}

/// Base64 of the SHA-256 of the canonical body, which begins after `start` bytes of the joined parts.
fn body_hash(parts: &[&[u8]], start: usize) -> String {
    let mut hash = RelaxedBodyHash::default();
    let mut skip = start;
    for part in parts {
        hash.update(part.get(skip..).unwrap_or_default());
        skip = skip.saturating_sub(part.len());
    }
    STANDARD.encode(hash.finish())
}

fn finished_header(unsigned: &str, signature: &[u8]) -> String {
    let mut header = format!("DKIM-Signature: {unsigned}");
    for (n, byte) in STANDARD.encode(signature).chars().enumerate() {
        if n > 0 && n.is_multiple_of(LINE_BYTES_MAX) {
            header.push_str("\r\n\t ");
        }
        header.push(byte);
    }
    header.push_str("\r\n");
    header
}
