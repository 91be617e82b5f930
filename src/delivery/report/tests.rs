//! Reports as servers write them, and reports that nobody would write.

use proptest::prelude::*;
use sealpost_domain::Personal;
use sealpost_domain::engagement::ComplaintKind;
use sealpost_domain::message::{BounceKind, EnhancedStatus, OutcomeClass};

use super::arf::feedback;
use super::dsn::{Failure, failure};
use super::letter_parts::{Machine, machine_part};

/// A letter with this machine-readable part.
fn letter(report_type: &str, part_type: &str, part: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.test\r\nTo: b+x@bounce.test\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={report_type};\r\n boundary=\"b1\"\r\n\r\nnobody reads this\r\n\
         --b1\r\nContent-Type: text/plain\r\n\r\nIt was not delivered.\r\n\r\n\
         --b1\r\nContent-Type: {part_type}\r\n\r\n{part}\r\n\
         --b1\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <b+x@bounce.test>\r\nSubject: Your order\r\n\r\nHi\r\n--b1--\r\n"
    )
}

/// What Postfix 3.7 writes when its transport refuses a mailbox for good.
const POSTFIX: &str = "Reporting-MTA: dns; mx.postfix.test\r\nX-Postfix-Queue-ID: 1234\r\n\
    X-Postfix-Sender: rfc822; b+x@bounce.test\r\nArrival-Date: Wed, 25 Nov 2026 10:00:00 +0000 (UTC)\r\n\r\n\
    Final-Recipient: rfc822; ann@late.test\r\nOriginal-Recipient: rfc822;ann@late.test\r\nAction: failed\r\n\
    Status: 5.1.1\r\nRemote-MTA: dns; mx.late.test\r\nDiagnostic-Code: smtp; 550-5.1.1 <ann@late.test>:\r\n    550 5.1.1 user unknown\r\n";

fn failed(part: &str) -> Failure {
    failure(part.as_bytes()).unwrap_or_else(|| panic!("{part}"))
}

#[test]
fn a_notification_is_found_in_its_letter_and_read() {
    let letter = letter("delivery-status", "message/delivery-status", POSTFIX);
    let Machine::DeliveryStatus(part) = machine_part(letter.as_bytes()) else {
        panic!("{letter}");
    };
    let failure = failure(&part).unwrap();
    assert_eq!(
        (failure.kind, failure.judged.class),
        (BounceKind::Hard, OutcomeClass::RecipientUnknown)
    );
    assert_eq!(
        (failure.reply.code, failure.reply.enhanced),
        (550, Some(EnhancedStatus(5, 1, 1)))
    );
    let text = "5.1.1 <ann@late.test>: 550 5.1.1 user unknown".to_owned();
    assert_eq!(failure.reply.text, Personal::Known(text));
    assert_eq!(failure.remote_mta.as_deref(), Some("mx.late.test"));
    assert_eq!(failure.reporting_mta.as_deref(), Some("mx.postfix.test"));
}

#[test]
fn only_failed_is_a_bounce() {
    for action in ["delayed", "delivered", "relayed", "expanded", "unheard-of"] {
        let part = POSTFIX.replace("Action: failed", &format!("Action: {action}"));
        assert_eq!(failure(part.as_bytes()), None, "{action}");
    }
    assert!(
        failure(
            POSTFIX
                .replace("Action: failed", "ACTION:\r\n FAILED (for good)")
                .as_bytes()
        )
        .is_some()
    );
    assert_eq!(
        failure(b"Reporting-MTA: dns; mx.test\r\n\r\nAction: failed\r\n"),
        None,
        "in whose words?"
    );
    let second = format!("{}\r\n{POSTFIX}", POSTFIX.replace("failed", "delayed"));
    assert!(failure(second.as_bytes()).is_some());
}

#[test]
fn what_a_status_means_is_what_the_rules_say_of_it() {
    let of = |status: &str, diagnostic: &str| {
        let failure = failed(&format!(
            "Reporting-MTA: dns; mx.test\r\n\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: {diagnostic}\r\n"
        ));
        (failure.kind, failure.judged.class, failure.reply.code)
    };
    use BounceKind::*;
    use OutcomeClass as Class;
    for (status, diagnostic, kind, class, code) in [
        ("5.1.1", "X-Postfix; unknown user", Hard, Class::RecipientUnknown, 550),
        ("5.0.0", "smtp; 550 5.1.1 gone", Hard, Class::RecipientUnknown, 550),
        ("5.2.2 (full)", "smtp; 552 5.2.2 over quota", Soft, Class::Quota, 552),
        ("4.4.7", "smtp; 450 4.2.2 over quota", Expired, Class::Expired, 450),
        (
            "4.2.1",
            "smtp; 450 4.2.1 disabled for now",
            Soft,
            Class::InactiveMailbox,
            450,
        ),
        (
            "5.7.1",
            "smtp; 554 5.7.1 listed at zen.spamhaus.org",
            Blocked,
            Class::Blocked,
            554,
        ),
        (
            "5.1.1",
            "smtp; 550 5.1.1 blocked using our blocklist",
            Blocked,
            Class::Blocked,
            550,
        ),
        ("5.7.1", "smtp; 550 this is spam", Policy, Class::Content, 550),
        ("5.0.0", "unknown", Soft, Class::Other, 550),
        ("rubbish", "smtp; 550 5.1.1 gone", Hard, Class::RecipientUnknown, 550),
        ("5.1.1", "smtp; 250 2.0.0 fine", Hard, Class::RecipientUnknown, 550),
    ] {
        assert_eq!(of(status, diagnostic), (kind, class, code), "{status} {diagnostic}");
    }
}

