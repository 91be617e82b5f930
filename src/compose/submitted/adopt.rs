//! Takes a submitted message apart and puts it together again: a head per recipient, and a body for all.

use std::collections::BTreeSet;

use mail_builder::headers::raw::Raw;
use sealpost_domain::address::Mailbox;
use sealpost_domain::limits;

use super::field::{Field, fields, in_ascii};
use super::refusal::AdoptRefusal;
use super::seven_bit::seven_bit_body;
use crate::compose::draft::{Address, Audience, Recipient};
use crate::compose::head::{parse_mailboxes, rfc5322_date, write_addresses, write_field};
use crate::compose::mailbox::parse_mailbox;
use crate::compose::mime::{ComposedCall, ComposedHead, Stamp};

/// Fields that stand once: RFC 5322 §3.6, and those of the body.
const ONCE: [&str; 12] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Date",
    "MIME-Version",
    "Content-Type",
];
/// Fields that must not leave. The platform's own commands are handed to the caller instead.
const TAKEN_OUT: [&str; 3] = ["Bcc", "Resent-Bcc", "Return-Path"];
/// How the names of commands to the platform begin.
const COMMANDS: [&str; 2] = ["X-MC-", "X-Sealpost-"];

/// A submitted message, fit for delivery, and what was read in it.
#[derive(Clone, PartialEq, Eq)]
pub struct AdoptedMessage {
    /// The bytes, as those of a composed message.
    pub call: ComposedCall,
    /// The first mailbox of From.
    pub header_from: Address,
    /// The mailboxes of To, Cc and Bcc, for a raw send that names no recipients.
    pub named: Vec<Address>,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// Fields whose name begins with `X-MC-` or `X-Sealpost-`, unfolded and decoded, in their order. They do not leave.
    pub commands: Vec<(String, String)>,
}

/// Makes a submitted message fit for delivery to the recipients.
///
/// Line ends become CRLF; whoever must not accept others (RFC 5321 §2.3.8) has refused them before. `Bcc`, `Return-Path`
/// and the commands to the platform are taken out, a missing `Date`, `Message-ID` or `MIME-Version` is added, a body or field that is
/// not 7-bit is encoded. With [`Audience::OwnCopies`] each head names its own recipient alone; with
/// [`Audience::AllVisible`] `To` and `Cc` stay as they are. Recipients' kinds do not matter here. Without recipients there
/// is one head, with `To` and `Cc` as they are.
///
/// # Errors
/// As [`AdoptRefusal`] says.
pub fn adopt(
    raw: &[u8],
    recipients: &[Recipient],
    audience: Audience,
    stamp: &Stamp,
) -> Result<AdoptedMessage, AdoptRefusal> {
    check_size(raw.len())?;
    if memchr::memchr(0, raw).is_some() {
        return Err(AdoptRefusal::HoldsNul);
    }
    if recipients.is_empty() {
        return Err(AdoptRefusal::NoRecipient);
    }
    let raw = crlf(raw);
    let (block, body) = split(&raw);
    let fields = fields(block)?;
    check_fields(&fields)?;
    let document = Document::read(&fields)?;
    let shared_body = seven_bit_body(&fields, body, stamp.boundary_seed)?;
    let heads = document.heads(&fields, recipients, audience, stamp)?;
    let longest = heads.iter().map(|head| head.head.len()).max().unwrap_or_default();
    check_size(shared_body.len().saturating_add(longest))?;
    Ok(AdoptedMessage {
        call: ComposedCall {
            shared_body,
            more_bodies: Vec::new(),
            heads,
        },
        header_from: document.header_from,
        named: document.named,
        subject: document.subject,
        commands: document.commands,
    })
}

/// What may have to be known of a message before it is adopted.
#[derive(Clone, PartialEq, Eq)]
pub struct Peeked {
    /// The first mailbox of From.
    pub header_from: Mailbox,
    /// The mailboxes of To, Cc and Bcc, for a raw send that names no recipients.
    pub named: Vec<Address>,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// Fields whose name begins with `X-MC-` or `X-Sealpost-`, unfolded and decoded, in their order.
    pub commands: Vec<(String, String)>,
}

