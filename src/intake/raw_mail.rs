//! Makes a message that was composed elsewhere ready to be taken in: by SMTP, or by a call that sends it raw.

use std::fmt;

use sealpost_domain::Instant;
use sealpost_domain::ids::AccountId;
use sealpost_domain::limits::SUBJECT_BYTES_MAX;
use sealpost_domain::message::TlsLevel;
use thiserror::Error;

use super::addressee::{Addressed, Addressee, CopyRefusal};
use super::desk::{Letter, Order};
use super::mc_header::{WishRefusal, Wishes};
use crate::compose::header_rule::form_of;
use crate::compose::{
    Address, AdoptRefusal, Attachment, Audience, ComposedCall, Draft, Entrance, InlineImage, KeepFailure, Keeper,
    Merge, Peeked, Recipient, RecipientKind, ShownMessage, Stamp, adopt, compose, from_field, peek, received, show,
};

/// The header that asks for copies.
const COPIES: &str = "X-MC-BccAddress";

/// A message as it came, and who is to get it.
pub struct RawMail {
    /// The message.
    pub content: Vec<u8>,
    /// The header From, for a message that has none.
    pub header_from: Option<Address>,
    /// The recipients; those of To, Cc and Bcc where it is `None`.
    pub addressees: Option<Vec<Addressee>>,
    /// Whether it gets its trace now, as what comes by SMTP must (RFC 5321 §4.4).
    pub trace: Option<Trace>,
    /// When it came.
    pub at: Instant,
}

/// What a trace says.
pub struct Trace {
    /// Our host name.
    pub host: String,
    /// How the message came.
    pub entrance: Entrance,
}

/// Why a content is no message to send.
#[derive(Debug, Error)]
pub enum RawRefusal {
    /// It is no message, or one that must not go out.
    #[error(transparent)]
    Adopt(#[from] AdoptRefusal),
    /// A header asks for what is not given.
    #[error(transparent)]
    Wish(#[from] WishRefusal),
    /// RFC 5322 §2.1.1 has no room for the subject.
    #[error("the subject is longer than {SUBJECT_BYTES_MAX} bytes")]
    SubjectTooLong,
    /// It was not kept.
    #[error("the content was not kept")]
    Kept(#[source] KeepFailure),
}

/// A message whose header block is read and whose recipients are known. Redacted in `Debug`.
pub struct RawPlan {
    content: Vec<u8>,
    peeked: Peeked,
    wishes: Wishes,
    addressed: Addressed,
    trace: Option<Trace>,
    at: Instant,
}

impl fmt::Debug for RawPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawPlan")
            .field("recipients", &self.addressed.planned.len())
            .finish_non_exhaustive()
    }
}

impl RawMail {
    /// Reads the header block, and gives each recipient a message.
    ///
    /// # Errors
    /// As [`RawRefusal`] says of headers and recipients.
    pub fn plan(self) -> Result<RawPlan, RawRefusal> {
        let Self {
            mut content,
            header_from,
            addressees,
            trace,
            at,
        } = self;
        let peeked = match (peek(&content), header_from) {
            (Err(AdoptRefusal::NoFrom), Some(from)) => {
                content.splice(0..0, from_field(&from)?);
                peek(&content)?
            }
            (peeked, _) => peeked?,
        };
        let wishes = Wishes::read(&peeked.commands, at)?;
        let addressees = addressees.unwrap_or_else(|| peeked.named.iter().map(named).collect());
        if addressees.is_empty() {
            return Err(AdoptRefusal::NoRecipient.into());
        }
        let mut addressed = Addressed::of(addressees, &wishes.own_metadata);
        if let Some(copies) = &wishes.bcc_address {
            addressed = addressed.copy_to(copies, wishes.audience).map_err(of_copies)?;
        }
        Ok(RawPlan {
            content,
            peeked,
            wishes,
            addressed,
            trace,
            at,
        })
    }
}

fn named(address: &Address) -> Addressee {
    Addressee {
        given: address.mailbox.clone(),
        name: address.name.clone(),
        kind: RecipientKind::To,
    }
}

fn of_copies(refusal: CopyRefusal) -> WishRefusal {
    let form = match refusal {
        CopyRefusal::NoAddress => "is no mail address",
        CopyRefusal::TooMany => "makes more messages than a call may have",
    };
    WishRefusal::BadForm { header: COPIES, form }
}

impl RawPlan {
    /// The addresses of the messages as they were given, copies at the end.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.addressed.planned.iter().map(|one| one.given.as_str())
    }

