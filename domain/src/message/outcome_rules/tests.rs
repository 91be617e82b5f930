//! The rules on replies as servers write them, and the laws that hold for every reply.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::message::BounceKind;
use crate::message::outcome::{Answered, AttemptOutcome, EnhancedStatus, Reply, classify_reply};
use crate::personal::Personal;

/// A reply as it came over the wire: `550 5.1.1 text`. A status that contradicts the code is in the text alone.
fn reply(line: &str) -> Reply {
    let (code, text) = line.split_once(' ').unwrap();
    let code: u16 = code.parse().unwrap();
    let mut parts = text.split(' ').next().unwrap().split('.').map(str::parse::<u16>);
    let enhanced = match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(class)), Some(Ok(subject)), Some(Ok(detail))) if class == code / 100 => {
            Some(EnhancedStatus(u8::try_from(class).unwrap(), subject, detail))
        }
        _ => None,
    };
    let text = Personal::Known(text.to_owned());
    Reply { code, enhanced, text }
}

fn class_of(line: &str) -> (OutcomeClass, BounceKind) {
    let verdict = judge(&reply(line), Some(Answered::Recipient));
    assert_eq!(verdict.judged.rules, RULES_NOW);
    (verdict.judged.class, verdict.never)
}

/// Class, kind of never, and the reply: Gmail, Microsoft, Yahoo, Postfix, Exim, Exchange, Lotus, qmail.
const REPLIES: &str = "\
recipient_unknown hard 550 5.1.1 The email account that you tried to reach does not exist.
inactive_mailbox hard 550 5.2.1 The email account that you tried to reach is disabled.
quota soft 552 5.2.2 The email account that you tried to reach is over quota.
throttled soft 450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents
throttled soft 421 4.7.28 Our system has detected an unusual rate of unsolicited mail
policy_auth policy 550 5.7.26 This mail has been blocked because the sender is unauthenticated.
content policy 550 5.7.1 [1.2.3.4] Our system has detected that this message is likely unsolicited mail.
blocked blocked 550 5.7.1 Service unavailable, Client host [1.2.3.4] blocked using Spamhaus.
blocked blocked 550 5.7.606 Access denied, banned sending IP [1.2.3.4].
throttled soft 451 4.7.650 The mail server [1.2.3.4] has been temporarily rate limited due to IP reputation.
protocol soft 550 5.5.0 Requested action not taken: mailbox unavailable.
throttled soft 421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred due to unexpected volume
routing soft 554 5.7.1 <ann@x.test>: Relay access denied
greylisted soft 450 4.7.1 <ann@x.test>: Recipient address rejected: Greylisted
greylisted soft 451 4.7.1 Please try again later
greylisted soft 450 Greylisted, come back in five minutes
recipient_unknown soft 550 5.4.1 Recipient address rejected: Access denied. [x.test]
bad_domain hard 550 5.1.10 RESOLVER.ADR.RecipientNotFound
recipient_unknown hard 550 5.1.1 User not listed in Domino Directory
recipient_unknown hard 550 Unrouteable address
recipient_unknown hard 550 sorry, no mailbox here by that name. (#5.1.1)
recipient_unknown hard 550 No such user here
policy_auth policy 550 Sender verify failed
policy_auth policy 550 Administrative prohibition
inactive_mailbox hard 550 Mailbox disabled
blocked blocked 554 5.7.1 You are on our blacklist
tls policy 530 5.7.0 Must issue a STARTTLS command first
tls policy 550 5.7.30 REQUIRETLS support required
policy_auth policy 535 5.7.8 Error: authentication failed
quota soft 452 4.3.1 Insufficient system storage
content soft 552 5.3.4 Message size exceeds fixed limit
routing soft 451 4.4.4 Unable to route
throttled soft 550 5.5.3 Too many recipients
protocol soft 500 5.5.2 Syntax error
inactive_mailbox hard 550 5.1.6 The mailbox has moved
inactive_mailbox hard 550 5.7.13 The account is disabled
other soft 451 Temporary local problem
";

#[test]
fn replies_as_servers_write_them() {
    for line in REPLIES.lines() {
        let mut words = line.splitn(3, ' ');
        let (class, never) = (words.next().unwrap(), words.next().unwrap());
        let judged = class_of(words.next().unwrap());
        let said = (judged.0.as_str(), serde_json::to_value(judged.1).unwrap());
        assert_eq!(said, (class, never.into()), "{line}");
    }
}

#[test]
fn only_statuses_and_words_that_name_the_mailbox_suppress() {
    let mut hard = Vec::new();
    for subject in 0..=9 {
        for detail in 0..=40 {
            let line = format!("550 5.{subject}.{detail} no");
            if class_of(&line).1 == BounceKind::Hard {
                hard.push((subject, detail));
            }
        }
    }
    assert_eq!(hard, [(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1), (7, 13)]);
    // The same statuses beside words on our own reputation, protection or identity.
    for words in [
        "blocked using zen.spamhaus.org",
        "STARTTLS required",
        "failed DMARC",
        "rate limit exceeded",
    ] {
        for (subject, detail) in &hard {
            let line = format!("550 5.{subject}.{detail} {words}");
            assert_ne!(class_of(&line).1, BounceKind::Hard, "{line}");
        }
    }
}

#[test]
fn what_somebody_is_called_says_nothing() {
    let line = "550 5.1.1 <spam.blacklist@spamhaus.test>: user unknown";
    assert_eq!(class_of(line), (OutcomeClass::RecipientUnknown, BounceKind::Hard));
}

#[test]
fn a_status_that_contradicts_its_code_is_flagged_and_the_code_believed() {
    for (line, class, later) in [
        ("550 4.2.2 full", OutcomeClass::Quota, false),
        ("450 5.1.1 gone", OutcomeClass::RecipientUnknown, true),
    ] {
        let said = reply(line);
        let judged = judge(&said, None).judged;
        assert_eq!((judged.class, judged.codes_disagree), (class, true), "{line}");
        let outcome = classify_reply(said, Answered::Recipient);
        assert_eq!(matches!(outcome, AttemptOutcome::Deferred { .. }), later, "{line}");
    }
    assert!(!judge(&reply("550 5.1.1 gone"), None).judged.codes_disagree);
}

#[test]
fn what_is_said_of_the_sender_never_suppresses() {
    for line in ["550 no such user", "550 5.1.1 gone", "553 5.1.3 bad address"] {
        let verdict = judge(&reply(line), Some(Answered::Sender));
        assert_eq!(
            (verdict.judged.class, verdict.never),
            (OutcomeClass::Blocked, BounceKind::Blocked)
        );
    }
}

#[test]
fn the_words_are_those_of_the_log() {
    for class in OutcomeClass::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
    }
}

