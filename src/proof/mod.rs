//! What a verifier needs who trusts nobody: the canonical text of an event and its leaf. Sees no other room.

mod canonical;
mod leaf;

pub use canonical::{CanonicalEvent, canonical};
pub use leaf::leaf;
