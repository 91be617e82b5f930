//! Reads whether a message demands TLS, where its sender says so in a header.

use sealpost_domain::message::TlsLevel;

/// The header that says it, for doors that have no field for it: `yes` or `no`. It does not leave.
pub const REQUIRE_TLS_HEADER: &str = "X-Sealpost-Require-TLS";

/// Reads `yes`, which is TLS with any certificate, or `no`; `None` for anything else.
#[must_use]
pub fn read_require_tls(value: &str) -> Option<TlsLevel> {
    match value.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(TlsLevel::Encrypted),
        "no" | "false" => Some(TlsLevel::Plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_yes_or_no() {
        for (value, level) in [
            ("yes", Some(TlsLevel::Encrypted)),
            (" YES ", Some(TlsLevel::Encrypted)),
            ("true", Some(TlsLevel::Encrypted)),
            ("no", Some(TlsLevel::Plain)),
            ("False", Some(TlsLevel::Plain)),
            ("", None),
            ("1", None),
            ("always", None),
        ] {
            assert_eq!(read_require_tls(value), level, "{value:?}");
        }
    }
}
