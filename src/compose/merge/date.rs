//! Prints a day in the form that PHP's `date` reads, as templates have it.

use chrono::{DateTime, Datelike, Timelike, Utc};

/// The time in a form: letters that PHP knows are replaced, a backslash keeps the next letter, all else stays.
pub(super) fn php_date(format: &str, at: DateTime<Utc>) -> String {
    let mut out = String::with_capacity(format.len().saturating_mul(2));
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        let chrono = match letter {
            'd' => "%d",
            'D' => "%a",
            'j' => "%-d",
            'l' => "%A",
            'N' => "%u",
            'w' => "%w",
            'W' => "%V",
            'F' => "%B",
            'm' => "%m",
            'M' => "%b",
            'n' => "%-m",
            'o' => "%G",
            'Y' => "%Y",
            'y' => "%y",
            'a' => "%P",
            'A' => "%p",
            'g' => "%-I",
            'G' => "%-H",
            'h' => "%I",
            'H' => "%H",
            'i' => "%M",
            's' => "%S",
            'c' => "%Y-%m-%dT%H:%M:%S+00:00",
            'r' => "%a, %d %b %Y %H:%M:%S +0000",
            'U' => "%s",
            'S' => {
                out.push_str(ordinal(at.day()));
                continue;
            }
            'z' => {
                out.push_str(&at.ordinal0().to_string());
                continue;
            }
            'u' => {
                out.push_str(&format!("{:06}", at.nanosecond() / 1_000));
                continue;
            }
            'e' | 'T' => {
                out.push_str("UTC");
                continue;
            }
            '\\' => {
                out.extend(letters.next());
                continue;
            }
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(&at.format(chrono).to_string());
    }
    out
}

const fn ordinal(day: u32) -> &'static str {
    match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    }
}
