//! Where a message's content lies, as its accept records it.

use serde::{Deserialize, Serialize};

use crate::ids::PartId;

/// A stored part: a sealed record of a pack file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRef {
    /// The part; its wrap in the vault opens it.
    pub part: PartId,
    /// Name of the pack, a day as `2026-11-25`.
    pub pack: String,
    /// Where the record begins in the pack, in bytes.
    pub offset: u64,
    /// Length of the record in the pack, in bytes.
    pub length_bytes: u32,
}

/// The content of one message: its parts in the order of the wire. The head is the recipient's own, the body may be
/// shared by all recipients of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRef {
    /// The parts, joined in this order.
    pub parts: Vec<PartRef>,
    /// Length of the joined parts, in bytes.
    pub size_bytes: u64,
}
