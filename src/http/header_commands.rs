//! Headers that a call gives the platform and not the recipient: a message's time to live, and its demand for TLS.

use std::time::Duration;

use sealpost_domain::limits::{MESSAGE_LIFETIME_S_MAX, MESSAGE_LIFETIME_S_MIN};
use sealpost_domain::message::TlsLevel;

use super::fault::Fault;
use super::field_names::Dialect;
use crate::intake::{LIFETIME_HEADER, REQUIRE_TLS_HEADER, read_lifetime, read_require_tls};

/// What the headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderCommands {
    /// After how long it bounces; `None` where no header says it.
    pub(super) lifetime: Option<Duration>,
    /// Least protection that it demands.
    pub(super) tls_required: TlsLevel,
}

/// Takes the commands out of a call's headers: they do not leave. Of several of one kind the first lifetime and the
/// strictest demand hold.
///
/// # Errors
/// One that is not in its form, with its field.
pub(super) fn take(dialect: Dialect, headers: &mut Vec<(String, String)>) -> Result<HeaderCommands, Fault> {
    let mut said = HeaderCommands {
        lifetime: None,
        tls_required: TlsLevel::Plain,
    };
    for (name, value) in std::mem::take(headers) {
        if name.eq_ignore_ascii_case(LIFETIME_HEADER) {
            let Some(lifetime) = read_lifetime(&value) else {
                let range = format!("Please enter seconds from {MESSAGE_LIFETIME_S_MIN} to {MESSAGE_LIFETIME_S_MAX}");
                return Err(Fault::field(dialect.header(&name), range));
            };
            said.lifetime.get_or_insert(lifetime);
        } else if name.eq_ignore_ascii_case(REQUIRE_TLS_HEADER) {
            let Some(least) = read_require_tls(&value) else {
                return Err(Fault::field(dialect.header(&name), "Please enter yes or no"));
            };
            said.tls_required = said.tls_required.max(least);
        } else {
            headers.push((name, value));
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(headers: &[(&str, &str)]) -> Result<(HeaderCommands, usize), String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut headers: Vec<_> = headers.iter().map(owned).collect();
        let said = take(Dialect::Mandrill, &mut headers);
        said.map(|said| (said, headers.len()))
            .map_err(|fault| fault.field.unwrap_or_default())
    }

    #[test]
    fn commands_are_read_and_do_not_leave() {
        let (said, left) = taken(&[
            ("x-sealpost-ttl", "900"),
            ("X-Other", "1"),
            ("X-Sealpost-Require-TLS", "yes"),
            ("x-sealpost-require-tls", "no"),
            ("X-Sealpost-TTL", "60"),
        ])
        .unwrap();
        assert_eq!(left, 1);
        assert_eq!(said.lifetime, Some(Duration::from_secs(900)));
        assert_eq!(said.tls_required, TlsLevel::Encrypted, "the stricter one holds");
        let (said, _) = taken(&[("X-Other", "1")]).unwrap();
        assert_eq!((said.lifetime, said.tls_required), (None, TlsLevel::Plain));
    }

    #[test]
    fn one_that_is_not_in_its_form_is_named() {
        for bad in ["59", "soon", "604801"] {
            assert_eq!(
                taken(&[("X-Sealpost-TTL", bad)]),
                Err("message.headers.X-Sealpost-TTL".to_owned())
            );
        }
        assert_eq!(
            taken(&[("x-sealpost-require-tls", "perhaps")]),
            Err("message.headers.x-sealpost-require-tls".to_owned())
        );
    }
}