/// Looks into the header block, and at nothing else.
///
/// # Errors
/// As [`AdoptRefusal`] says of header blocks.
pub fn peek(raw: &[u8]) -> Result<Peeked, AdoptRefusal> {
    let (block, _) = split(raw);
    let block = crlf(block);
    let fields = fields(&block)?;
    let document = Document::read(&fields)?;
    let header_from = Mailbox::parse(&document.header_from.mailbox);
    Ok(Peeked {
        header_from: header_from.map_err(|reason| AdoptRefusal::BadFrom { reason })?,
        named: document.named,
        subject: document.subject,
        commands: document.commands,
    })
}

/// The field From of an address, with its CRLF, for a message that has none.
///
/// # Errors
/// [`AdoptRefusal::BadFrom`].
pub fn from_field(address: &Address) -> Result<Vec<u8>, AdoptRefusal> {
    let mailbox = parse_mailbox(&address.mailbox).map_err(|reason| AdoptRefusal::BadFrom { reason })?;
    let address = Address {
        name: address.name.clone(),
        mailbox: mailbox.as_str().to_owned(),
    };
    let mut field = Vec::new();
    write_addresses(&mut field, "From", [&address].into_iter());
    Ok(field)
}

fn is_command(field: &Field<'_>) -> bool {
    COMMANDS.iter().any(|family| field.is_of_family(family))
}

fn commands_in(fields: &[Field<'_>]) -> Vec<(String, String)> {
    let commands = fields.iter().filter(|field| is_command(field));
    let value = |field: &Field<'_>| match field.unfolded() {
        // RFC 2047: some clients encode whatever holds a quote, JSON among it.
        encoded if encoded.contains("=?") => decoded(&encoded),
        plain => plain,
    };
    commands.map(|field| (field.name.to_owned(), value(field))).collect()
}

/// What the fields say.
struct Document {
    header_from: Address,
    named: Vec<Address>,
    subject: String,
    commands: Vec<(String, String)>,
    message_id: Option<String>,
}

