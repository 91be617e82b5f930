//! The relaxed canonical forms of header fields and of the body: RFC 6376 §3.4.2 and §3.4.4.

use aws_lc_rs::digest::{Context, Digest, SHA256};

/// Bytes that are hashed at once.
const BUFFER_BYTES: usize = 8_192;

/// Hashes a body that comes in pieces.
///
/// White space at the end of a line goes, white space within becomes one space, empty lines at the end go, and a body
/// that is not empty ends in CRLF. A piece may end anywhere, also between CR and LF.
pub struct RelaxedBodyHash {
    digest: Context,
    buffer: Vec<u8>,
    /// Line ends that are not yet known to be followed by a line that counts.
    line_ends: usize,
    /// White space that is not yet known to be followed by more of its line.
    space: bool,
    /// A CR that is not yet known to be followed by LF.
    carriage_return: bool,
    /// Whether a line that counts has been seen.
    any: bool,
}

impl Default for RelaxedBodyHash {
    fn default() -> Self {
        Self {
            digest: Context::new(&SHA256),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            line_ends: 0,
            space: false,
            carriage_return: false,
            any: false,
        }
    }
}

impl RelaxedBodyHash {
    /// Takes the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some((&first, after)) = rest.split_first() {
            if self.carriage_return && first != b'\n' {
                // A CR alone ends no line: it is a character like others.
                self.carriage_return = false;
                self.put(b"\r");
            }
            rest = match first {
                b'\r' => {
                    self.carriage_return = true;
                    after
                }
                b'\n' => {
                    self.carriage_return = false;
                    self.space = false;
                    self.line_ends = self.line_ends.saturating_add(1);
                    after
                }
                b' ' | b'\t' => {
                    self.space = true;
                    after
                }
                _ => {
                    let end = rest.iter().position(|b| b" \t\r\n".contains(b)).unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    self.put(word);
                    after
                }
            };
        }
    }

    /// The SHA-256 of the canonical body.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        if self.carriage_return {
            self.put(b"\r");
        }
        if self.any {
            self.write(b"\r\n");
        }
        self.digest.update(&self.buffer);
        self.digest.finish()
    }

    /// Writes a word with what came before it and counts now.
    fn put(&mut self, word: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.write(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.write(b" ");
        }
        self.write(word);
        self.any = true;
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.buffer.len().saturating_add(bytes.len()) > BUFFER_BYTES {
            self.digest.update(&self.buffer);
            self.buffer.clear();
        }
        if bytes.len() > BUFFER_BYTES {
            self.digest.update(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }
}

/// Appends a header field in relaxed form, without a final CRLF: the name in lower case, the value on one line with
/// white space reduced to one space, none around the colon and none at the end.
pub fn write_relaxed_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let words = value.split(|b| b" \t\r\n".contains(b)).filter(|word| !word.is_empty());
    for (n, word) in words.enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// The fields of a header block as name and value, in their order. A value holds its folds and no final CRLF.
pub fn fields(block: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let (field, after) = rest.split_at(field_end(rest));
        rest = after;
        if let Some(colon) = memchr::memchr(b':', field)
            && let (Some(name), Some(value)) = (field.get(..colon), field.get(colon.saturating_add(1)..))
        {
            found.push((name, value.trim_ascii_end()));
        }
    }
    found
}

/// Where the next field begins: behind the first line end that no white space follows.
fn field_end(block: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', block)
        .map(|at| at.saturating_add(1))
        .find(|next| !matches!(block.get(*next), Some(b' ' | b'\t')))
        .unwrap_or(block.len())
}
