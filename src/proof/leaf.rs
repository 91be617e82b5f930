//! The leaf of the Merkle tree (RFC 6962 §2.1).

use aws_lc_rs::digest;

/// Hash of one leaf: SHA-256 over a zero byte and the canonical text. RFC 6962 §2.1: the zero byte keeps a leaf from
/// passing for an inner node, which begins with a one.
#[must_use]
pub fn leaf(canonical: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0]);
    context.update(canonical);
    let sum = context.finish();
    // SHA-256 has 32 bytes.
    sum.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_of_nothing_is_that_of_rfc_6962() {
        let hex: String = leaf(b"").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
