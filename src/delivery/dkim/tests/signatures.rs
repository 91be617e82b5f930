//! Checks signatures with another implementation, and what cannot be signed.

use proptest::prelude::*;
use sealpost_domain::sending_domain::DkimAlgorithm;

use super::*;

const MESSAGE: &str = "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: Hello  there\r\n\
                       Date: Tue, 25 Nov 2025 10:30:05 +0000\r\nMessage-ID: <1@example.org>\r\n\
                       X-Other: not signed\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHi Bob,\r\n\r\nbye\r\n";

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
    let added = message.replacen("From: Ann", "From: eve@example.org\r\nFrom: Ann", 1);
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
    assert!(dns_record(DkimAlgorithm::Rsa, &RSA.public_base64).starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQ"));
    let record = dns_record(DkimAlgorithm::Ed25519, &ED25519.public_base64);
    assert_eq!(record.len(), "v=DKIM1; k=ed25519; p=".len() + 44);
    assert!(!format!("{:?}", *RSA).contains("private"));
    assert!(!format!("{:?}", signer(&RSA)).contains("key"));
}

#[test]
fn a_signer_is_shared_by_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&signer(&ED25519));
}

proptest! {
    #[test]
    fn signing_never_panics(message in prop::collection::vec(any::<u8>(), 0..300)) {
        let parts: Vec<&[u8]> = message.chunks(7).collect();
        prop_assert!(sign(&ED25519, &parts).map_or(true, |header| header.ends_with("\r\n")));
    }
}