impl Document {
    fn read(fields: &[Field<'_>]) -> Result<Self, AdoptRefusal> {
        let value = |name: &str| fields.iter().find(|field| field.is(name)).map(Field::unfolded);
        let mut senders = parse_mailboxes(&value("From").ok_or(AdoptRefusal::NoFrom)?);
        let mut domains = BTreeSet::new();
        for sender in &mut senders {
            let mailbox = parse_mailbox(&sender.mailbox).map_err(|reason| AdoptRefusal::BadFrom { reason })?;
            mailbox.as_str().clone_into(&mut sender.mailbox);
            domains.insert(mailbox.domain());
        }
        // The account must own what it writes From, and only one domain signs.
        if domains.len() > 1 {
            return Err(AdoptRefusal::SeveralFromDomains);
        }
        let named = ["To", "Cc", "Bcc"].into_iter().filter_map(value);
        Ok(Self {
            header_from: senders.into_iter().next().ok_or(AdoptRefusal::NoFrom)?,
            named: named
                .flat_map(|list| parse_mailboxes(&list))
                .filter_map(in_ascii)
                .collect(),
            subject: value("Subject").map(|text| decoded(&text)).unwrap_or_default(),
            commands: commands_in(fields),
            message_id: value("Message-ID").filter(|id| !id.is_empty()),
        })
    }

    fn heads(
        &self,
        fields: &[Field<'_>],
        recipients: &[Recipient],
        audience: Audience,
        stamp: &Stamp,
    ) -> Result<Vec<ComposedHead>, AdoptRefusal> {
        let mut common = Vec::with_capacity(2_048);
        if !fields.iter().any(|field| field.is("Date")) {
            write_field(&mut common, "Date", &Raw::new(rfc5322_date(stamp.date)));
        }
        let stays = |field: &&Field<'_>| !is_taken_out(field) && !is_of_the_body(field) && !field.is("Message-ID");
        let shown = |field: &Field<'_>| field.is("To") || field.is("Cc");
        for field in fields.iter().filter(stays) {
            if audience == Audience::AllVisible || !shown(field) {
                field.write(&mut common)?;
            }
        }
        if audience == Audience::AllVisible && !fields.iter().any(shown) {
            common.extend_from_slice(b"To: undisclosed-recipients:;\r\n");
        }
        let head = |recipient: &Recipient| {
            let mut head = common.clone();
            if audience == Audience::OwnCopies {
                write_addresses(&mut head, "To", [&self.with_name(recipient)].into_iter());
            }
            let message_id = self
                .message_id
                .clone()
                .unwrap_or_else(|| stamp.message_id(recipient.id));
            write_field(&mut head, "Message-ID", &Raw::new(message_id.as_str()));
            ComposedHead {
                head,
                message_id,
                body: 0,
                subject: None,
            }
        };
        Ok(recipients.iter().map(head).collect())
    }

    /// The recipient with the name under which the document knows the mailbox.
    fn with_name(&self, recipient: &Recipient) -> Address {
        let Address { name, mailbox } = recipient.named();
        let known = self.named.iter().find(|one| one.mailbox.eq_ignore_ascii_case(mailbox));
        Address {
            name: name.clone().or_else(|| known?.name.clone()),
            mailbox: mailbox.clone(),
        }
    }
}

/// Whether the field describes the body and stands with it.
pub(super) fn is_of_the_body(field: &Field<'_>) -> bool {
    field.is("MIME-Version") || field.is_of_family("Content-")
}

fn is_taken_out(field: &Field<'_>) -> bool {
    is_command(field) || TAKEN_OUT.iter().any(|name| field.is(name))
}

fn check_fields(fields: &[Field<'_>]) -> Result<(), AdoptRefusal> {
    let count = |name: &str| fields.iter().filter(|field| field.is(name)).count();
    if let Some(repeated) = ONCE.into_iter().find(|name| count(name) > 1) {
        let header = repeated.to_owned();
        return Err(AdoptRefusal::HeaderRepeated { header });
    }
    let (hops, limit) = (count("Received"), limits::HOPS_MAX as usize);
    if hops > limit {
        return Err(AdoptRefusal::TooManyHops { count: hops, limit });
    }
    // A Message-ID goes back out as it came: it must be one line of plain text.
    match fields.iter().find(|field| field.is("Message-ID")).map(Field::unfolded) {
        Some(id) if !id.bytes().all(|b| b.is_ascii_graphic() || b == b' ') || id.len() > 900 => {
            let header = "Message-ID".to_owned();
            Err(AdoptRefusal::HeaderNotPlain { header })
        }
        _ => Ok(()),
    }
}

fn check_size(len: usize) -> Result<(), AdoptRefusal> {
    let (size_bytes, limit_bytes) = (len as u64, limits::MESSAGE_BYTES_MAX);
    if size_bytes > limit_bytes {
        return Err(AdoptRefusal::TooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    Ok(())
}

/// Every CR, LF and CRLF as CRLF.
fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len().saturating_add(raw.len() / 16));
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The header block with its last CRLF, and the body.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = raw.strip_prefix(b"\r\n") {
        return (b"", body);
    }
    match memchr::memmem::find(raw, b"\r\n\r\n") {
        Some(at) => (
            raw.get(..at.saturating_add(2)).unwrap_or_default(),
            raw.get(at.saturating_add(4)..).unwrap_or_default(),
        ),
        None => (raw, b""),
    }
}

fn decoded(value: &str) -> String {
    let line = format!("{value}\r\n");
    let parsed = mail_parser::parsers::MessageStream::new(line.as_bytes()).parse_unstructured();
    parsed.as_text().unwrap_or_default().to_owned()
}
