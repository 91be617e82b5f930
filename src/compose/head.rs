//! Writes the head of each recipient's message: every header but those that describe the body.

use chrono::{DateTime, Utc};
use mail_builder::headers::{Header, address, raw::Raw, text::Text};
use mail_parser::parsers::MessageStream;

use super::draft::{Address, Audience, Draft, HEADER_RUN_BYTES_MAX, Recipient, RecipientKind, is_plain, longest_run};
use super::header_rule::{HeaderForm, form_of};
use super::mime::{ComposedHead, Stamp};

/// A date as RFC 5322 §3.3 wants it, in UTC.
#[must_use]
pub fn rfc5322_date(date: DateTime<Utc>) -> String {
    date.format("%a, %-d %b %Y %H:%M:%S +0000").to_string()
}

/// The heads in the order of the recipients. The draft has been checked.
pub(super) fn heads(draft: &Draft, stamp: &Stamp) -> Vec<ComposedHead> {
    let opening = opening(draft, stamp);
    let closing = closing(draft);
    let write = |shown: &Shown<'_>, owner: &Recipient| {
        let message_id = stamp.message_id(owner.id);
        let mut head = opening.clone();
        shown.write(&mut head);
        write_field(&mut head, "Message-ID", &Raw::new(message_id.as_str()));
        head.extend_from_slice(&closing);
        ComposedHead {
            head,
            message_id,
            body: 0,
            subject: None,
        }
    };
    match draft.audience {
        Audience::OwnCopies => draft
            .to
            .iter()
            .map(|recipient| write(&Shown::only(recipient), recipient))
            .collect(),
        // One message for all has one Message-ID, or answers of one recipient would not join the others' thread.
        Audience::AllVisible => draft.to.first().map_or_else(Vec::new, |first| {
            let head = write(&Shown::all(&draft.to), first);
            vec![head; draft.to.len()]
        }),
    }
}

/// Whose addresses a head shows.
struct Shown<'a> {
    to: Vec<&'a Address>,
    cc: Vec<&'a Address>,
}

impl<'a> Shown<'a> {
    fn only(recipient: &'a Recipient) -> Self {
        Self {
            to: vec![recipient.named()],
            cc: Vec::new(),
        }
    }

    fn all(recipients: &'a [Recipient]) -> Self {
        let of = |kind| {
            let those = recipients.iter().filter(move |recipient| recipient.kind == kind);
            those.map(|recipient| &recipient.address).collect()
        };
        Self {
            to: of(RecipientKind::To),
            cc: of(RecipientKind::Cc),
        }
    }

    fn write(&self, head: &mut Vec<u8>) {
        if self.to.is_empty() && self.cc.is_empty() {
            // RFC 5322 §3.4 has the empty group for messages whose recipients are all hidden.
            head.extend_from_slice(b"To: undisclosed-recipients:;\r\n");
        }
        for (name, addresses) in [("To", &self.to), ("Cc", &self.cc)] {
            if !addresses.is_empty() {
                write_addresses(head, name, addresses.iter().copied());
            }
        }
    }
}

fn opening(draft: &Draft, stamp: &Stamp) -> Vec<u8> {
    let mut head = Vec::with_capacity(1_024);
    write_field(&mut head, "Date", &Raw::new(rfc5322_date(stamp.date)));
    write_addresses(&mut head, "From", [&draft.header_from].into_iter());
    head
}

fn closing(draft: &Draft) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    write_field(&mut head, "Subject", &Text::new(draft.subject.as_str()));
    for (name, value) in &draft.headers {
        write_custom(&mut head, name, value.trim_matches([' ', '\t']));
    }
    head
}

pub(super) fn write_field(head: &mut Vec<u8>, name: &str, value: &impl Header) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    value.write_header(head, name.len().saturating_add(2));
}

pub(super) fn write_addresses<'a>(head: &mut Vec<u8>, name: &str, addresses: impl Iterator<Item = &'a Address>) {
    let list = addresses
        .map(|one| {
            let shown = one.name.as_deref().filter(|name| !name.trim().is_empty());
            address::Address::new_address(shown, one.mailbox.as_str())
        })
        .collect();
    write_field(head, name, &address::Address::new_list(list));
}

fn write_custom(head: &mut Vec<u8>, name: &str, value: &str) {
    match form_of(name) {
        // The check refused our own headers; should one come here, it is not written.
        None => {}
        Some(HeaderForm::Addresses) => write_addresses(head, name, parse_mailboxes(value).iter()),
        Some(HeaderForm::Structured) => write_field(head, name, &Raw::new(value)),
        // Encoded words only where they are needed: many machines that read X- headers do not decode them.
        Some(HeaderForm::Unstructured) if is_plain(value) && longest_run(value) <= HEADER_RUN_BYTES_MAX => {
            write_field(head, name, &Raw::new(value));
        }
        Some(HeaderForm::Unstructured) => write_field(head, name, &Text::new(value)),
    }
}

/// The mailboxes of an address list. What is no mailbox stays in the result and is refused when it is checked; a list
/// without any gives one empty mailbox, which is refused too.
pub fn parse_mailboxes(value: &str) -> Vec<Address> {
    let line = format!("{value}\r\n");
    let parsed = MessageStream::new(line.as_bytes()).parse_address();
    let listed: Vec<Address> = match parsed.as_address() {
        Some(mail_parser::Address::List(list)) => list.iter().map(owned).collect(),
        _ => Vec::new(),
    };
    if listed.is_empty() {
        vec![Address::default()]
    } else {
        listed
    }
}

fn owned(address: &mail_parser::Addr<'_>) -> Address {
    Address {
        name: address.name.as_deref().map(str::to_owned),
        mailbox: address.address.as_deref().unwrap_or_default().to_owned(),
    }
}
