//! Takes in messages as real programs write them, good and bad ones.

use chrono::DateTime;
use proptest::prelude::*;
use sealpost_domain::address::{AddressRefusal, DomainName};
use uuid::Uuid;

use super::*;
use crate::compose::{Address, Audience, Recipient, RecipientKind, ShownMessage, Stamp, show};

fn stamp() -> Stamp {
    Stamp {
        date: DateTime::from_timestamp(1_764_066_605, 0).unwrap(),
        message_id_domain: DomainName::parse("mail.example.org").unwrap(),
        boundary_seed: Uuid::from_u128(0xb0),
    }
}

fn recipients() -> Vec<Recipient> {
    let one = |n, mailbox: &str| Recipient {
        id: Uuid::from_u128(n),
        address: Address {
            name: None,
            mailbox: mailbox.to_owned(),
        },
        kind: RecipientKind::To,
        copy_of: None,
    };
    vec![one(1, "bob@example.net"), one(2, "hidden@example.net")]
}

fn adopted(raw: impl AsRef<[u8]>) -> AdoptedMessage {
    adopt(raw.as_ref(), &recipients(), Audience::AllVisible, &stamp()).unwrap()
}

fn refused(raw: impl AsRef<[u8]>) -> AdoptRefusal {
    match adopt(raw.as_ref(), &recipients(), Audience::AllVisible, &stamp()) {
        Err(refusal) => refusal,
        Ok(_) => panic!("adopted"),
    }
}

fn first(message: &AdoptedMessage) -> Vec<u8> {
    [message.call.heads[0].head.as_slice(), &message.call.shared_body].concat()
}

fn text(message: &AdoptedMessage) -> String {
    String::from_utf8(first(message)).unwrap()
}

fn shown(raw: impl AsRef<[u8]>) -> ShownMessage {
    let message = adopted(raw);
    assert_eq!(unfit(&first(&message)), None);
    show(&first(&message)).unwrap()
}

/// What every message on the wire must not have.
fn unfit(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw).into_owned();
    let bad = |line: &&str| line.len() > 998 || line.contains(['\r', '\n', '\0']) || !line.is_ascii();
    if !text.ends_with("\r\n") {
        return Some("no end".to_owned());
    }
    text.split("\r\n").find(bad).map(str::to_owned)
}

const WHOLE: &str = "Received: from a by b\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: Ann <ann@example.org>\r\n\
                     To: Bob <bob@example.net>,\r\n\tc@example.net\r\nSubject: Hi\r\nMessage-ID: <own@example.org>\r\n\
                     MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=us-ascii\r\nX-Own: 1\r\n\r\nHello \r\n \t\r\n";

#[test]
fn what_is_fit_keeps_its_bytes() {
    let message = adopted(WHOLE);
    assert_eq!(
        text(&message),
        "Received: from a by b\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nFrom: Ann <ann@example.org>\r\n\
         To: Bob <bob@example.net>,\r\n\tc@example.net\r\nSubject: Hi\r\nX-Own: 1\r\n\
         Message-ID: <own@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=us-ascii\r\n\
         \r\nHello \r\n \t\r\n"
    );
    assert_eq!(message.call.heads[0], message.call.heads[1]);
    assert_eq!(message.call.heads[0].message_id, "<own@example.org>");
    assert_eq!(message.header_from.mailbox, "ann@example.org");
    assert_eq!(message.subject, "Hi");
}

#[test]
fn what_is_missing_is_added() {
    let message = adopted("From: ann@example.org\n\nHello");
    let id = "<00000000-0000-0000-0000-000000000001@mail.example.org>";
    assert_eq!(
        text(&message),
        format!(
            "Date: Tue, 25 Nov 2025 10:30:05 +0000\r\nFrom: ann@example.org\r\nTo: undisclosed-recipients:;\r\n\
             Message-ID: {id}\r\nMIME-Version: 1.0\r\n\r\nHello\r\n"
        )
    );
    assert_ne!(message.call.heads[0].message_id, message.call.heads[1].message_id);
}

