//! Messages with variables in them: one body for each text that comes out, and headers that stay on their line.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::compose::{Merge, MergeLanguage};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

/// A draft to three, of whom Bob has variables of his own.
fn merged(language: MergeLanguage) -> Draft {
    let mark = |name: &str| match language {
        MergeLanguage::Mailchimp => format!("*|{name}|*"),
        MergeLanguage::Handlebars => format!("{{{{{name}}}}}"),
    };
    Draft {
        to: vec![
            recipient(1, "ann@example.net", RecipientKind::To),
            recipient(2, "Bob@example.net", RecipientKind::To),
            recipient(3, "carl@example.net", RecipientKind::Cc),
        ],
        header_from: address(&format!("Shop of {}", mark("CITY")), "shop@example.org"),
        subject: format!("Hello {}", mark("NAME")),
        text: Some(format!("Dear {}", mark("NAME"))),
        html: Some(format!("<p>Dear {}</p>", mark("NAME"))),
        headers: vec![("X-Note".to_owned(), mark("NAME"))],
        merge: Some(Merge {
            language,
            global: object(json!({ "NAME": "friend", "CITY": "Ulm" })),
            own: [("bob@example.net".to_owned(), object(json!({ "name": "B & B" })))].into(),
        }),
        ..draft()
    }
}

/// Each message of a call whole, by its own body.
fn whole(call: &ComposedCall) -> Vec<String> {
    let body = |head: &ComposedHead| match head.body.checked_sub(1) {
        None => &call.shared_body,
        Some(more) => &call.more_bodies[more],
    };
    let join = |head: &ComposedHead| String::from_utf8([head.head.as_slice(), body(head)].concat()).unwrap();
    call.heads.iter().map(join).collect()
}

#[test]
fn each_recipient_s_own_variables_go_first_and_equal_texts_are_one_body() {
    for (language, html) in [
        (MergeLanguage::Mailchimp, "<p>Dear B & B</p>"),
        (MergeLanguage::Handlebars, "<p>Dear B &amp; B</p>"),
    ] {
        let call = composed(&merged(language));
        assert_eq!(call.more_bodies.len(), 1, "two texts, two bodies");
        assert_eq!(call.heads.iter().map(|head| head.body).collect::<Vec<_>>(), [0, 1, 0]);
        let subjects: Vec<_> = call.heads.iter().map(|head| head.subject.as_deref().unwrap()).collect();
        assert_eq!(subjects, ["Hello friend", "Hello B & B", "Hello friend"]);
        let messages = whole(&call);
        let ann = show(messages[0].as_bytes()).unwrap();
        assert_eq!(ann.text.as_deref().map(str::trim_end), Some("Dear friend"));
        assert_eq!(ann.header_from.name.as_deref(), Some("Shop of Ulm"));
        let bob = show(messages[1].as_bytes()).unwrap();
        assert_eq!(
            bob.text.as_deref().map(str::trim_end),
            Some("Dear B & B"),
            "plain text is not escaped"
        );
        assert_eq!(bob.html.as_deref().map(str::trim_end), Some(html));
        assert!(
            !messages[0].contains("B & B") && !messages[2].contains("B & B"),
            "nobody sees another's"
        );
        let note = if language == MergeLanguage::Mailchimp {
            "*|NAME|*"
        } else {
            "{{NAME}}"
        };
        assert!(
            messages[0].contains(&format!("X-Note: {note}\r\n")),
            "other headers stay: {}",
            messages[0]
        );
    }
}

#[test]
fn without_variables_tags_stay_as_they_are() {
    let plain = Draft {
        merge: None,
        ..merged(MergeLanguage::Mailchimp)
    };
    let call = composed(&plain);
    assert!(call.more_bodies.is_empty() && call.heads.iter().all(|head| head.subject.is_none()));
    assert!(whole(&call)[0].contains("Dear *|NAME|*"));
}

#[test]
fn what_cannot_be_merged_is_refused_with_its_place() {
    let refusal = |change: &dyn Fn(&mut Draft)| {
        let mut draft = merged(MergeLanguage::Handlebars);
        change(&mut draft);
        compose(&draft, &stamp()).expect_err("a refusal")
    };
    let place = |refusal| match refusal {
        ComposeRefusal::BadTemplate { place, .. } => place,
        other => panic!("{other}"),
    };
    let broken = || "{{#if".to_owned();
    assert_eq!(place(refusal(&|draft| draft.subject = broken())), Place::Subject);
    assert_eq!(place(refusal(&|draft| draft.text = Some(broken()))), Place::Text);
    assert_eq!(place(refusal(&|draft| draft.html = Some(broken()))), Place::Html);
    assert_eq!(
        place(refusal(&|draft| draft.header_from.name = Some(broken()))),
        Place::From
    );
    assert_eq!(
        refusal(&|draft| draft.audience = Audience::AllVisible),
        ComposeRefusal::VariablesOfOne
    );
    let long = |draft: &mut Draft| {
        let merge = draft.merge.as_mut().unwrap();
        merge.global.insert("NAME".to_owned(), "x".repeat(1_000).into());
    };
    assert!(matches!(refusal(&long), ComposeRefusal::SubjectTooLong { .. }));
    let large = |draft: &mut Draft| {
        draft.text = Some("{{EMAIL}}{{email}}{{#each all}}{{../big}}{{/each}}".to_owned());
        let merge = draft.merge.as_mut().unwrap();
        merge.global.insert("big".to_owned(), "x".repeat(1 << 20).into());
        merge.global.insert("all".to_owned(), vec![1; 100].into());
    };
    assert_eq!(refusal(&large), ComposeRefusal::MergesTooMuch);
}

#[test]
fn a_thousand_different_large_messages_are_too_much() {
    let draft = Draft {
        to: (0..1_000)
            .map(|n| recipient(n, &format!("r{n}@example.net"), RecipientKind::To))
            .collect(),
        text: Some("*|EMAIL|*".to_owned()),
        attachments: vec![Attachment {
            content: vec![7; 1 << 20],
            ..Attachment::default()
        }],
        ..merged(MergeLanguage::Mailchimp)
    };
    let refused = compose(&draft, &stamp());
    assert_eq!(refused.err(), Some(ComposeRefusal::MergesTooMuch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_value_writes_a_header(value in "(\\PC|[\r\n\t\0\u{b}\u{85}\u{2028}]|\r\nBcc: x@y\\.z){0,12}") {
        for language in [MergeLanguage::Mailchimp, MergeLanguage::Handlebars] {
            let plain = composed(&merged(language));
            let mut draft = merged(language);
            let merge = draft.merge.as_mut().unwrap();
            merge.global = object(json!({ "NAME": value, "CITY": value }));
            let call = compose(&draft, &stamp()).unwrap();
            let names = |call: &ComposedCall| {
                let head = String::from_utf8(call.heads[0].head.clone()).unwrap();
                assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head:?}");
                let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
                lines.map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
            };
            prop_assert_eq!(names(&call), names(&plain));
        }
    }
}
