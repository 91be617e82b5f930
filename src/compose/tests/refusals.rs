//! Provokes every refusal, and tries to smuggle line breaks through every field.

use sealpost_domain::address::AddressRefusal;

use super::*;

/// A draft after a change, and why it is refused.
fn refusal(change: impl FnOnce(&mut Draft)) -> ComposeRefusal {
    let mut draft = draft();
    change(&mut draft);
    match compose(&draft, &stamp()) {
        Err(refusal) => refusal,
        Ok(_) => panic!("composed"),
    }
}

fn header(name: &str, value: &str) -> ComposeRefusal {
    refusal(|draft| draft.headers = vec![(name.to_owned(), value.to_owned())])
}

fn file(media_type: &str, name: &str) -> ComposeRefusal {
    refusal(|draft| {
        draft.attachments = vec![Attachment {
            media_type: media_type.to_owned(),
            name: name.to_owned(),
            content: Vec::new(),
        }];
    })
}

fn image(media_type: &str, name: &str) -> ComposeRefusal {
    refusal(|draft| {
        draft.inline_images = vec![InlineImage {
            media_type: media_type.to_owned(),
            name: name.to_owned(),
            content: Vec::new(),
        }];
    })
}

#[test]
fn a_line_break_or_nul_is_refused_in_every_field() {
    for evil in ["\r\nBcc: x@example.org", "\n", "\r", "\0"] {
        let text = format!("a{evil}b");
        let here = |place| ComposeRefusal::HeaderInjection { place };
        let header_name = |name: &str| Place::Header { name: name.to_owned() };
        let to = |draft: &mut Draft, address| draft.to[0].address = address;
        let cases = [
            (refusal(|d| d.header_from.name = Some(text.clone())), Place::From),
            (refusal(|d| d.header_from.mailbox = text.clone()), Place::From),
            (
                refusal(|d| to(d, address(&text, "b@example.net"))),
                Place::Recipient { index: 0 },
            ),
            (refusal(|d| to(d, address("", &text))), Place::Recipient { index: 0 }),
            (refusal(|d| d.subject = text.clone()), Place::Subject),
            (header(&text, "x"), Place::HeaderName { index: 0 }),
            (header("X-A", &text), header_name("X-A")),
            (header("List-Unsubscribe", &text), header_name("List-Unsubscribe")),
            (header("Reply-To", &text), header_name("Reply-To")),
            (file("text/plain", &text), Place::Attachment { index: 0 }),
            (file(&text, "x"), Place::Attachment { index: 0 }),
            (image("image/png", &text), Place::InlineImage { index: 0 }),
            (image(&text, "x"), Place::InlineImage { index: 0 }),
        ];
        for (refusal, place) in cases {
            assert_eq!(refusal, here(place), "{evil:?}");
        }
    }
}

#[test]
fn a_line_break_within_an_encoded_word_is_refused_too() {
    let place = Place::Header {
        name: "Reply-To".to_owned(),
    };
    let refused = ComposeRefusal::HeaderInjection { place };
    assert_eq!(header("Reply-To", "=?utf-8?Q?a=0D=0ABcc:_x?= <a@example.org>"), refused);
}

#[test]
fn our_own_headers_cannot_be_set() {
    for name in [
        "From",
        "to",
        "CC",
        "bCc",
        "Date",
        "Message-Id",
        "MIME-Version",
        "Content-Type",
        "DKIM-Signature",
        "Received",
        "Return-Path",
        "Sender",
        "Subject",
    ] {
        assert_eq!(
            header(name, "x"),
            ComposeRefusal::HeaderNotAllowed {
                header: name.to_owned()
            }
        );
    }
}

#[test]
fn header_names_values_and_numbers_have_limits() {
    for name in ["", "X Y", "X:", "Ünicode"] {
        assert_eq!(
            header(name, "x"),
            ComposeRefusal::BadHeaderName { index: 0 },
            "{name:?}"
        );
    }
    let named = |name: &str| name.to_owned();
    assert_eq!(
        header("List-Id", "ü"),
        ComposeRefusal::HeaderNotPlain {
            header: named("List-Id")
        }
    );
    assert_eq!(
        header("References", "a\u{1}"),
        ComposeRefusal::HeaderNotPlain {
            header: named("References")
        }
    );
    assert_eq!(
        header("X-A", &"x".repeat(8_193)),
        ComposeRefusal::HeaderTooLong { header: named("X-A") }
    );
    assert_eq!(
        header("List-Help", &"x".repeat(901)),
        ComposeRefusal::HeaderTooLong {
            header: named("List-Help")
        }
    );
    let twice = refusal(|d| {
        d.headers = ["Reply-To", "reply-to"]
            .map(|n| (named(n), named("a@example.org")))
            .to_vec()
    });
    assert_eq!(
        twice,
        ComposeRefusal::HeaderRepeated {
            header: named("reply-to")
        }
    );
    let many = refusal(|d| d.headers = vec![(named("X-A"), named("x")); 101]);
    assert_eq!(many, ComposeRefusal::TooManyHeaders { count: 101, limit: 100 });
}

