//! Checks the form of what a sender wants to be told of the delivery (RFC 3461 §4 and §5).

/// Longest `ENVID` and `ORCPT`, in bytes (RFC 3461 §5.4 and §4.2 allow less).
const VALUE_LENGTH_BYTES_MAX: usize = 500;

/// Whether it is `NEVER`, or a list of `SUCCESS`, `FAILURE` and `DELAY`.
pub(super) fn is_notify(value: &str) -> bool {
    let is_one = |word: &str| {
        ["SUCCESS", "FAILURE", "DELAY"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(word))
    };
    value.eq_ignore_ascii_case("NEVER") || value.split(',').all(is_one)
}

/// Whether it is a type of addresses and an address of that type.
pub(super) fn is_original_recipient(value: &str) -> bool {
    let is_type =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // RFC 6533 §3: an address of the type utf-8 may have other characters.
    value.split_once(';').is_some_and(|(kind, address)| {
        is_type(kind) && (is_xtext(address) || kind.eq_ignore_ascii_case("utf-8") && !address.is_empty())
    })
}

/// Whether it is `FULL` or `HDRS`.
pub(super) fn is_return(value: &str) -> bool {
    value.eq_ignore_ascii_case("FULL") || value.eq_ignore_ascii_case("HDRS")
}

/// Whether it is xtext: visible ASCII, in which `+` stands before two upper-case hexadecimal digits.
pub(super) fn is_xtext(value: &str) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let mut follows = || bytes.next().as_ref().is_some_and(is_digit) && bytes.next().as_ref().is_some_and(is_digit);
        let fits = match byte {
            b'+' => follows(),
            b'=' => false,
            other => other.is_ascii_graphic(),
        };
        if !fits {
            return false;
        }
    }
    !value.is_empty() && value.len() <= VALUE_LENGTH_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_rfc_are_known() {
        assert!(is_notify("never") && is_notify("SUCCESS,failure,DELAY"));
        assert!(!is_notify("") && !is_notify("NEVER,DELAY") && !is_notify("SUCCESS,"));
        assert!(is_original_recipient("rfc822;Bob+2Bx@example.org") && is_original_recipient("utf-8;ü@example.org"));
        assert!(
            !is_original_recipient("bob@example.org")
                && !is_original_recipient(";a")
                && !is_original_recipient("rfc822;")
        );
        assert!(is_return("full") && is_return("HDRS") && !is_return("HALF"));
        assert!(is_xtext("QQ314159") && is_xtext("a+3Db"));
        assert!(!is_xtext("a=b") && !is_xtext("a+3d") && !is_xtext("a+3") && !is_xtext(&"a".repeat(501)));
    }
}