/// A feedback report as Yahoo writes it.
const COMPLAINT: &str = "Feedback-Type: abuse\r\nUser-Agent: Yahoo!-Mail-Feedback/2.0\r\nVersion: 0.1\r\n\
    Original-Mail-From: <b+x@bounce.test>\r\nOriginal-Rcpt-To: ann@late.test\r\nReported-Domain: example.org\r\n\
    Reporting-MTA: dns; mta.yahoo.test\r\n";

#[test]
fn a_complaint_is_found_in_its_letter_and_read() {
    let letter = letter("feedback-report", "message/feedback-report", COMPLAINT);
    let Machine::Feedback { report, original } = machine_part(letter.as_bytes()) else {
        panic!("{letter}");
    };
    assert!(
        String::from_utf8(original)
            .unwrap()
            .contains("Return-Path: <b+x@bounce.test>")
    );
    let feedback = feedback(&report).unwrap();
    assert_eq!(feedback.kind, ComplaintKind::Abuse);
    assert_eq!(
        feedback.reporter,
        Personal::Known("Yahoo!-Mail-Feedback/2.0".to_owned())
    );
    assert_eq!(feedback.reporting_mta.as_deref(), Some("mta.yahoo.test"));
}

#[test]
fn what_is_no_complaint_is_none() {
    for (kind, read) in [
        ("fraud", Some(ComplaintKind::Fraud)),
        ("virus", Some(ComplaintKind::Virus)),
        ("opt-out", Some(ComplaintKind::Other)),
        ("NOT-SPAM", None),
        ("auth-failure", None),
    ] {
        let part = COMPLAINT.replace("abuse", kind);
        assert_eq!(feedback(part.as_bytes()).map(|feedback| feedback.kind), read, "{kind}");
    }
    assert_eq!(feedback(b"User-Agent: x\r\n"), None);
}

#[test]
fn only_a_report_itself_is_one() {
    let report = letter("delivery-status", "message/delivery-status", POSTFIX);
    // Somebody forwards it: what is attached tells nothing of whoever attached it.
    let forwarded = format!(
        "From: ann@late.test\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\
         \r\n{report}\r\n--out--\r\n"
    );
    let in_mixed = report.replace("multipart/report", "multipart/mixed");
    let answer = "From: ann@late.test\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n".to_owned();
    for other in [forwarded, in_mixed, answer, String::new(), "\r\n".to_owned()] {
        assert_eq!(machine_part(other.as_bytes()), Machine::None, "{other}");
    }
    // One that was cut off behind its machine-readable part is one.
    let cut = report.split("--b1\r\nContent-Type: message/rfc822").next().unwrap();
    assert!(matches!(machine_part(cut.as_bytes()), Machine::DeliveryStatus(_)));
}

/// A report with bytes changed, inserted and left out.
fn damaged(report: String) -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..3);
    prop::collection::vec(damage, 0..30).prop_map(move |damage| {
        let mut bytes = report.clone().into_bytes();
        for (place, byte, how) in damage {
            let at = place.index(bytes.len().max(1));
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_letter_breaks_the_reader(
        dsn in damaged(letter("delivery-status", "message/delivery-status", POSTFIX)),
        arf in damaged(letter("feedback-report", "message/feedback-report", COMPLAINT)),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for letter in [dsn, arf, noise] {
            match machine_part(&letter) {
                Machine::DeliveryStatus(part) => if let Some(failure) = failure(&part) {
                    prop_assert!((400..600).contains(&failure.reply.code));
                    prop_assert!(failure.reply.text.known().unwrap().len() <= 1_024);
                    prop_assert!(failure.remote_mta.is_none_or(|name| name.len() <= 255));
                },
                Machine::Feedback { report, .. } => drop(feedback(&report)),
                Machine::None => {}
            }
        }
    }

    #[test]
    fn no_part_breaks_the_reader(part in "\\PC{0,200}", status in "\\PC{0,20}", words in "\\PC{0,40}") {
        drop(feedback(part.as_bytes()));
        drop(failure(part.as_bytes()));
        let part = format!("Action: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {words}\r\n");
        if let Some(failure) = failure(part.as_bytes()) {
            // A bounce of the mailbox needs a never: `4yz` is none, whatever stands behind it.
            prop_assert!(failure.kind != BounceKind::Hard || failure.reply.code >= 500);
        }
    }
}
