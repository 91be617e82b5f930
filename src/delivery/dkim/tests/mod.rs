//! Signs with fresh keys, and asks another implementation what it thinks of the result.

mod canonical;
mod composed;
mod signatures;

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::LazyLock;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};

use super::*;

static RSA: LazyLock<DkimKeyPair> = LazyLock::new(|| generate_rsa_2048().unwrap());
static ED25519: LazyLock<DkimKeyPair> = LazyLock::new(|| generate_ed25519().unwrap());

fn signer(pair: &DkimKeyPair) -> DkimSigner {
    DkimSigner::new("Example.ORG", "s1", &pair.private_pkcs8_der).unwrap()
}

fn sign(pair: &DkimKeyPair, parts: &[&[u8]]) -> Result<String, DkimFailure> {
    signer(pair).sign(
        &Signable::read(parts)?,
        DateTime::from_timestamp(1_764_066_605, 0).unwrap(),
    )
}

/// A cache that holds the record of one key and nothing else.
struct OneRecord(Txt);

impl ResolverCache<Box<str>, Txt> for OneRecord {
    fn get<Q: Hash + Eq + ?Sized>(&self, _name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        Some(self.0.clone())
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _key: Box<str>, _value: Txt, _valid_until: Instant) {}
}

/// What the other implementation says of the message, offline.
fn verdict(pair: &DkimKeyPair, message: &[u8]) -> DkimResult {
    let record = dns_record(pair.algorithm, &pair.public_base64);
    let record = OneRecord(DomainKey::parse(record.as_bytes()).unwrap().into());
    let parsed = AuthenticatedMessage::parse(message).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let offline = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
        let params = Parameters::new(&parsed).with_txt_cache(&record);
        let outputs = offline.verify_dkim(params).await;
        outputs
            .first()
            .map_or(DkimResult::None, |output| output.result().clone())
    })
}

fn signed(pair: &DkimKeyPair, message: &str) -> String {
    let header = sign(pair, &[message.as_bytes()]).unwrap();
    format!("{header}{message}")
}
