//! The law on `ARCHITECTURE.md`: it stays short, and every file that it names exists.

use super::tree::{Finding, Tree};

/// Longer, and nobody reads it to the end.
const LINES_MAX: usize = 300;
/// Where a name may be looked up: from the top, or from the root of a crate.
const ROOTS: [&str; 4] = ["", "src/", "domain/src/", "projections/src/"];
/// Endings that make a name a file's.
const ENDINGS: [&str; 8] = [".rs", ".md", ".toml", ".sql", ".json", ".svg", ".py", "/"];

/// Names that lead nowhere.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let path = "ARCHITECTURE.md";
    let Some(text) = tree.text(path) else { return Vec::new() };
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(Finding::at(path, format!("has {lines} lines, more than {LINES_MAX}")));
    }
    let mut roots: Vec<String> = ROOTS.map(str::to_owned).to_vec();
    for (n, line) in text.lines().enumerate() {
        let names: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        if line.starts_with('#') {
            // Under a room's heading its files go by their own names.
            roots.truncate(ROOTS.len());
            let room = names.iter().filter(|name| tree.has(name));
            roots.extend(room.map(|name| format!("{}/", name.trim_end_matches('/'))));
        }
        for name in names.into_iter().filter(|name| is_path(tree, name)) {
            for one in unfold(name).iter().filter(|one| !exists(tree, &roots, one)) {
                found.push(Finding::at_line(path, n + 1, format!("`{one}` does not exist")));
            }
        }
    }
    found
}

/// A file's ending, or a known folder first. Routes (`/v1`), code and commands are none.
fn is_path(tree: &Tree, name: &str) -> bool {
    let plain = !name.starts_with('/') && !name.contains([' ', '<', '(', ':', '=', '$']);
    let known = name
        .split_once('/')
        .is_some_and(|(first, _)| ROOTS.iter().any(|root| tree.has(&format!("{root}{first}"))));
    plain && (known || ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// `a/{b,c}.rs` → `a/b.rs`, `a/c.rs`.
fn unfold(name: &str) -> Vec<String> {
    let Some((before, (inner, after))) = name
        .split_once('{')
        .and_then(|(b, rest)| Some((b, rest.split_once('}')?)))
    else {
        return vec![name.to_owned()];
    };
    inner
        .split(',')
        .flat_map(|part| unfold(&format!("{before}{}{after}", part.trim())))
        .collect()
}

fn exists(tree: &Tree, roots: &[String], name: &str) -> bool {
    if name.contains('*') {
        let below = |path: &str, root: &String| path.strip_prefix(root.as_str()).is_some_and(|rest| fits(rest, name));
        return tree.files().any(|(path, _)| roots.iter().any(|root| below(path, root)));
    }
    roots.iter().any(|root| tree.has(&format!("{root}{name}")))
}

/// Part by part; `*` stands for one part or a piece of it.
fn fits(path: &str, pattern: &str) -> bool {
    let (path, pattern): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), pattern.split('/').collect());
    path.len() == pattern.len()
        && path
            .iter()
            .zip(&pattern)
            .all(|(part, want)| match want.split_once('*') {
                Some((start, end)) => {
                    part.len() >= start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
                }
                None => part == want,
            })
}

#[test]
fn a_name_that_leads_nowhere_is_found() {
    let text =
        "`src/log/writer.rs` `log/gone.rs` `message/{state,gone}.rs` `log/*.sql` `docs/gone` `nowhere.md` `old/`";
    let tree = Tree::of(&[
        ("ARCHITECTURE.md", text),
        ("src/log/writer.rs", ""),
        ("domain/src/message/state.rs", ""),
        ("docs/here.md", ""),
    ]);
    let gone: Vec<String> = findings(&tree).into_iter().map(|f| f.what).collect();
    let names = [
        "log/gone.rs",
        "message/gone.rs",
        "log/*.sql",
        "docs/gone",
        "nowhere.md",
        "old/",
    ];
    assert_eq!(gone, names.map(|name| format!("`{name}` does not exist")));
}

#[test]
fn under_a_room_s_heading_its_files_go_by_their_own_names() {
    let text = "`writer.rs`\n## `src/log`\n`writer.rs` `gone.rs`\n## Ways\n`writer.rs`\n";
    let tree = Tree::of(&[("ARCHITECTURE.md", text), ("src/log/writer.rs", "")]);
    let places: Vec<String> = findings(&tree).into_iter().map(|f| f.place).collect();
    assert_eq!(places, ["ARCHITECTURE.md:1", "ARCHITECTURE.md:3", "ARCHITECTURE.md:5"]);
}

#[test]
fn names_that_exist_and_words_that_are_no_names_pass() {
    let text = "`{src,tests}/tidy.rs`… `log/*.rs` `/v1/messages` `text/html` `cargo run` `a::b/c` `2xx/250`";
    let tree = Tree::of(&[
        ("ARCHITECTURE.md", text),
        ("src/log/writer.rs", ""),
        ("src/tidy.rs", ""),
        ("tests/tidy.rs", ""),
    ]);
    assert_eq!(findings(&tree), []);
    let long = "A line.\n".repeat(LINES_MAX + 1);
    assert_eq!(findings(&Tree::of(&[("ARCHITECTURE.md", &long)])).len(), 1);
}
