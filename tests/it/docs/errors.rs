//! Every error of `docs/errors.md` is provoked by a test through a door, but for those that no caller can bring about.

use std::path::Path;

use sealpost::smtp::server::submission::ReplyCode;

use super::golden::read;

/// Errors that no test provokes through a door, and why. The list may only shrink.
const NOT_PROVOKED: [(&str, &str); 11] = [
    ("address_not_suppressed", "no door releases an address yet"),
    ("address_suppressed", "no door suppresses an address yet"),
    (
        "content_erased",
        "provoked in Mandrill's words, `/v1` gives no content yet",
    ),
    ("internal", "a bug"),
    ("message_changed", "a race of two commands within a turn of the actor"),
    (
        "metrics_forbidden",
        "needs a caller from another machine; tested beside its handler",
    ),
    ("not_ready", "needs a read model that is being built"),
    ("nothing_changed", "no door suspends an account yet"),
    ("unknown_selector", "the doors make the keys that a choice needs"),
    (
        "unknown_subaccount",
        "a subaccount is put on record; none is unknown until there are any",
    ),
    ("unknown_user", "no door changes a user yet"),
];

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Replies of submission that no test provokes, and why.
const REPLIES_NOT_PROVOKED: [(&str, &str); 3] = [
    ("Too busy", "needs more mail than the memory bears"),
    (
        "The service cannot do it at the moment",
        "needs a log or vault that fails",
    ),
    ("Logging in is not possible at the moment", "needs a log that fails"),
];

#[test]
fn every_reply_of_submission_is_provoked_or_has_a_reason_why_not() {
    let mut tests = String::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/submission"),
        &mut tests,
    );
    for reply in ReplyCode::ALL {
        let provoked = tests.contains(reply.text());
        let excused = REPLIES_NOT_PROVOKED.iter().any(|(excused, _)| *excused == reply.text());
        assert!(provoked || excused, "no test provokes {reply:?}");
        assert!(!(provoked && excused), "{reply:?} is provoked: take it off the list");
    }
    assert!(REPLIES_NOT_PROVOKED.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn every_error_is_provoked_or_has_a_reason_why_not() {
    let mut tests = String::new();
    for doors in ["bad_input", "cli", "control", "mandrill", "v1"] {
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(doors),
            &mut tests,
        );
    }
    let document = read("docs/errors.md");
    let codes: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert!(codes.len() >= 40, "{codes:?}");
    for code in &codes {
        let provoked = tests.contains(&format!("\"{code}\""));
        let excused = NOT_PROVOKED.iter().any(|(excused, _)| excused == code);
        assert!(provoked || excused, "no test provokes {code}");
        assert!(!(provoked && excused), "{code} is provoked: take it off the list");
    }
    for (excused, reason) in NOT_PROVOKED {
        assert!(codes.contains(&excused) && !reason.is_empty(), "{excused} is no code");
    }
}