#[test]
fn addresses_are_checked_wherever_they_stand() {
    let bad = |place, reason| ComposeRefusal::BadMailbox { place, reason };
    let from = refusal(|d| d.header_from.mailbox = "nobody".to_owned());
    assert_eq!(from, bad(Place::From, AddressRefusal::NotLocalAtDomain));
    let to = refusal(|d| d.to.push(recipient(2, "ü@example.org", RecipientKind::Bcc)));
    assert_eq!(to, bad(Place::Recipient { index: 1 }, AddressRefusal::NotAscii));
    for value in ["", "nobody", "a@example.org, nobody", "group: a@example.org;", "<>"] {
        let refused = header("Reply-To", value);
        assert!(
            matches!(refused, ComposeRefusal::BadMailbox { .. }),
            "{value:?}: {refused}"
        );
    }
    let long = refusal(|d| d.header_from.name = Some("x".repeat(257)));
    assert_eq!(
        long,
        ComposeRefusal::NameTooLong {
            place: Place::From,
            limit_bytes: 256
        }
    );
}

#[test]
fn recipients_and_subject_have_limits() {
    assert_eq!(refusal(|d| d.to.clear()), ComposeRefusal::NoRecipient);
    let many = |count| {
        (0..count)
            .map(|n| recipient(n, "a@example.org", RecipientKind::To))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refusal(|d| d.to = many(1_001)),
        ComposeRefusal::TooManyRecipients {
            count: 1_001,
            limit: 1_000
        }
    );
    let visible = refusal(|d| {
        d.to = many(101);
        d.audience = Audience::AllVisible;
    });
    assert_eq!(visible, ComposeRefusal::TooManyRecipients { count: 101, limit: 100 });
    let subject = refusal(|d| d.subject = "x".repeat(999));
    assert_eq!(
        subject,
        ComposeRefusal::SubjectTooLong {
            size_bytes: 999,
            limit_bytes: 998
        }
    );
}

#[test]
fn files_have_types_names_and_a_number() {
    let attachment = || Place::Attachment { index: 0 };
    let picture = || Place::InlineImage { index: 0 };
    assert_eq!(
        file("nonsense", "x"),
        ComposeRefusal::BadAttachmentType { place: attachment() }
    );
    assert_eq!(
        file("multipart/mixed", "x"),
        ComposeRefusal::BadAttachmentType { place: attachment() }
    );
    assert_eq!(
        file("text/plain", &"x".repeat(256)),
        ComposeRefusal::BadAttachmentName { place: attachment() }
    );
    assert_eq!(
        image("text/plain", "x"),
        ComposeRefusal::BadAttachmentType { place: picture() }
    );
    assert_eq!(image("", "x"), ComposeRefusal::BadAttachmentType { place: picture() });
    for name in ["", "a b", "a>b", "ü"] {
        assert_eq!(
            image("image/png", name),
            ComposeRefusal::BadAttachmentName { place: picture() },
            "{name:?}"
        );
    }
    let many = refusal(|d| d.attachments = vec![Attachment::default(); 201]);
    assert_eq!(many, ComposeRefusal::TooManyAttachments { count: 201, limit: 200 });
}

#[test]
fn size_is_checked_before_and_after_encoding() {
    let limit_bytes = 26_214_400;
    let input = refusal(|d| d.text = Some("x".repeat(26_214_401)));
    let size_bytes = 26_214_401;
    assert_eq!(
        input,
        ComposeRefusal::TooLarge {
            size_bytes,
            limit_bytes
        }
    );
    let finished = refusal(|d| {
        d.attachments = vec![Attachment {
            content: vec![0; 20_000_000],
            ..Attachment::default()
        }];
    });
    assert!(
        matches!(finished, ComposeRefusal::TooLarge { size_bytes, .. } if size_bytes > 26_600_000),
        "{finished}"
    );
}

#[test]
fn no_refusal_repeats_what_it_refuses() {
    let refused = refusal(|d| d.header_from.mailbox = "secret person".to_owned());
    assert!(!format!("{refused:?} {refused}").contains("secret"));
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    assert_eq!(show(b""), Err(NotAMessage::NoHeader));
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(show(nested.as_bytes()), Err(NotAMessage::TooManyParts));
    let size_bytes = 52_428_801;
    assert_eq!(
        show(&vec![b'x'; size_bytes]),
        Err(NotAMessage::TooLarge {
            size_bytes: size_bytes as u64
        })
    );
}