    /// How many of them the caller named.
    #[must_use]
    pub const fn answered(&self) -> usize {
        self.addressed.answered
    }

    /// Makes the message fit for delivery, and seals it. Costs the processor.
    ///
    /// # Errors
    /// As [`RawRefusal`] says.
    pub fn letter(self, keeper: &Keeper, account: AccountId) -> Result<Letter, RawRefusal> {
        let Self {
            content,
            peeked,
            wishes,
            addressed,
            trace,
            at,
        } = self;
        if peeked.subject.len() as u64 > SUBJECT_BYTES_MAX {
            return Err(RawRefusal::SubjectTooLong);
        }
        let stamp = Stamp {
            date: at.to_datetime(),
            message_id_domain: peeked.header_from.domain(),
            boundary_seed: uuid::Uuid::new_v4(),
        };
        let Addressed { planned, to, answered } = addressed;
        let prepared = if to.is_empty() {
            None
        } else {
            let mut call = match wishes.merge {
                None => adopt(&content, &to, wishes.audience, &stamp)?.call,
                Some(merge) => merged(&content, merge, &to, wishes.audience, &stamp)?,
            };
            if let Some(Trace { host, entrance }) = trace {
                for (composed, recipient) in call.heads.iter_mut().zip(&to) {
                    let trace = received(&host, entrance, recipient.id, stamp.date);
                    composed.head.splice(0..0, trace.into_bytes());
                }
            }
            let prepared = keeper.prepare_composed(account, call, &to, &stamp);
            Some(prepared.map_err(RawRefusal::Kept)?)
        };
        let order = Order {
            at,
            header_from: peeked.header_from,
            subject: peeked.subject,
            tags: wishes.tags,
            metadata: wishes.metadata,
            subaccount: wishes.subaccount,
            tracking: wishes.tracking,
            tls_required: wishes.tls_required.unwrap_or(TlsLevel::Plain),
            lifetime: wishes.lifetime,
            recipients: planned,
            idempotency: None,
        };
        Ok(Letter {
            prepared,
            order,
            answered,
        })
    }
}

/// Takes a message with variables apart, and composes it for each recipient. What it shows stays: texts, files, images,
/// and headers that a sender may set.
fn merged(
    content: &[u8],
    merge: Merge,
    to: &[Recipient],
    audience: Audience,
    stamp: &Stamp,
) -> Result<ComposedCall, RawRefusal> {
    // What cannot go out at all is refused as it is without variables.
    let adopted = adopt(content, to, audience, stamp)?;
    let shown = show(content).map_err(|_| AdoptRefusal::TooManyParts)?;
    if is_signed(&shown) {
        let header = "X-MC-MergeVars";
        return Err(WishRefusal::NotOffered { header }.into());
    }
    let mut draft = Draft {
        header_from: adopted.header_from,
        to: to.to_vec(),
        subject: shown.subject,
        text: shown.text,
        html: shown.html,
        headers: shown.headers.into_iter().filter(|(name, _)| may_be_set(name)).collect(),
        audience,
        merge: Some(merge),
        ..Draft::default()
    };
    for file in shown.attachments {
        match file.content_id {
            Some(name) if file.media_type.starts_with("image/") => draft.inline_images.push(InlineImage {
                media_type: file.media_type,
                name,
                content: file.content,
            }),
            _ => draft.attachments.push(Attachment {
                media_type: file.media_type,
                name: file.name,
                content: file.content,
            }),
        }
    }
    compose(&draft, stamp).map_err(|refusal| RawRefusal::Kept(KeepFailure::Refused(refusal)))
}

/// Whether a header goes into a message that is composed anew; the others are made, or are commands.
fn may_be_set(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    form_of(&name).is_some() && !name.starts_with("x-mc-") && !name.starts_with("x-sealpost-")
}

/// A signature would not hold for what is merged.
fn is_signed(shown: &ShownMessage) -> bool {
    let kind = |(name, value): &(String, String)| {
        let value = value.trim().to_ascii_lowercase();
        name.eq_ignore_ascii_case("Content-Type")
            && [
                "multipart/signed",
                "multipart/encrypted",
                "application/pkcs7",
                "application/x-pkcs7",
            ]
            .iter()
            .any(|kind| value.starts_with(kind))
    };
    shown.headers.iter().any(kind)
}
