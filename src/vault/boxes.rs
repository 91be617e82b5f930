//! The cipher: AES-256-GCM with a random nonce in front of each box.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::failure::VaultFailure;
use super::nonce;
use super::secret::Secret;

/// By how much a box is longer than what it holds: nonce and tag, in bytes.
pub const BOX_OVERHEAD_BYTES: usize = NONCE_LEN + 16;

/// A key in the form in which the cipher takes it.
pub struct BoxKey(LessSafeKey);

impl BoxKey {
    /// Expands a secret. Each secret seals few boxes (those of one event, one part, one wrap), so that random nonces
    /// of 96 bits never come near the bound of NIST SP 800-38D §8.3.
    pub fn new(secret: &Secret) -> Result<Self, VaultFailure> {
        UnboundKey::new(&AES_256_GCM, secret.as_bytes())
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| VaultFailure::Cipher { doing: "taking a key" })
    }

    /// Returns `nonce ‖ cipher text ‖ tag`.
    pub fn seal(&self, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultFailure> {
        let mut boxed = Vec::with_capacity(plain.len().saturating_add(BOX_OVERHEAD_BYTES));
        self.seal_onto(&mut boxed, bound, plain)?;
        Ok(boxed)
    }

    /// Appends `nonce ‖ cipher text ‖ tag` to `out`. `bound` is authenticated and not stored.
    pub fn seal_onto(&self, out: &mut Vec<u8>, bound: &[u8], plain: &[u8]) -> Result<(), VaultFailure> {
        let failed = |_| VaultFailure::Cipher { doing: "sealing" };
        let nonce = nonce::draw().map_err(failed)?;
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plain);
        let (_, body) = out.split_at_mut(start);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), body)
            .map_err(failed)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a box in its own place; `None` when it was made with another key, bound to something else, or changed.
    pub fn open<'a>(&self, bound: &[u8], boxed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let (nonce, body) = boxed.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(bound), body).ok()
    }
}
