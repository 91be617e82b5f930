//! Prepares content for `DATA` (RFC 5321 §4.5.2): line ends, dot-stuffing and the final dot, so that nothing can smuggle.

use std::borrow::Cow;

/// What ends a content on the wire, after its last CRLF.
pub const FINAL_DOT: &[u8] = b".\r\n";

const CRLF: &[u8] = b"\r\n";

/// Turns every bare CR and bare LF into CRLF; borrows where nothing has to change.
///
/// Do this before signing: a signature over other line ends than those on the wire does not verify, and a bare line end
/// on the wire is how one message becomes two (SMTP smuggling).
pub fn normalise_line_ends(content: &[u8]) -> Cow<'_, [u8]> {
    if !has_bare_line_end(content) {
        return Cow::Borrowed(content);
    }
    let mut normal = Vec::with_capacity(content.len() + content.len() / 32);
    let mut rest = content;
    while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
        let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, b""));
        normal.extend_from_slice(line);
        normal.extend_from_slice(CRLF);
        rest = tail.strip_prefix(CRLF).or_else(|| tail.get(1..)).unwrap_or_default();
    }
    normal.extend_from_slice(rest);
    Cow::Owned(normal)
}

fn has_bare_line_end(content: &[u8]) -> bool {
    StuffedContent::new(&[content]).is_err()
}

/// The content has a CR without LF or an LF without CR; [`normalise_line_ends`] was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content has a bare CR or LF")]
pub struct BareLineEnd;

/// Most contents have a handful of dots to double. One that is made of them would need a list longer than itself, so
/// from here on its bytes are copied instead.
const SEGMENTS_MAX: usize = 256;

/// A content that was checked and dot-stuffed without copying it: slices that go onto the wire in order.
#[derive(Clone)]
pub struct StuffedContent<'a> {
    segments: Vec<&'a [u8]>,
    copied: Vec<u8>,
    content_length_bytes: usize,
    wire_length_bytes: usize,
}

impl<'a> StuffedContent<'a> {
    /// Takes the parts of one content in order. A CRLF is added where the last line has none.
    ///
    /// # Errors
    /// [`BareLineEnd`]: sending it could let a receiver see a message end where we saw none.
    pub fn new(parts: &[&'a [u8]]) -> Result<Self, BareLineEnd> {
        let mut stuffing = Stuffing {
            segments: Vec::new(),
            copied: Vec::new(),
            last: LastByte::Lf,
        };
        for part in parts {
            stuffing.take(part)?;
        }
        stuffing.finish()?;
        let Stuffing { segments, copied, .. } = stuffing;
        let content_length_bytes = parts.iter().map(|part| part.len()).sum();
        let wire_length_bytes = segments.iter().map(|segment| segment.len()).sum::<usize>() + copied.len();
        Ok(Self {
            segments,
            copied,
            content_length_bytes,
            wire_length_bytes,
        })
    }

    /// The slices in the order of the wire, none of them empty, without the final dot.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let copied = Some(self.copied.as_slice()).filter(|copied| !copied.is_empty());
        self.segments.iter().copied().chain(copied)
    }

    /// Length of the parts as they were given, in bytes.
    pub fn content_length_bytes(&self) -> usize {
        self.content_length_bytes
    }

    /// Length on the wire, stuffed, without the final dot, in bytes.
    pub fn wire_length_bytes(&self) -> usize {
        self.wire_length_bytes
    }
}

impl std::fmt::Debug for StuffedContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StuffedContent({} bytes)", self.content_length_bytes)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LastByte {
    Cr,
    Lf,
    Other,
}

struct Stuffing<'a> {
    segments: Vec<&'a [u8]>,
    copied: Vec<u8>,
    last: LastByte,
}

impl<'a> Stuffing<'a> {
    fn take(&mut self, part: &'a [u8]) -> Result<(), BareLineEnd> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else {
            return Ok(());
        };
        if (self.last == LastByte::Cr) != (*first == b'\n') {
            // Only the LF that completes a CR of the part before may stand at the start of this one.
            return Err(BareLineEnd);
        }
        if self.last == LastByte::Lf && *first == b'.' {
            self.put(b".");
        }
        self.split_at_dots(part)?;
        self.last = match last {
            b'\r' => LastByte::Cr,
            b'\n' => LastByte::Lf,
            _ => LastByte::Other,
        };
        Ok(())
    }

    // One pass finds the dots to double. Every LF is seen to follow a CR, so that equal counts leave no CR alone.
    fn split_at_dots(&mut self, part: &'a [u8]) -> Result<(), BareLineEnd> {
        let mut start = 0;
        let mut line_ends = 0;
        for end in memchr::memchr_iter(b'\n', part) {
            match end.checked_sub(1).map(|before| part.get(before)) {
                None => {}
                Some(Some(b'\r')) => line_ends += 1,
                Some(_) => return Err(BareLineEnd),
            }
            if part.get(end + 1) == Some(&b'.') {
                self.put(part.get(start..=end).unwrap_or_default());
                self.put(b".");
                start = end + 1;
            }
        }
        let open_at_end = usize::from(part.last() == Some(&b'\r'));
        if memchr::memchr_iter(b'\r', part).count() != line_ends + open_at_end {
            return Err(BareLineEnd);
        }
        self.put(part.get(start..).unwrap_or_default());
        Ok(())
    }

    fn put(&mut self, segment: &'a [u8]) {
        if self.segments.len() == SEGMENTS_MAX {
            self.copied.extend_from_slice(segment);
        } else if !segment.is_empty() {
            self.segments.push(segment);
        }
    }

    fn finish(&mut self) -> Result<(), BareLineEnd> {
        match self.last {
            LastByte::Cr => return Err(BareLineEnd),
            LastByte::Other => self.put(CRLF),
            LastByte::Lf => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
