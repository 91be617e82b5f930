//! Composes drafts and reads the results back: samples here, refusals and laws beside.

mod laws;
mod merging;
mod refusals;
mod samples;

use chrono::DateTime;
use sealpost_domain::address::DomainName;
use uuid::Uuid;

use super::*;

/// A fixed time, domain and seed.
fn stamp() -> Stamp {
    Stamp {
        date: DateTime::from_timestamp(1_764_066_605, 0).unwrap(),
        message_id_domain: DomainName::parse("mail.example.org").unwrap(),
        boundary_seed: Uuid::from_u128(0xb0),
    }
}

fn address(name: &str, mailbox: &str) -> Address {
    Address {
        name: (!name.is_empty()).then(|| name.to_owned()),
        mailbox: mailbox.to_owned(),
    }
}

fn recipient(n: u128, mailbox: &str, kind: RecipientKind) -> Recipient {
    Recipient {
        id: Uuid::from_u128(n),
        address: address("", mailbox),
        kind,
        copy_of: None,
    }
}

/// A draft to one recipient.
fn draft() -> Draft {
    Draft {
        header_from: address("Ann", "ann@example.org"),
        to: vec![recipient(1, "bob@example.net", RecipientKind::To)],
        subject: "Hello".to_owned(),
        text: Some("Hi Bob\n".to_owned()),
        ..Draft::default()
    }
}

fn composed(draft: &Draft) -> ComposedCall {
    compose(draft, &stamp()).unwrap()
}

/// All messages of the call, joined.
fn messages(draft: &Draft) -> Vec<Vec<u8>> {
    let call = composed(draft);
    let join = |head: &ComposedHead| [head.head.as_slice(), &call.shared_body].concat();
    call.heads.iter().map(join).collect()
}

/// The first message as text.
fn first(draft: &Draft) -> String {
    String::from_utf8(messages(draft).remove(0)).unwrap()
}

fn shown(draft: &Draft) -> ShownMessage {
    show(first(draft).as_bytes()).unwrap()
}
