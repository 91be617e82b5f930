//! Reads addresses whose domain is written in its own script.

use sealpost_domain::address::{AddressRefusal, Mailbox};

/// Reads an address whose domain may be written in its own script (RFC 5890: U-labels become A-labels).
///
/// # Errors
/// As [`AddressRefusal`] says.
pub fn parse_mailbox(given: &str) -> Result<Mailbox, AddressRefusal> {
    let given = given.trim_matches(' ');
    match given.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => {
            let ascii = idna::domain_to_ascii(domain).map_err(|_| AddressRefusal::BadDomain)?;
            Mailbox::parse(&format!("{local}@{ascii}"))
        }
        _ => Mailbox::parse(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_may_be_written_in_its_own_script() {
        let read = |text| parse_mailbox(text).map(|mailbox| mailbox.as_str().to_owned());
        assert_eq!(read(" b@exämple.org ").as_deref(), Ok("b@xn--exmple-cua.org"));
        assert_eq!(read("ü@example.org"), Err(AddressRefusal::NotAscii));
        assert_eq!(read("b@exä mple.org"), Err(AddressRefusal::BadDomain));
    }

    proptest::proptest! {
        #[test]
        fn an_address_is_read_or_refused_and_nothing_breaks(text in ".{0,60}") {
            if let Ok(mailbox) = parse_mailbox(&text) {
                proptest::prop_assert!(mailbox.as_str().is_ascii());
            }
        }
    }
}
