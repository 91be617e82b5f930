//! Laws about a file as a whole: how long it is, how it opens, how it is called.

use super::tree::{Finding, Tree};

/// A Rust file's longest, in lines.
const FILE_LINES_MAX: usize = 400;
/// A room's door shows the subject and its re-exports, no more.
const DOOR_LINES_MAX: usize = 80;
/// Names that say where code was put, not what it is. Digits behind them do not help.
const FORBIDDEN: [&str; 10] = [
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "types", "models",
];

/// What breaks a law about files.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX && !is_golden(path) {
            found.push(Finding::at(
                path,
                format!("has {lines} lines, more than {FILE_LINES_MAX}: split it by subject"),
            ));
        }
        if path.ends_with("/mod.rs") && lines > DOOR_LINES_MAX {
            found.push(Finding::at(
                path,
                format!("has {lines} lines: a door has at most {DOOR_LINES_MAX}"),
            ));
        }
        if !opens_with_a_sentence(text) {
            found.push(Finding::at_line(
                path,
                1,
                "opens without `//! ` and a sentence that says what it does",
            ));
        }
        found.extend(path.split('/').filter(|part| is_forbidden(part)).map(|part| {
            Finding::at(
                path,
                format!("`{part}` names a place, not a subject: use the noun that it holds"),
            )
        }));
    }
    found
}

/// The longest Rust file, for people to see how near the limit is.
pub fn longest(tree: &Tree) -> String {
    let longest = tree
        .rust()
        .filter(|(path, _)| !is_golden(path))
        .max_by_key(|(_, text)| text.lines().count());
    longest.map_or_else(String::new, |(path, text)| {
        format!("longest file: {} lines, {path}", text.lines().count())
    })
}

fn is_golden(path: &str) -> bool {
    path.split('/').any(|part| part == "golden" || part == "snapshots")
}

fn opens_with_a_sentence(text: &str) -> bool {
    let opening: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .take_while(|l| !l.is_empty())
        .collect();
    opening.first().is_some_and(|l| l.starts_with(' ')) && opening.iter().any(|line| line.contains(['.', '?', ':']))
}

fn is_forbidden(part: &str) -> bool {
    let stem = part.strip_suffix(".rs").unwrap_or(part);
    let noun = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    FORBIDDEN.contains(&noun) || (noun == "handlers" && noun != stem)
}

#[test]
fn each_law_has_a_sample_that_breaks_it() {
    let long = format!("//! Is long.\n{}", "// A line.\n".repeat(FILE_LINES_MAX));
    let door = format!("//! Is a door.\n{}", "// A line.\n".repeat(DOOR_LINES_MAX));
    for (path, text, what) in [
        ("src/log/writer.rs", long.as_str(), "has 401 lines"),
        ("src/log/mod.rs", door.as_str(), "has 81 lines"),
        ("src/log/writer.rs", "fn a() {}\n", "opens without"),
        ("src/log/writer.rs", "//!\n//! Too late.\n", "opens without"),
        ("src/log/writer.rs", "//! writer\n", "opens without"),
        ("src/utils.rs", "//! Holds all.\n", "`utils.rs` names a place"),
        ("src/helpers2.rs", "//! Holds all.\n", "`helpers2.rs` names a place"),
        (
            "src/http/handlers2.rs",
            "//! Holds all.\n",
            "`handlers2.rs` names a place",
        ),
        ("src/common/log.rs", "//! Holds all.\n", "`common` names a place"),
    ] {
        let found = findings(&Tree::of(&[(path, text)]));
        assert!(found.len() == 1 && found[0].what.contains(what), "{path}: {found:?}");
    }
}

#[test]
fn golden_files_may_be_long_and_good_ones_pass() {
    let long = format!("//! Is long.\n{}", "// A line.\n".repeat(FILE_LINES_MAX));
    let tree = Tree::of(&[
        ("tests/it/golden/wire.rs", &long),
        ("src/http/handlers.rs", "//! Answers.\n"),
    ]);
    assert_eq!(findings(&tree), []);
    assert_eq!(longest(&tree), "longest file: 1 lines, src/http/handlers.rs");
}
