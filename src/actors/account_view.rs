//! What an account's keys and domains look like from outside: nothing secret.

use sealpost_domain::address::DomainName;
use sealpost_domain::api_key::KeyStanding;
use sealpost_domain::ids::KeyId;
use sealpost_domain::rights::{KeyKind, KeyLimits, KeyWorld};
use sealpost_domain::sending_domain::{DkimAlgorithm, DkimSigning};
use sealpost_domain::{Instant, Personal};

/// A key as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// The key.
    pub key: KeyId,
    /// What it is for.
    pub kind: KeyKind,
    /// Which world it acts in.
    pub world: KeyWorld,
    /// First letters and last four.
    pub display: String,
    /// The owner's name for it.
    pub label: Personal<String>,
    /// What it may still do.
    pub standing: KeyStanding,
    /// What it is limited to.
    pub limits: KeyLimits,
    /// When it was issued.
    pub issued_at: Instant,
}

/// A sending domain as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainView {
    /// The domain.
    pub domain: DomainName,
    /// Whether its ownership was seen.
    pub verified: bool,
    /// Which of its active keys sign.
    pub signing: DkimSigning,
    /// Its active keys.
    pub dkim: Vec<DkimView>,
}

/// An active DKIM key as DNS shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimView {
    /// The selector, RFC 6376 §3.1.
    pub selector: String,
    /// What it signs with.
    pub algorithm: DkimAlgorithm,
    /// The public half as the DNS record has it, base64.
    pub public_key: String,
}
