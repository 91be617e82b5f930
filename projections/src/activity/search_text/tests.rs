//! The query language: what is found, what is not, and that no text breaks the reader.

use super::*;
use crate::activity::search_match::Searched;

/// Queries that find the sample row.
const FOUND: &[&str] = &[
    "",
    "*",
    "*:*",
    "welcome",
    "WELCOME",
    "cooking class",
    "\"cooking class\"",
    "subject:cooking",
    "subject:\"Welcome to the * class\"",
    "subject:\"Welcome to the Advanced * class\"",
    "email:ann",
    "email:example.org",
    "email:Ann@Example.org",
    "full_email:ann@example.org",
    "full_email:ann@*",
    "ann@example.org",
    "sender:shop",
    "sender:news@shop.test",
    "tags:order-confirm",
    "tags:vip",
    "u_customer:4711",
    "u_customer:47*",
    "4711",
    "state:sent",
    "state:delivered",
    "wel*",
    "w?lcome",
    "*ooking",
    "welcome AND cooking",
    "welcome OR absent",
    "absent OR welcome",
    "NOT absent",
    "-absent",
    "+welcome",
    "welcome NOT absent",
    "(absent OR welcome) AND class",
    "subject:(absent OR welcome)",
    "NOT (absent AND welcome)",
    "ts:[2023-11-14 TO 2023-11-15]",
    "ts:2023-11-14",
    "ts:[1700000000 TO *]",
    "opens:0",
    "opens:[0 TO 3]",
    "subject:*",
    "client_ip:192.0.2.7",
    "welcome)",
    "(welcome",
    "\"cooking class",
    "OR welcome",
    "welcome OR",
    "AND",
    "NOT",
    "http://absent OR welcome",
    "NOT NOT welcome",
];

/// Queries that do not.
const NOT_FOUND: &[&str] = &[
    "absent",
    "\"class cooking\"",
    "subject:ann",
    "email:news",
    "full_email:ann",
    "full_email:nn@example.org",
    "sender:ann",
    "tags:order-confirmation",
    "u_customer:47",
    "u_other:4711",
    "state:bounced",
    "welcome AND absent",
    "NOT welcome",
    "-welcome",
    "welcome -class",
    "(absent OR other) AND class",
    "subject:(absent OR other)",
    "ts:[2023-11-15 TO *]",
    "ts:2023-11-15",
    "opens:[1 TO *]",
    "clicks:3",
    "template:*",
    "subaccount:x",
    "wel",
    "elcome",
    "client_ip:192.0.2.8",
    "http://absent",
    "\"welcome cooking\"",
];

fn finds(query: &str, row: &Searched<'_>) -> bool {
    SearchQuery::parse(query).unwrap().0.matches(row)
}

#[test]
fn words_phrases_fields_and_their_joins() {
    let row = Searched::sample();
    for query in FOUND {
        assert!(finds(query, &row), "{query}");
    }
    for query in NOT_FOUND {
        assert!(!finds(query, &row), "{query}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    assert_eq!(SearchQuery::parse(&"a".repeat(4_097)), Err(QueryRefusal::TooLong));
    assert_eq!(SearchQuery::parse(&"a ".repeat(65)), Err(QueryRefusal::TooManyTerms));
    assert_eq!(SearchQuery::parse(&"(".repeat(21)), Err(QueryRefusal::TooDeep));
    assert!(SearchQuery::parse(&"NOT ".repeat(1_000)).is_ok());
}

#[test]
fn bare_words_of_a_subject_query_are_looked_for_there_alone() {
    let row = Searched::sample();
    assert!(
        SearchQuery::parse_in_subject("\"cooking class\"")
            .unwrap()
            .0
            .matches(&row)
    );
    assert!(!SearchQuery::parse_in_subject("ann").unwrap().0.matches(&row));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_and_matched_without_a_panic(text in "\\PC{0,80}") {
        if let Ok(query) = SearchQuery::parse(&text) {
            query.0.matches(&Searched::sample());
        }
    }

    #[test]
    fn any_syntax_is_read_and_matched_without_a_panic(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "(", ")", "\"", ":", "[", "]", " TO ", " ", "*", "?", "AND", "OR", "NOT", "-", "+", "subject:", "ts:", "u_x:",
            "ä", "\\", "\u{0}", "welcome", "2023-11-14", "'; DROP TABLE activity; --", "%", "_",
        ]), 0..40),
    ) {
        if let Ok(query) = SearchQuery::parse(&parts.concat()) {
            query.0.matches(&Searched::sample());
        }
    }
}
