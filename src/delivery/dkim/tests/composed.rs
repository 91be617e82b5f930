//! Signs what this product composes, and has it verified.

use proptest::prelude::*;
use uuid::Uuid;

use super::canonical::{body_hash, simple_relaxed};
use super::*;
use crate::compose::{Address, Attachment, Draft, Recipient, RecipientKind, Stamp, compose};
use sealpost_domain::address::DomainName;

prop_compose! {
    fn any_draft()(
        name in "[^\r\n\0]{0,30}",
        subject in "[^\r\n\0]{0,120}",
        text in prop::option::of("(\\PC{0,30}|[ \t\r\n]{0,5}){0,8}"),
        html in prop::option::of("(\\PC{0,30}|[ \t\r\n]{0,5}){0,8}"),
        header in "[^\r\n\0]{0,100}",
        file in prop::option::of(prop::collection::vec(any::<u8>(), 0..100)),
    ) -> Draft {
        let address = |name: &str, mailbox: &str| Address { name: Some(name.to_owned()), mailbox: mailbox.to_owned() };
        let attachments = file.map(|content| Attachment { name: subject.chars().take(40).collect(), content, ..Attachment::default() });
        Draft {
            header_from: address(&name, "ann@example.org"),
            to: vec![Recipient { id: Uuid::from_u128(1), address: address(&name, "bob@example.net"), kind: RecipientKind::To, copy_of: None }],
            headers: vec![("X-Any".to_owned(), header), ("List-Unsubscribe".to_owned(), "<https://example.org/u>".to_owned())],
            attachments: attachments.into_iter().collect(),
            subject,
            text,
            html,
            ..Draft::default()
        }
    }
}

fn stamp() -> Stamp {
    Stamp {
        date: DateTime::from_timestamp(1_764_066_605, 0).unwrap(),
        message_id_domain: DomainName::parse("example.org").unwrap(),
        boundary_seed: Uuid::from_u128(7),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn composed_messages_verify(draft in any_draft()) {
        let call = compose(&draft, &stamp()).unwrap();
        let head = &call.heads[0].head;
        let header = sign(&ED25519, &[head, &call.shared_body]).unwrap();
        let message = [header.as_bytes(), head, &call.shared_body].concat();
        prop_assert_eq!(verdict(&ED25519, &message), DkimResult::Pass);

        let shared = String::from_utf8(call.shared_body).unwrap();
        let (_, body) = shared.split_once("\r\n\r\n").unwrap();
        let expected = STANDARD.encode(digest(&SHA256, simple_relaxed(body).as_bytes()));
        prop_assert_eq!(body_hash(&[body.as_bytes()]), expected.clone());
        let tag = format!("\r\n\tbh={};", expected);
        prop_assert!(header.contains(&tag));
    }
}
