//! Signs finished messages (DKIM, RFC 6376, relaxed/relaxed) and makes the keys for it.
//!
//! A message is signed in the pieces in which it is stored, without being joined. The body is canonicalised here, because
//! the library at hand keeps lines of white space at the end of a relaxed body, against RFC 6376 §3.4.4, and takes the
//! time from the clock; that library verifies our signatures in the tests. Start at [`DkimSigner::sign`].

pub mod canonical;
pub mod key;
pub mod signer;

pub use key::{DkimKeyPair, dns_name, dns_record, generate, generate_ed25519, generate_rsa_2048};
pub use signer::{DkimFailure, DkimSigner, Signable};

#[cfg(test)]
mod tests;