#[test]
fn what_must_not_leave_is_taken_out() {
    let message = adopted(
        "From: ann@example.org\r\nbcc: hidden@example.net\r\nReturn-Path: <x@example.org>\r\n\
         X-MC-Tags: a,\r\n b\r\nx-mc-track: opens\r\nTo: bob@example.net\r\n\r\nHello\r\n",
    );
    let text = text(&message).to_ascii_lowercase();
    for gone in ["hidden", "return-path", "x-mc", "opens"] {
        assert!(!text.contains(gone), "{text}");
    }
    let commands: Vec<_> = message.commands.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(commands, [("X-MC-Tags", "a, b"), ("x-mc-track", "opens")]);
    let named: Vec<_> = message.named.iter().map(|one| one.mailbox.as_str()).collect();
    assert_eq!(named, ["bob@example.net", "hidden@example.net"]);
}

#[test]
fn an_encoded_command_is_decoded() {
    let message = adopted("From: a@example.org\r\nX-Mc-Metadata: =?UTF-8?Q?=7B=22order=22=3A12=7D?=\r\n\r\nHi\r\n");
    assert_eq!(
        message.commands,
        [("X-Mc-Metadata".to_owned(), "{\"order\":12}".to_owned())]
    );
}

#[test]
fn own_copies_name_their_own_recipient_alone() {
    let call = adopt(WHOLE.as_bytes(), &recipients(), Audience::OwnCopies, &stamp())
        .unwrap()
        .call;
    let heads: Vec<_> = call
        .heads
        .iter()
        .map(|head| String::from_utf8(head.head.clone()).unwrap())
        .collect();
    assert!(
        heads[0].contains("\r\nTo: \"Bob\" <bob@example.net>\r\n"),
        "{}",
        heads[0]
    );
    assert!(heads[1].contains("\r\nTo: <hidden@example.net>\r\n"), "{}", heads[1]);
    assert!(!heads[1].contains("bob@") && !heads[0].contains("c@example.net"));
}

#[test]
fn eight_bit_fields_are_encoded() {
    let shown =
        shown("From: Jürgen <j@example.org>\r\nTo: Änne <bob@example.net>\r\nSubject: Grüße\r\nX-Any: ß\r\n\r\nHi\r\n");
    assert_eq!(shown.header_from.name.as_deref(), Some("Jürgen"));
    assert_eq!(shown.to[0].name.as_deref(), Some("Änne"));
    assert_eq!(shown.subject, "Grüße");
    assert!(shown.headers.contains(&("X-Any".to_owned(), "ß".to_owned())));
}

#[test]
fn an_eight_bit_text_is_encoded_and_keeps_its_charset() {
    let mut raw = b"From: a@example.org\r\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\r\n\
                    Content-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n"
        .to_vec();
    assert_eq!(shown(&raw).text.as_deref(), Some("Grüße\r\n"));
    assert!(text(&adopted(&raw)).contains("format=\"flowed\""));
    raw = "From: a@example.org\r\n\r\nGrüße\r\n".as_bytes().to_vec();
    assert_eq!(shown(&raw).text.as_deref(), Some("Grüße\r\n"));
    raw = "From: a@example.org\r\nContent-Type: text/html\r\n\r\nGrüße\r\n"
        .as_bytes()
        .to_vec();
    assert_eq!(shown(&raw).html.as_deref(), Some("Grüße\r\n"));
}

#[test]
fn long_lines_are_encoded() {
    let long = "x".repeat(1_200);
    let raw = format!("From: a@example.org\r\nX-Long: {long}\r\nSubject: {long}\r\n\r\n{long}\r\n");
    let shown = shown(&raw);
    assert_eq!(shown.text, Some(format!("{long}\r\n")));
    assert_eq!(shown.subject, long);
}

