//! Reads the fields of a submitted header block, and writes each of them as it is or, where that is not fit, anew.

use mail_builder::headers::{raw::Raw, text::Text};

use super::refusal::AdoptRefusal;
use crate::compose::draft::{Address, HEADER_RUN_BYTES_MAX, is_plain, longest_run};
use crate::compose::head::{parse_mailboxes, write_addresses, write_field};
use crate::compose::header_rule::{HeaderForm, form_of, is_header_name};
use crate::compose::mailbox::parse_mailbox;

/// Longest line, without its CRLF: RFC 5322 §2.1.1.
pub const LINE_BYTES_MAX: usize = 998;

/// One field of a header block.
pub struct Field<'a> {
    /// Its name, ASCII without white space.
    pub name: &'a str,
    /// Its lines as they came, with the final CRLF.
    whole: &'a [u8],
    /// What stands behind the colon, with folds.
    value: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether this is the field, whatever the case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the name begins so, whatever the case.
    #[must_use]
    pub fn is_of_family(&self, prefix: &str) -> bool {
        let start = self.name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    /// The value on one line, trimmed. What is no UTF-8 is replaced.
    #[must_use]
    pub fn unfolded(&self) -> String {
        let text = String::from_utf8_lossy(self.value);
        text.replace("\r\n", "").trim_matches([' ', '\t']).to_owned()
    }

    /// Appends the field: as it came if every line of it is fit, otherwise folded and encoded anew.
    ///
    /// # Errors
    /// [`AdoptRefusal::HeaderNotPlain`] and [`AdoptRefusal::HeaderTooLong`] where the field's grammar allows no encoding.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), AdoptRefusal> {
        if self.is_fit() {
            out.extend_from_slice(self.whole);
            return Ok(());
        }
        let value = self.unfolded();
        let plain = is_plain(&value);
        let short = longest_run(&value) <= HEADER_RUN_BYTES_MAX;
        let header = || self.name.to_owned();
        match self.form() {
            _ if plain && short => write_field(out, self.name, &Raw::new(value)),
            HeaderForm::Unstructured => write_field(out, self.name, &Text::new(value)),
            HeaderForm::Addresses => {
                let mailboxes: Option<Vec<_>> = parse_mailboxes(&value).into_iter().map(in_ascii).collect();
                let mailboxes = mailboxes.ok_or_else(|| AdoptRefusal::HeaderNotPlain { header: header() })?;
                write_addresses(out, self.name, mailboxes.iter());
            }
            HeaderForm::Structured if plain => return Err(AdoptRefusal::HeaderTooLong { header: header() }),
            HeaderForm::Structured => return Err(AdoptRefusal::HeaderNotPlain { header: header() }),
        }
        Ok(())
    }

    /// A line of white space alone is not fit: who strips white space at the end of lines would see the end of the
    /// header block there.
    fn is_fit(&self) -> bool {
        let printable = |b: &u8| b.is_ascii_graphic() || b" \t\r\n".contains(b);
        let mut lines = self.whole.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
        // The piece behind the final line end is empty.
        lines.next_back();
        self.whole.iter().all(printable) && lines.all(|line| !line.is_empty() && line.len() <= LINE_BYTES_MAX)
    }

    fn form(&self) -> HeaderForm {
        const ADDRESSES: [&str; 4] = ["from", "sender", "to", "cc"];
        if ADDRESSES.iter().any(|name| self.is(name)) {
            HeaderForm::Addresses
        } else if self.is("subject") {
            HeaderForm::Unstructured
        } else {
            form_of(self.name).unwrap_or(HeaderForm::Structured)
        }
    }
}

/// The address with its domain in A-labels (RFC 5890): what goes out is ASCII. `None` for what is no mailbox.
pub(super) fn in_ascii(address: Address) -> Option<Address> {
    let mailbox = parse_mailbox(&address.mailbox).ok()?;
    Some(Address {
        name: address.name,
        mailbox: mailbox.as_str().to_owned(),
    })
}

/// The fields of a header block whose lines end in CRLF.
///
/// # Errors
/// [`AdoptRefusal::BadHeaderLine`] for the first line that is neither a field nor a fold.
pub fn fields(block: &[u8]) -> Result<Vec<Field<'_>>, AdoptRefusal> {
    let mut found = Vec::new();
    let mut rest = block;
    let mut line = 1_usize;
    while !rest.is_empty() {
        let (whole, after) = rest.split_at(field_end(rest));
        found.push(field(whole).ok_or(AdoptRefusal::BadHeaderLine { line })?);
        line = line.saturating_add(memchr::memchr_iter(b'\n', whole).count());
        rest = after;
    }
    Ok(found)
}

fn field(whole: &[u8]) -> Option<Field<'_>> {
    let colon = memchr::memchr(b':', whole)?;
    // RFC 5322 §4.5 allows white space before the colon.
    let name = whole.get(..colon)?.trim_ascii_end();
    let name = std::str::from_utf8(name).ok()?;
    let value = whole.get(colon.saturating_add(1)..)?;
    is_header_name(name).then_some(Field { name, whole, value })
}

/// Where the next field begins: behind the first line end that no white space follows.
fn field_end(block: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', block)
        .map(|at| at.saturating_add(1))
        .find(|next| !matches!(block.get(*next), Some(b' ' | b'\t')))
        .unwrap_or(block.len())
}
