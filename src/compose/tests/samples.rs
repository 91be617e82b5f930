//! Shows single messages byte by byte, and what is read back from them.

use super::*;

fn with_headers(headers: &[(&str, &str)]) -> Draft {
    Draft {
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        ..draft()
    }
}

fn file(media_type: &str, name: &str, content: &[u8]) -> Attachment {
    Attachment {
        media_type: media_type.to_owned(),
        name: name.to_owned(),
        content: content.to_vec(),
    }
}

#[test]
fn a_plain_text_is_a_head_and_a_body() {
    let call = composed(&draft());
    let head = call.heads.first().unwrap();
    assert_eq!(
        head.message_id,
        "<00000000-0000-0000-0000-000000000001@mail.example.org>"
    );
    assert_eq!(
        String::from_utf8(head.head.clone()).unwrap(),
        "Date: Tue, 25 Nov 2025 10:30:05 +0000\r\nFrom: \"Ann\" <ann@example.org>\r\nTo: <bob@example.net>\r\n\
         Message-ID: <00000000-0000-0000-0000-000000000001@mail.example.org>\r\nSubject: Hello\r\n"
    );
    assert_eq!(
        String::from_utf8(call.shared_body.clone()).unwrap(),
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\nHi Bob\r\n"
    );
}

#[test]
fn equal_input_gives_equal_bytes_and_another_seed_other_boundaries() {
    let draft = Draft {
        html: Some("<p>Hi</p>".to_owned()),
        ..draft()
    };
    assert_eq!(messages(&draft), messages(&draft));
    let other = Stamp {
        boundary_seed: Uuid::from_u128(0xb1),
        ..stamp()
    };
    assert_ne!(
        compose(&draft, &other).unwrap().shared_body,
        composed(&draft).shared_body
    );
}

#[test]
fn all_kinds_of_parts_nest_and_are_read_back() {
    let draft = Draft {
        html: Some("<p>Grüße <img src=\"cid:logo\"></p>".to_owned()),
        inline_images: vec![InlineImage {
            media_type: "image/png".to_owned(),
            name: "logo".to_owned(),
            content: vec![0, 1, 2, 255],
        }],
        attachments: vec![
            file("text/csv; charset=iso-8859-1", "Zahlen für März.csv", b"a;\xe4\n"),
            file("", "", b""),
            file("message/rfc822", "old.eml", b"From: x\n\nbody"),
        ],
        ..draft()
    };
    let raw = first(&draft);
    let order = [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ];
    let places: Vec<usize> = order.iter().map(|kind| raw.find(kind).unwrap()).collect();
    assert!(places.is_sorted(), "{raw}");
    assert!(!raw.contains("message/rfc822"), "{raw}");

    let shown = shown(&draft);
    assert_eq!(shown.text.as_deref(), Some("Hi Bob\r\n"));
    assert_eq!(shown.html.as_deref(), Some("<p>Grüße <img src=\"cid:logo\"></p>\r\n"));
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
            ("logo", "image/png", Some("logo"), &[0, 1, 2, 255][..]),
            ("Zahlen für März.csv", "text/csv", None, b"a;\xe4\n"),
            ("", "application/octet-stream", None, b""),
            ("old.eml", "application/octet-stream", None, b"From: x\n\nbody"),
        ]
    );
}

#[test]
fn without_html_images_go_as_files() {
    let draft = Draft {
        inline_images: vec![InlineImage {
            media_type: "image/gif".to_owned(),
            name: "dot@x".to_owned(),
            content: vec![9],
        }],
        ..draft()
    };
    assert!(!first(&draft).contains("multipart/related"));
    assert_eq!(shown(&draft).attachments.first().unwrap().content, [9]);
}

#[test]
fn html_alone_stays_alone_unless_a_text_is_asked_for() {
    let html = Draft {
        text: None,
        html: Some("<p>Hi &amp; bye</p>".to_owned()),
        ..draft()
    };
    assert_eq!(
        (shown(&html).text, shown(&html).html.as_deref()),
        (None, Some("<p>Hi &amp; bye</p>\r\n"))
    );
    let both = Draft {
        alternatives: Alternatives::AddText,
        ..html.clone()
    };
    assert_eq!(shown(&both).text.as_deref(), Some("Hi & bye\r\n"));
    let not_this = Draft {
        alternatives: Alternatives::AddHtml,
        ..html
    };
    assert_eq!(shown(&not_this).text, None);
}

#[test]
fn an_html_is_made_from_the_text_where_asked() {
    let both = Draft {
        text: Some("a<b".to_owned()),
        html: Some(String::new()),
        alternatives: Alternatives::AddEither,
        ..draft()
    };
    assert!(shown(&both).html.unwrap().contains("a&lt;b"));
}

#[test]
fn no_body_at_all_is_an_empty_text() {
    let draft = Draft { text: None, ..draft() };
    assert!(first(&draft).ends_with("7bit\r\n\r\n\r\n"), "{}", first(&draft));
}