#[test]
fn the_parts_of_an_eight_bit_multipart_are_encoded_one_by_one() {
    let raw = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\
               Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nGrüße\r\n--c\r\n\
               Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=C3=BC=C3=9Fe</p>\r\n\
               --c--\r\n--b\r\nContent-Type: image/png; name=\"ü.png\"\r\nContent-ID: <i@x>\r\n\
               Content-Disposition: attachment; filename=\"ü.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b\r\n\
               Content-Type: message/rfc822\r\n\r\nSubject: ß\r\n\r\ninner\r\n--b--\r\n";
    let shown = shown(raw);
    assert_eq!(shown.text.as_deref(), Some("Grüße"));
    assert_eq!(shown.html.as_deref(), Some("<p>Grüße</p>"));
    let files: Vec<_> = shown
        .attachments
        .iter()
        .map(|f| {
            (
                f.name.as_str(),
                f.media_type.as_str(),
                f.content_id.as_deref(),
                f.content.as_slice(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            ("ü.png", "image/png", Some("i@x"), &[0, 1, 2][..]),
            (
                "",
                "application/octet-stream",
                None,
                "Subject: ß\r\n\r\ninner".as_bytes()
            ),
        ]
    );
}

#[test]
fn a_fold_of_white_space_alone_does_not_survive() {
    let message = adopted("From: a@example.org\r\nSubject: a\r\n \t\r\n b\r\n\r\nHi\r\n");
    assert!(text(&message).contains("\r\nSubject: a \t b\r\n"), "{}", text(&message));
}

#[test]
fn what_is_no_message_is_refused() {
    let with = |field: &str| format!("From: a@example.org\r\n{field}\r\n\r\nHi\r\n");
    assert_eq!(refused("Hi\r\n\r\nHi\r\n"), AdoptRefusal::BadHeaderLine { line: 1 });
    assert_eq!(
        refused(with("X: 1\r\n 2\r\nno header")),
        AdoptRefusal::BadHeaderLine { line: 4 }
    );
    assert_eq!(refused(with("X Y: 1")), AdoptRefusal::BadHeaderLine { line: 2 });
    assert_eq!(refused(""), AdoptRefusal::NoFrom);
    assert_eq!(refused("\r\nFrom: a@example.org\r\n"), AdoptRefusal::NoFrom);
    assert_eq!(refused("To: a@example.org\r\n\r\nHi"), AdoptRefusal::NoFrom);
    assert_eq!(refused(with("X: \0")), AdoptRefusal::HoldsNul);
    let reason = AddressRefusal::NotLocalAtDomain;
    for from in ["nobody", "", "a@example.org, nobody"] {
        assert_eq!(
            refused(format!("From: {from}\r\n\r\n")),
            AdoptRefusal::BadFrom { reason },
            "{from:?}"
        );
    }
    for name in ["from", "To", "Subject", "Content-Type"] {
        let twice = format!("{}: b@example.org\r\n{}: b@example.org", name, name.to_uppercase());
        assert!(
            matches!(refused(with(&twice)), AdoptRefusal::HeaderRepeated { .. }),
            "{name}"
        );
    }
    let several = "From: a@example.org, b@example.net\r\n\r\nHi\r\n";
    assert_eq!(refused(several), AdoptRefusal::SeveralFromDomains);
    assert_eq!(
        adopted(several.replace("net", "ORG")).header_from.mailbox,
        "a@example.org"
    );
    let nobody = adopt(WHOLE.as_bytes(), &[], Audience::AllVisible, &stamp());
    assert_eq!(nobody.err(), Some(AdoptRefusal::NoRecipient));
}

#[test]
fn what_cannot_be_made_fit_is_refused() {
    let with = |field: &str| format!("From: a@example.org\r\n{field}\r\n\r\nHi\r\n");
    let not_plain = |name: &str| AdoptRefusal::HeaderNotPlain {
        header: name.to_owned(),
    };
    assert_eq!(refused(with("References: <ü>")), not_plain("References"));
    assert_eq!(refused(with("Message-ID: <ü>")), not_plain("Message-ID"));
    assert_eq!(refused(with("To: ü@example.org")), not_plain("To"));
    let long = format!("List-Id: {}", "x".repeat(1_000));
    assert_eq!(
        refused(with(&long)),
        AdoptRefusal::HeaderTooLong {
            header: "List-Id".to_owned()
        }
    );
    let hops = "Received: x\r\n".repeat(101);
    assert_eq!(
        refused(with(hops.trim_end())),
        AdoptRefusal::TooManyHops { count: 101, limit: 100 }
    );
    let signed = "From: a@example.org\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nü\r\n--b--\r\n";
    assert_eq!(refused(signed), AdoptRefusal::NotSevenBit);
    assert_eq!(adopted(signed.replace('ü', "u")).call.heads.len(), 2);
}

#[test]
fn floods_of_parts_and_bytes_are_refused() {
    let nested = format!(
        "From: a@example.org\r\n{}ü",
        "Content-Type: message/rfc822\r\n\r\n".repeat(2_000)
    );
    assert_eq!(refused(nested), AdoptRefusal::TooManyParts);
    let mut deep = String::from("From: a@example.org\r\n");
    for n in 0..40 {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    }
    assert_eq!(refused(deep + "\r\nü\r\n"), AdoptRefusal::NotSevenBit);
    let large = vec![b'x'; 26_214_401];
    assert!(matches!(
        refused(large),
        AdoptRefusal::TooLarge {
            size_bytes: 26_214_401,
            ..
        }
    ));
    let grows = [
        b"From: a@example.org\r\n\r\n\xc3\xbc".as_slice(),
        &vec![b'x'; 25_000_000],
    ]
    .concat();
    assert!(matches!(refused(grows), AdoptRefusal::TooLarge { size_bytes, .. } if size_bytes > 33_000_000));
}

#[test]
fn nesting_up_to_the_limit_fits_a_small_stack() {
    let raw = format!(
        "From: a@example.org\r\n{}Hi",
        "Content-Type: message/rfc822\r\n\r\n".repeat(1_000)
    );
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let parts = small
        .spawn(move || show(raw.as_bytes()).map(|shown| shown.attachments.len()))
        .unwrap();
    assert_eq!(parts.join().unwrap(), Ok(1));
}

/// Pieces from which messages are made that are nearly right.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "From: a@example.org\r\n",
        "To: b@example.org, c@example.org\r\n",
        "Subject: ü\r\n",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "--b\r\n",
        "--b--\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: 8bit\r\n",
        "Content-Disposition: attachment; filename=\"ü\"\r\n",
        "=?utf-8?Q?=0D=0A?=",
        "Bcc: hidden@example.net\r\n",
        "\u{fc}",
        "X:",
        "=\r\n",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => "\\PC{0,20}", 1 => Just("long".repeat(300))]
}

proptest! {
    #[test]
    fn whatever_is_adopted_is_fit(pieces in prop::collection::vec(piece(), 0..25), start in any::<bool>()) {
        let start = if start { "From: a@example.org\r\n" } else { "" };
        let raw = format!("{start}{}", pieces.concat());
        for audience in [Audience::OwnCopies, Audience::AllVisible] {
            if let Ok(message) = adopt(raw.as_bytes(), &recipients(), audience, &stamp()) {
                let out = first(&message);
                prop_assert_eq!(unfit(&out), None);
                let again = adopt(&out, &recipients(), Audience::AllVisible, &stamp());
                prop_assert_eq!(again.map(|again| first(&again)), Ok(out), "adopting twice changes nothing");
            }
        }
    }

    #[test]
    fn adopting_never_panics(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        let raw = [b"From: a@example.org\r\n".as_slice(), &raw].concat();
        if let Ok(message) = adopt(&raw, &recipients(), Audience::AllVisible, &stamp()) {
            prop_assert_eq!(unfit(&first(&message)), None);
        }
    }
}
