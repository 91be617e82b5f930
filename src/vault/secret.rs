//! 32 secret bytes, zeroized when dropped, and what is derived from them.

use std::fmt;

use aws_lc_rs::{hkdf, rand};
use zeroize::Zeroizing;

use super::failure::VaultFailure;

/// Length of every key in the vault, in bytes.
pub const SECRET_BYTES: usize = 32;

/// A key of 32 uniformly random bytes. Redacted in `Debug`, zeroized when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    /// Draws one.
    pub fn draw() -> Result<Self, VaultFailure> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| VaultFailure::Cipher { doing: "drawing a key" })?;
        Ok(Self(bytes))
    }

    /// Takes 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; SECRET_BYTES]>::try_from(bytes)
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Derives the key for one purpose and one subject. RFC 5869 §3.3: the secret is uniformly random, so Extract is
    /// skipped. Unambiguous because a purpose ends with `/` and no purpose is the beginning of another.
    pub fn derive(&self, purpose: &'static [u8], subject: &[u8]) -> Result<Self, VaultFailure> {
        let mut out = Zeroizing::new([0; SECRET_BYTES]);
        hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, self.as_bytes())
            .expand(&[purpose, subject], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map_err(|_| VaultFailure::Cipher {
                doing: "deriving a key",
            })?;
        Ok(Self(out))
    }

    /// The bytes. Never log them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