#[test]
fn every_class_stands_in_the_document() {
    let document = include_str!("../../../../docs/bounces.md");
    for class in OutcomeClass::ALL {
        let row = format!("| `{}` |", class.as_str());
        assert!(document.lines().any(|line| line.starts_with(&row)), "{row}");
    }
}

/// FNV-1a, 64 bits.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn a_table_that_judged_mail_is_never_changed() {
    assert_eq!(rules(0), None);
    assert_eq!(rules(RULES_NOW + 1), None);
    let mut table = String::new();
    for rule in rules(1).unwrap() {
        writeln!(table, "{rule:?}").unwrap();
    }
    assert_eq!(
        fingerprint(&table),
        6_894_851_742_766_551_182,
        "write a new version beside it instead"
    );
}

#[test]
fn texts_of_rules_are_in_the_case_that_they_are_compared_in() {
    for rule in rules(RULES_NOW).unwrap() {
        assert!(rule.texts.iter().all(|text| text.to_lowercase() == **text), "{rule:?}");
    }
}

proptest! {
    #[test]
    fn the_basic_code_alone_decides_between_now_later_and_never(
        code in 200_u16..600,
        subject in 0_u16..10,
        detail in 0_u16..40,
        text in "\\PC{0,40}",
    ) {
        let class = u8::try_from(code / 100).unwrap();
        let said = Reply {
            code,
            enhanced: (subject > 0).then_some(EnhancedStatus(class, subject, detail)),
            text: Personal::Known(text),
        };
        let too_many = (subject, detail) == (5, 3);
        match classify_reply(said, Answered::Recipient) {
            AttemptOutcome::Delivered(_) => prop_assert!(code < 300),
            AttemptOutcome::Bounced { judged, .. } => {
                prop_assert!(code >= 500 && !too_many);
                prop_assert_eq!(judged.rules, RULES_NOW);
            }
            _ => prop_assert!((300..500).contains(&code) || too_many),
        }
    }

    #[test]
    fn a_sealed_text_is_judged_too(code in 400_u16..600) {
        let said = Reply { code, enhanced: None, text: Personal::Erased };
        prop_assert_eq!(judge(&said, None).judged.rules, RULES_NOW);
    }
}
