//! Checks signatures with another implementation, and canonical forms with simple ones.

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
use proptest::prelude::*;

use super::canonical::{RelaxedBodyHash, fields, write_relaxed_field};
use super::*;

static RSA: LazyLock<DkimKeyPair> = LazyLock::new(|| generate_rsa_2048().unwrap());
static ED25519: LazyLock<DkimKeyPair> = LazyLock::new(|| generate_ed25519().unwrap());

const MESSAGE: &str = "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: Hello  there\r\n\
                       Date: Tue, 25 Nov 2025 10:30:05 +0000\r\nMessage-ID: <1@example.org>\r\n\
                       X-Other: not signed\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHi Bob,\r\n\r\nbye\r\n";

fn signer(pair: &DkimKeyPair) -> DkimSigner {
    DkimSigner::new("Example.ORG", "s1", &pair.private_pkcs8_der).unwrap()
}

fn sign(pair: &DkimKeyPair, parts: &[&[u8]]) -> Result<String, DkimFailure> {
    signer(pair).sign(parts, DateTime::from_timestamp(1_764_066_605, 0).unwrap())
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
    let record = dns_record(pair.key_type, &pair.public_base64);
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

#[test]
fn another_implementation_verifies_both_kinds_of_key() {
    for pair in [&*RSA, &*ED25519] {
        let message = signed(pair, MESSAGE);
        assert_eq!(verdict(pair, message.as_bytes()), DkimResult::Pass, "{message}");
    }
}

#[test]
fn a_changed_message_does_not_verify() {
    let message = signed(&RSA, MESSAGE);
    let again = message.replacen("From: Ann", "From: Eve", 1);
    let added = message.replacen("To: bob", "From: eve@example.org\r\nTo: bob", 1);
    for (changed, what) in [
        (message.replacen("Hi Bob", "Hi Eve", 1), "body"),
        (message.replacen("Subject: Hello", "Subject: Jello", 1), "subject"),
        (again, "from"),
        (added, "a second from"),
        (message.replacen("t=1764066605", "t=1764066606", 1), "time"),
    ] {
        assert_ne!(changed, message, "{what}");
        assert_ne!(verdict(&RSA, changed.as_bytes()), DkimResult::Pass, "{what}");
    }
    assert_ne!(verdict(&ED25519, message.as_bytes()), DkimResult::Pass, "another key");
}

#[test]
fn what_a_relay_may_change_does_not_matter() {
    let message = signed(&RSA, MESSAGE)
        .replacen("Subject: Hello  there", "SUBJECT:\r\n\tHello\r\n there ", 1)
        .replacen("X-Other: not signed\r\n", "X-Other: changed\r\nX-More: added\r\n", 1)
        .replacen("Hi Bob,", "Hi \tBob, ", 1)
        + "\r\n\r\n";
    let message = format!("Received: from a by b\r\n{message}");
    assert_eq!(verdict(&RSA, message.as_bytes()), DkimResult::Pass, "{message}");
}

#[test]
fn the_header_has_its_tags_and_short_lines() {
    let header = sign(&RSA, &[MESSAGE.as_bytes()]).unwrap();
    let names = "From:From:To:Subject:Date:Message-ID:MIME-Version:Content-Type";
    let hash = STANDARD.encode(digest(&SHA256, b"Hi Bob,\r\n\r\nbye\r\n"));
    let opening = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example.org;\r\n\ts=s1; t=1764066605;\r\n\t\
         h={names};\r\n\tbh={hash};\r\n\tb="
    );
    assert!(header.starts_with(&opening), "{header}");
    assert!(header.ends_with("\r\n") && !header.ends_with("\r\n\r\n"), "{header}");
    assert!(header.lines().all(|line| line.len() <= 78), "{header}");
}

#[test]
fn the_place_where_a_message_is_cut_does_not_matter() {
    let whole = sign(&RSA, &[MESSAGE.as_bytes()]).unwrap();
    for cut in 0..=MESSAGE.len() {
        let (head, body) = MESSAGE.as_bytes().split_at(cut);
        assert_eq!(
            sign(&ED25519, &[head, body]).unwrap(),
            sign(&ED25519, &[MESSAGE.as_bytes()]).unwrap(),
            "{cut}"
        );
    }
    let (a, rest) = MESSAGE.as_bytes().split_at(20);
    let (b, c) = rest.split_at(MESSAGE.len() - 30);
    assert_eq!(sign(&RSA, &[a, b, b"", c]).unwrap(), whole);
}

#[test]
fn repeated_fields_are_all_signed_from_the_last_one_on() {
    let message = MESSAGE.replacen("Subject:", "To: second@example.net\r\nSubject:", 1);
    let message = signed(&RSA, &message);
    assert!(message.contains("h=From:From:To:To:Subject"), "{message}");
    assert_eq!(verdict(&RSA, message.as_bytes()), DkimResult::Pass);
}

#[test]
fn long_lists_of_fields_are_folded_and_verify() {
    let more = "Sender: a@example.org\r\nReply-To: b@example.org\r\nCc: c@example.org\r\nReferences: <1@a>\r\n\
                In-Reply-To: <1@a>\r\nList-Id: <l.example.org>\r\nList-Unsubscribe: <https://example.org/u>\r\n\
                List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Transfer-Encoding: 7bit\r\n";
    let message = signed(&RSA, &format!("{more}{MESSAGE}"));
    let header = message.get(..message.find("Sender: ").unwrap()).unwrap();
    assert!(header.contains("List-Unsubscribe:List-Unsubscribe-Post"), "{header}");
    assert!(header.lines().all(|line| line.len() <= 78), "{header}");
    assert_eq!(verdict(&RSA, message.as_bytes()), DkimResult::Pass, "{header}");
}