#[test]
fn lines_of_white_space_at_the_end_are_gone() {
    let draft = Draft {
        text: Some("hi\r\n \t\r\n".to_owned()),
        ..draft()
    };
    assert!(first(&draft).ends_with("\r\n\r\nhi\r\n"), "{}", first(&draft));
}

#[test]
fn control_characters_do_not_stand_in_a_line() {
    for text in ["bell \u{7}", "nul \0", "form feed \u{c} here", "delete \u{7f}"] {
        let draft = Draft {
            text: Some(text.to_owned()),
            ..draft()
        };
        assert!(
            first(&draft)
                .bytes()
                .all(|b| b"\r\n".contains(&b) || !b.is_ascii_control()),
            "{text:?}"
        );
        assert_eq!(shown(&draft).text, Some(format!("{text}\r\n")));
    }
}

#[test]
fn own_copies_show_their_own_recipient_alone() {
    let mut draft = draft();
    draft.to = vec![
        recipient(1, "to@example.net", RecipientKind::To),
        recipient(2, "cc@example.net", RecipientKind::Cc),
        recipient(3, "bcc@example.net", RecipientKind::Bcc),
    ];
    for (n, raw) in messages(&draft).into_iter().enumerate() {
        let raw = String::from_utf8(raw).unwrap();
        for (m, own) in ["<to@example.net>", "<cc@example.net>", "<bcc@example.net>"]
            .iter()
            .enumerate()
        {
            assert_eq!(raw.contains(&format!("To: {own}")), n == m, "{raw}");
            assert_eq!(raw.contains(own), n == m, "{raw}");
        }
        assert!(raw.contains(&format!(
            "<00000000-0000-0000-0000-00000000000{}@mail.example.org>",
            n + 1
        )));
    }
}

#[test]
fn a_visible_audience_sees_to_and_cc_and_no_bcc() {
    let mut draft = draft();
    draft.audience = Audience::AllVisible;
    draft.to = vec![
        recipient(1, "to@example.net", RecipientKind::To),
        recipient(2, "hidden@example.net", RecipientKind::Bcc),
        recipient(3, "cc@example.net", RecipientKind::Cc),
        recipient(4, "to2@example.net", RecipientKind::To),
    ];
    let all = messages(&draft);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|raw| raw == &all[0]), "one message for all");
    let raw = String::from_utf8(all[0].clone()).unwrap();
    assert!(
        raw.contains("\r\nTo: <to@example.net>, <to2@example.net>\r\nCc: <cc@example.net>\r\n"),
        "{raw}"
    );
    assert!(!raw.contains("hidden"), "{raw}");
}

#[test]
fn hidden_recipients_alone_leave_an_empty_group() {
    let mut draft = draft();
    draft.audience = Audience::AllVisible;
    draft.to = vec![recipient(1, "hidden@example.net", RecipientKind::Bcc)];
    assert!(first(&draft).contains("\r\nTo: undisclosed-recipients:;\r\n"));
    assert_eq!(shown(&draft).to, []);
}

#[test]
fn custom_headers_keep_their_text() {
    let long = format!("<https://example.org/{}>, <mailto:u@example.org>", "x".repeat(200));
    let draft = with_headers(&[
        ("Reply-To", "Jürgen <j@example.org>, support@example.org"),
        ("List-Unsubscribe", &long),
        ("X-Campaign", "Frühling"),
        (
            "X-Json",
            "{\"a\": \"b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j\"}",
        ),
        ("X-Empty", ""),
    ]);
    let raw = first(&draft);
    assert!(
        raw.contains("<support@example.org>\r\n") && raw.contains("=?utf-8?"),
        "{raw}"
    );
    assert!(
        raw.contains("x>,\r\n <mailto:u@example.org>\r\n"),
        "folded at white space only: {raw}"
    );
    let headers = shown(&draft).headers;
    let value = |name: &str| &headers.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(value("List-Unsubscribe"), &long);
    assert_eq!(value("X-Campaign"), "Frühling");
    assert!(value("X-Json").starts_with("{\"a\": \"b c") && value("X-Json").ends_with("i j\"}"));
    assert!(value("Reply-To").contains("Jürgen"));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).take(6).collect();
    assert_eq!(names, ["Date", "From", "To", "Message-ID", "Subject", "Reply-To"]);
}

#[test]
fn what_is_shown_names_sender_recipients_and_subject() {
    let mut draft = draft();
    draft.header_from = address("Änne \"A\" (x), Müller", "ann@example.org");
    draft.subject = "Grüße 🎉 aus der Ferne".to_owned();
    let shown = shown(&draft);
    assert_eq!(shown.header_from.name.as_deref(), Some("Änne \"A\" (x), Müller"));
    assert_eq!(shown.header_from.mailbox, "ann@example.org");
    assert_eq!(shown.subject, "Grüße 🎉 aus der Ferne");
    assert_eq!(shown.to.first().unwrap().mailbox, "bob@example.net");
}

#[test]
fn debug_shows_no_address_and_no_text() {
    let text = format!("{:?}", draft());
    assert!(
        !text.contains("ann") && !text.contains("Hello") && !text.contains("Hi Bob"),
        "{text}"
    );
}
