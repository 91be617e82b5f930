//! Reads how long a server asks us to wait, as greylisting ones say it: "try again in 300 seconds".

/// Longest wait that is believed, in seconds: what a server says must not park a message.
const WAIT_S_MAX: u32 = 3_600;

/// The wait in seconds that a text asks for, at most an hour; `None` where it asks for none.
///
/// A number counts when the word after it is a unit and the text speaks of coming again.
#[must_use]
pub fn asked_wait_s(text: &str) -> Option<u32> {
    let text = text.to_lowercase();
    if !["again", "retry", "wait", "later", "greylist", "graylist", "after"]
        .iter()
        .any(|word| text.contains(word))
    {
        return None;
    }
    let words: Vec<&str> = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = None;
    for (index, word) in words.iter().enumerate() {
        let digits_end = word.find(|char: char| !char.is_ascii_digit()).unwrap_or(word.len());
        let (digits, rest) = word.split_at(digits_end);
        let Ok(number) = digits.parse::<u32>() else { continue };
        let unit = if rest.is_empty() {
            words.get(index.saturating_add(1)).copied()
        } else {
            Some(rest)
        };
        found = found.or(unit.and_then(seconds_of).map(|seconds| number.saturating_mul(seconds)));
    }
    found
        .filter(|seconds| *seconds > 0)
        .map(|seconds| seconds.min(WAIT_S_MAX))
}

fn seconds_of(unit: &str) -> Option<u32> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60),
        "h" | "hour" | "hours" => Some(3_600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        for (text, seconds) in [
            ("4.7.1 Greylisted, please try again in 300 seconds", Some(300)),
            (
                "Greylisting in action, please come back later. Retry in 5 minutes",
                Some(300),
            ),
            ("try again in 00:04:59", None),
            (
                "4.7.1 Recipient address rejected: Greylisted for 60 seconds (see http://x.test/12)",
                Some(60),
            ),
            ("deferred, wait 2min", Some(120)),
            ("try again after 1 hour", Some(3_600)),
            ("try again in 9 hours", Some(3_600)),
            ("try again in 99999999999 seconds", None),
            ("try again in 4000000000 minutes", Some(3_600)),
            ("try again in 0 seconds", None),
            ("you sent 100 messages in 60 seconds", None),
            ("try again later", None),
            ("", None),
        ] {
            assert_eq!(asked_wait_s(text), seconds, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_parks_a_message(text in "\\PC{0,60}", number: u64) {
            for text in [text.clone(), format!("try again in {number} seconds {text}")] {
                proptest::prop_assert!(asked_wait_s(&text).is_none_or(|seconds| (1..=WAIT_S_MAX).contains(&seconds)));
            }
        }
    }
}