#[test]
fn lines_of_white_space_at_the_end_do_not_count() {
    // The library that we do not sign with answers UYUbtP… here, and receivers that follow the RFC refuse that.
    assert_eq!(
        body_hash(&[b"hi\r\n \t\r\n"]),
        STANDARD.encode(digest(&SHA256, b"hi\r\n"))
    );
    assert!(body_hash(&[b"hi\r\n \t\r\n"]).starts_with("RHI91NDg"));
}

#[test]
fn canonical_bodies_follow_the_rfc() {
    for (body, canonical) in [
        ("", ""),
        ("\r\n\r\n", ""),
        (" \t\r\n", ""),
        // RFC 6376 §3.4.5, example 2.
        (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
        ("no end", "no end\r\n"),
        ("a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"),
        ("a\rb\r\n", "a\rb\r\n"),
        ("a\r", "a\r\r\n"),
        ("a\r\r\n", "a\r\r\n"),
        ("\r\n a\r\n", "\r\n a\r\n"),
    ] {
        assert_eq!(
            body_hash(&[body.as_bytes()]),
            STANDARD.encode(digest(&SHA256, canonical.as_bytes())),
            "{body:?}"
        );
    }
}

#[test]
fn canonical_fields_follow_the_rfc() {
    // RFC 6376 §3.4.5, example 1.
    let block = b"A: X\r\nB : Y\t\r\n\tZ  \r\n";
    let mut canonical = Vec::new();
    for (name, value) in fields(block) {
        write_relaxed_field(name, value, &mut canonical);
        canonical.extend_from_slice(b"\r\n");
    }
    assert_eq!(canonical, b"a:X\r\nb:Y Z\r\n");
}

#[test]
fn what_cannot_be_signed_is_a_failure() {
    for message in [
        "To: a@example.org\r\n\r\nhi\r\n",
        "\r\nFrom: a@example.org\r\n\r\nhi\r\n",
    ] {
        assert!(
            matches!(sign(&ED25519, &[message.as_bytes()]), Err(DkimFailure::NoFrom)),
            "{message:?}"
        );
    }
    let long = format!("From: a@example.org\r\nX: {}\r\n\r\nhi\r\n", "x".repeat(300_000));
    for message in ["From: a@example.org\r\n", "", long.as_str()] {
        assert!(matches!(
            sign(&ED25519, &[message.as_bytes()]),
            Err(DkimFailure::NoHeaderEnd)
        ));
    }
}

#[test]
fn keys_and_names_are_checked() {
    let key = &*ED25519.private_pkcs8_der;
    assert!(matches!(
        DkimSigner::new("example.org", "s1", b"no key"),
        Err(DkimFailure::BadKey { .. })
    ));
    for (domain, selector) in [
        ("example.org;", "s1"),
        ("example.org", "s\r\n1"),
        ("example.org", ""),
        ("", "s1"),
    ] {
        assert!(
            matches!(DkimSigner::new(domain, selector, key), Err(DkimFailure::BadName)),
            "{domain:?} {selector:?}"
        );
    }
    assert_eq!(
        DkimSigner::new("Example.org", "A.b", key).unwrap().domain(),
        "example.org"
    );
}

#[test]
fn a_key_is_published_as_the_rfc_says_and_hidden_in_debug() {
    assert_eq!(dns_name("s1", "example.org"), "s1._domainkey.example.org");
    assert!(dns_record(KeyType::Rsa, &RSA.public_base64).starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQ"));
    let record = dns_record(KeyType::Ed25519, &ED25519.public_base64);
    assert_eq!(record.len(), "v=DKIM1; k=ed25519; p=".len() + 44);
    assert!(!format!("{:?}", *RSA).contains("private"));
    assert!(!format!("{:?}", signer(&RSA)).contains("key"));
}

#[test]
fn a_signer_is_shared_by_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&signer(&ED25519));
}

fn body_hash(pieces: &[&[u8]]) -> String {
    let mut hash = RelaxedBodyHash::default();
    pieces.iter().for_each(|piece| hash.update(piece));
    STANDARD.encode(hash.finish())
}

/// The relaxed form line by line, as one would write it down from the RFC.
fn simple_relaxed(body: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in body.split("\r\n") {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let indent = if line.starts_with([' ', '\t']) && !words.is_empty() {
            " "
        } else {
            ""
        };
        lines.push(format!("{indent}{}", words.join(" ")));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

proptest! {
    #[test]
    fn bodies_agree_with_a_simple_implementation(
        pieces in prop::collection::vec(prop_oneof![
            Just(" "), Just("\t"), Just("\r\n"), Just("a"), Just("."), Just("ü"), Just("\r\n\r\n"), Just("long word "),
        ], 0..40),
        cut in 0_usize..80,
    ) {
        let body = pieces.concat();
        let expected = STANDARD.encode(digest(&SHA256, simple_relaxed(&body).as_bytes()));
        prop_assert_eq!(body_hash(&[body.as_bytes()]), expected.clone());
        let (left, right) = body.as_bytes().split_at(cut.min(body.len()));
        prop_assert_eq!(body_hash(&[left, right]), expected);
    }

    #[test]
    fn signing_never_panics(message in prop::collection::vec(any::<u8>(), 0..300)) {
        let parts: Vec<&[u8]> = message.chunks(7).collect();
        prop_assert!(sign(&ED25519, &parts).map_or(true, |header| header.ends_with("\r\n")));
    }
}
