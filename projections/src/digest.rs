//! A digest over all rows of a read model: two builds of the same log have the same one.

use std::fmt::Write;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

use crate::failure::ProjectionFailure;
use crate::projection::Projection;
use crate::store::sqlite::{Reader, Shape, file_of, position_seen, walk};

/// SHA-256 over tables, columns and rows, each value with its kind and length so that no two contents collide.
pub(crate) struct Digest(Context);

impl Digest {
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub fn table(&mut self, name: &str, columns: &[String]) {
        self.bytes(b'T', name.as_bytes());
        for column in columns {
            self.bytes(b'C', column.as_bytes());
        }
    }

    pub fn row(&mut self) {
        self.0.update(b"R");
    }

    pub fn null(&mut self) {
        self.0.update(b"n");
    }

    pub fn bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update(&[kind]);
        self.0
            .update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
    }

    pub fn finish(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finish().as_ref() {
            // Writing to a String cannot fail.
            write!(hex, "{byte:02x}").unwrap_or_default();
        }
        hex
    }
}

/// A digest and the place in the log that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsDigest {
    /// Position of the last event that the rows know.
    pub position: u64,
    /// SHA-256 in hex over all rows in the order of their primary keys; the checkpoint is no part of it.
    pub sha256: String,
}

/// Digests the rows of a projection in the folder of read models, on one snapshot, while it may go on.
///
/// # Errors
/// [`ProjectionFailure::Unbuilt`] where there is no file; as [`ProjectionFailure`] says.
pub fn digest<P: Projection>(dir: &Path) -> Result<RowsDigest, ProjectionFailure> {
    Reader::new(P::NAME, file_of::<P>(dir)).ask(|rows| {
        let mut digest = Digest::new();
        walk(rows, Shape::of::<P>(), &mut digest)?;
        Ok(RowsDigest {
            position: position_seen(rows, Shape::of::<P>())?,
            sha256: digest.finish(),
        })
    })
}
