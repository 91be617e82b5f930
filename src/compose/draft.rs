//! Holds what a caller wants to send, and checks it before a byte is written.

use sealpost_domain::address::Mailbox;
use sealpost_domain::limits;
use uuid::Uuid;

use super::head::parse_mailboxes;
use super::header_rule::{HeaderForm, Occurrence, form_of, is_header_name, occurrence_of};
use super::media_type::MediaType;
use super::merge::Merge;
use super::refusal::{ComposeRefusal, Place};

/// Longest run of a structured header that cannot be folded, in bytes; with the name it stays below 998.
pub const HEADER_RUN_BYTES_MAX: usize = 900;

/// A mailbox with the name that people see.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The display name; an empty one counts as none.
    pub name: Option<String>,
    /// `local-part@domain`, ASCII.
    pub mailbox: String,
}

/// Which header would name a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecipientKind {
    /// To.
    #[default]
    To,
    /// Cc.
    Cc,
    /// In no header.
    Bcc,
}

/// One who gets the message.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// The id of this recipient's message; its Message-ID is made from it.
    pub id: Uuid,
    /// Where it goes.
    pub address: Address,
    /// How the recipient is shown.
    pub kind: RecipientKind,
    /// Whom its own copy names in its place: the one whose message it is a copy of.
    pub copy_of: Option<Address>,
}

impl Recipient {
    /// The address that a message for this recipient alone names.
    #[must_use]
    pub fn named(&self) -> &Address {
        self.copy_of.as_ref().unwrap_or(&self.address)
    }
}

/// Who sees whose address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Each recipient gets a message that names this recipient alone, whatever the kind.
    #[default]
    OwnCopies,
    /// One message for all, with every To and Cc in it.
    AllVisible,
}

/// Which body is made from the other one where only one was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alternatives {
    /// Neither.
    #[default]
    AsGiven,
    /// A plain text from the HTML.
    AddText,
    /// An HTML from the plain text.
    AddHtml,
    /// Whichever is missing.
    AddEither,
}

/// A file that goes with the message.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// `type/subtype` with parameters; empty means `application/octet-stream`.
    pub media_type: String,
    /// The file's name; may be empty.
    pub name: String,
    /// Its bytes, decoded.
    pub content: Vec<u8>,
}

/// An image that the HTML shows as `cid:NAME`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct InlineImage {
    /// `image/…`.
    pub media_type: String,
    /// The Content-ID without its brackets: printable ASCII without space, `<` and `>`.
    pub name: String,
    /// Its bytes, decoded.
    pub content: Vec<u8>,
}

/// What a caller wants to send. Redacted in `Debug`.
#[derive(Clone, PartialEq, Default)]
pub struct Draft {
    /// The header From.
    pub header_from: Address,
    /// All recipients: To, Cc and Bcc, 1..=1,000.
    pub to: Vec<Recipient>,
    /// The subject, at most 998 bytes.
    pub subject: String,
    /// The plain text; an empty one counts as none. Line ends of any kind.
    pub text: Option<String>,
    /// The HTML; an empty one counts as none.
    pub html: Option<String>,
    /// What to make where one of the two is missing.
    pub alternatives: Alternatives,
    /// Custom headers in their order, at most 100.
    pub headers: Vec<(String, String)>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Images within the HTML.
    pub inline_images: Vec<InlineImage>,
    /// Who sees whose address.
    pub audience: Audience,
    /// Variables to merge into subject, sender's name and texts; `None` leaves them as they are.
    pub merge: Option<Merge>,
}

impl Draft {
    /// Whether this can become a message. [`super::compose`] asks first; ask earlier where a request is to be refused
    /// before anything is stored.
    ///
    /// # Errors
    /// The first refusal found. Only the size of the finished message is known later.
    pub fn check(&self) -> Result<(), ComposeRefusal> {
        self.check_size_of_input()?;
        check_address(&self.header_from, &Place::From)?;
        self.check_recipients()?;
        self.check_subject()?;
        self.check_headers()?;
        self.check_files()
    }

    /// Bytes that must go into the message whatever the encoding: a cheap bound before any work.
    fn check_size_of_input(&self) -> Result<(), ComposeRefusal> {
        let texts = [&self.text, &self.html].into_iter().flatten().map(String::len);
        let files = self.attachments.iter().map(|file| file.content.len());
        let images = self.inline_images.iter().map(|image| image.content.len());
        let size_bytes = texts.chain(files).chain(images).map(|len| len as u64).sum();
        check_message_size(size_bytes)
    }

    fn check_recipients(&self) -> Result<(), ComposeRefusal> {
        let count = self.to.len();
        if count == 0 {
            return Err(ComposeRefusal::NoRecipient);
        }
        let limit = match self.audience {
            Audience::OwnCopies => limits::RECIPIENTS_PER_CALL_MAX as usize,
            Audience::AllVisible => limits::VISIBLE_RECIPIENTS_MAX as usize,
        };
        if count > limit {
            return Err(ComposeRefusal::TooManyRecipients { count, limit });
        }
        for (index, recipient) in self.to.iter().enumerate() {
            check_address(&recipient.address, &Place::Recipient { index })?;
        }
        Ok(())
    }

