//! Holds for any draft: short CRLF lines of ASCII, nobody hidden is shown, and what goes in is read back.

use proptest::prelude::*;

use super::*;
use crate::compose::body::normal_text;

/// Text of any kind that may stand in a header: no line break, no NUL.
fn header_text(chars_max: usize) -> impl Strategy<Value = String> {
    let one = prop_oneof![
        8 => any::<char>(),
        4 => prop::char::range(' ', '~'),
        1 => Just(' '),
        1 => prop::char::range('\u{a0}', '\u{ff}'),
    ];
    prop::collection::vec(
        one.prop_filter("no line break", |c| !"\r\n\0".contains(*c)),
        0..chars_max,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn body_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just(" \t".to_owned()),
        Just("=".to_owned()),
        Just(".\r\n".to_owned()),
        Just("From here".to_owned()),
        Just("long".repeat(400)),
        Just("\0".to_owned()),
        Just("\u{1}".to_owned()),
        Just("\u{7f}".to_owned()),
        Just("--=_000000000000000000000000000000b0_9".to_owned()),
        "\\PC{0,20}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    fn any_attachment()(
        media_type in prop::sample::select(vec!["", "text/plain", "text/html", "image/png", "message/rfc822", "application/pdf"]),
        name in header_text(60),
        content in prop::collection::vec(any::<u8>(), 0..300),
    ) -> Attachment {
        let name: String = name.chars().scan(0, |len, c| { *len += c.len_utf8(); (*len <= 255).then_some(c) }).collect();
        Attachment { media_type: media_type.to_owned(), name, content }
    }
}

prop_compose! {
    fn any_draft()(
        name in header_text(60),
        subject in header_text(200),
        text in prop::option::of(body_text()),
        html in prop::option::of(body_text()),
        header in header_text(300),
        attachments in prop::collection::vec(any_attachment(), 0..3),
        images in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..2),
        audience in prop::sample::select(vec![Audience::OwnCopies, Audience::AllVisible]),
        alternatives in prop::sample::select(vec![Alternatives::AsGiven, Alternatives::AddEither]),
    ) -> Draft {
        let cut = |text: String, bytes: usize| -> String {
            text.chars().scan(0, |len, c| { *len += c.len_utf8(); (*len <= bytes).then_some(c) }).collect()
        };
        let name = cut(name, 256);
        let mut to = vec![
            recipient(1, "bob@example.net", RecipientKind::To),
            recipient(2, "hidden-recipient@example.net", RecipientKind::Bcc),
            recipient(3, "carol@example.net", RecipientKind::Cc),
        ];
        to[0].address.name = Some(name.clone());
        Draft {
            header_from: address(&name, "ann@example.org"),
            to,
            subject: cut(subject, 998),
            text,
            html,
            alternatives,
            headers: vec![("X-Any".to_owned(), header)],
            attachments,
            inline_images: images.into_iter().enumerate().map(|(n, content)| InlineImage {
                media_type: "image/png".to_owned(),
                name: format!("image{n}"),
                content,
            }).collect(),
            audience,
            merge: None,
        }
    }
}

/// What breaks the form of a message on the wire.
fn bad_line(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    if !text.ends_with("\r\n") {
        return Some("no CRLF at the end".to_owned());
    }
    let fit = |c: char| c.is_ascii_graphic() || c == ' ' || c == '\t';
    let bad = |line: &&str| line.len() > 998 || !line.chars().all(fit);
    text.split("\r\n").find(bad).map(str::to_owned)
}

/// White space as a reader of a header sees it.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn every_message_is_fit_for_the_wire(draft in any_draft()) {
        for raw in messages(&draft) {
            prop_assert!(raw.is_ascii());
            prop_assert_eq!(bad_line(&raw), None);
            let end = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            let body = &raw[end + 4..];
            let last = body.strip_suffix(b"\r\n").unwrap();
            prop_assert!(last.is_empty() || !last.ends_with(b"\n") && !last.ends_with(b" ") && !last.ends_with(b"\t"));
        }
    }

    #[test]
    fn nobody_hidden_is_shown_to_others(draft in any_draft()) {
        let call = composed(&draft);
        for (recipient, head) in draft.to.iter().zip(&call.heads) {
            let head = String::from_utf8(head.head.clone()).unwrap();
            prop_assert!(!head.to_ascii_lowercase().contains("\nbcc:"));
            let own = draft.audience == Audience::OwnCopies && recipient.kind == RecipientKind::Bcc;
            prop_assert_eq!(head.contains("hidden-recipient"), own);
        }
        prop_assert!(!String::from_utf8(call.shared_body).unwrap().contains("hidden-recipient"));
    }

    #[test]
    fn what_goes_in_is_read_back(draft in any_draft()) {
        let shown = shown(&draft);
        prop_assert_eq!(squeezed(&shown.subject), squeezed(&draft.subject));
        let name = draft.header_from.name.as_deref().unwrap_or_default();
        prop_assert_eq!(squeezed(shown.header_from.name.as_deref().unwrap_or_default()), squeezed(name));
        for (given, read) in [(&draft.text, &shown.text), (&draft.html, &shown.html)] {
            if let Some(given) = given.as_deref().filter(|text| !text.is_empty()) {
                prop_assert_eq!(read, &Some(normal_text(given)));
            }
        }
        let files = draft.attachments.iter().map(|file| &file.content);
        let images = draft.inline_images.iter().map(|image| &image.content);
        let sent: Vec<_> = images.chain(files).collect();
        let got: Vec<_> = shown.attachments.iter().map(|file| &file.content).collect();
        prop_assert_eq!(got, sent);
        let names: Vec<_> = shown.attachments.iter().filter(|f| f.content_id.is_none()).map(|f| squeezed(&f.name)).collect();
        let given: Vec<_> = draft.attachments.iter().map(|file| squeezed(&file.name)).collect();
        prop_assert_eq!(names, given);
    }

    #[test]
    fn a_plain_alternative_can_be_made_from_anything(html in ".{0,200}") {
        let draft = Draft { text: None, html: Some(html), alternatives: Alternatives::AddText, ..draft() };
        prop_assert_eq!(bad_line(first(&draft).as_bytes()), None);
    }

    #[test]
    fn showing_never_panics(raw in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(show(&raw).map_or(true, |shown| shown.attachments.len() < 400));
    }
}