    pub(super) fn check_subject(&self) -> Result<(), ComposeRefusal> {
        refuse_injection(&self.subject, Place::Subject)?;
        let limit_bytes = limits::SUBJECT_BYTES_MAX as usize;
        if self.subject.len() > limit_bytes {
            return Err(ComposeRefusal::SubjectTooLong {
                size_bytes: self.subject.len(),
                limit_bytes,
            });
        }
        Ok(())
    }

    fn check_headers(&self) -> Result<(), ComposeRefusal> {
        let limit = limits::CUSTOM_HEADERS_MAX as usize;
        if self.headers.len() > limit {
            return Err(ComposeRefusal::TooManyHeaders {
                count: self.headers.len(),
                limit,
            });
        }
        for (index, (name, value)) in self.headers.iter().enumerate() {
            refuse_injection(name, Place::HeaderName { index })?;
            if !is_header_name(name) {
                return Err(ComposeRefusal::BadHeaderName { index });
            }
            let before = self.headers.iter().take(index);
            let repeated = before.filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() > 0;
            if repeated && occurrence_of(name) == Occurrence::Once {
                return Err(ComposeRefusal::HeaderRepeated { header: name.clone() });
            }
            check_header(name, value)?;
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), ComposeRefusal> {
        let count = self.attachments.len().saturating_add(self.inline_images.len());
        if count > limits::ATTACHMENTS_MAX as usize {
            return Err(ComposeRefusal::TooManyAttachments {
                count,
                limit: limits::ATTACHMENTS_MAX as usize,
            });
        }
        for (index, file) in self.attachments.iter().enumerate() {
            let place = Place::Attachment { index };
            check_media_type(&file.media_type, &place)?;
            refuse_injection(&file.name, place.clone())?;
            if file.name.len() > limits::ATTACHMENT_NAME_BYTES_MAX as usize {
                return Err(ComposeRefusal::BadAttachmentName { place });
            }
        }
        for (index, image) in self.inline_images.iter().enumerate() {
            let place = Place::InlineImage { index };
            if check_media_type(&image.media_type, &place)?.kind() != "image" {
                return Err(ComposeRefusal::BadAttachmentType { place });
            }
            refuse_injection(&image.name, place.clone())?;
            let fits = (1..=limits::ATTACHMENT_NAME_BYTES_MAX as usize).contains(&image.name.len());
            if !fits
                || !image
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
            {
                return Err(ComposeRefusal::BadAttachmentName { place });
            }
        }
        Ok(())
    }
}

/// Refuses a message above the limit.
pub(super) fn check_message_size(size_bytes: u64) -> Result<(), ComposeRefusal> {
    let limit_bytes = limits::MESSAGE_BYTES_MAX;
    if size_bytes > limit_bytes {
        return Err(ComposeRefusal::TooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    Ok(())
}

fn refuse_injection(text: &str, place: Place) -> Result<(), ComposeRefusal> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(ComposeRefusal::HeaderInjection { place });
    }
    Ok(())
}

pub(super) fn check_address(address: &Address, place: &Place) -> Result<(), ComposeRefusal> {
    refuse_injection(&address.mailbox, place.clone())?;
    let name = address.name.as_deref().unwrap_or_default();
    refuse_injection(name, place.clone())?;
    if name.len() > limits::DISPLAY_NAME_BYTES_MAX as usize {
        return Err(ComposeRefusal::NameTooLong {
            place: place.clone(),
            limit_bytes: limits::DISPLAY_NAME_BYTES_MAX as usize,
        });
    }
    Mailbox::parse(&address.mailbox)
        .map(drop)
        .map_err(|reason| ComposeRefusal::BadMailbox {
            place: place.clone(),
            reason,
        })
}

fn check_header(name: &str, value: &str) -> Result<(), ComposeRefusal> {
    let header = || name.to_owned();
    let place = Place::Header { name: header() };
    refuse_injection(value, place.clone())?;
    if value.len() > limits::HEADER_VALUE_BYTES_MAX as usize {
        return Err(ComposeRefusal::HeaderTooLong { header: header() });
    }
    match form_of(name).ok_or_else(|| ComposeRefusal::HeaderNotAllowed { header: header() })? {
        HeaderForm::Unstructured => Ok(()),
        HeaderForm::Addresses => parse_mailboxes(value)
            .iter()
            .try_for_each(|address| check_address(address, &place)),
        HeaderForm::Structured if !is_plain(value) => Err(ComposeRefusal::HeaderNotPlain { header: header() }),
        HeaderForm::Structured if longest_run(value) > HEADER_RUN_BYTES_MAX => {
            Err(ComposeRefusal::HeaderTooLong { header: header() })
        }
        HeaderForm::Structured => Ok(()),
    }
}

fn check_media_type(text: &str, place: &Place) -> Result<MediaType, ComposeRefusal> {
    refuse_injection(text, place.clone())?;
    MediaType::parse(text).ok_or_else(|| ComposeRefusal::BadAttachmentType { place: place.clone() })
}

/// Printable ASCII, spaces and tabs.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_graphic() || b == b' ' || b == b'\t')
}

/// The longest piece that folding leaves whole: a run of white space with the word behind it, in bytes.
pub(super) fn longest_run(value: &str) -> usize {
    let mut longest = 0;
    let mut run = 0_usize;
    let mut in_word = false;
    for byte in value.bytes() {
        let space = byte == b' ' || byte == b'\t';
        if space && in_word {
            run = 0;
        }
        in_word = !space;
        run = run.saturating_add(1);
        longest = longest.max(run);
    }
    longest
}
