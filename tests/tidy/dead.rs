//! The law on dead files: every Rust file is reached by `mod` from the root of a crate.

use std::collections::BTreeSet;

use super::lexer::{Kind, Token, tokens};
use super::tree::{Finding, Tree};

/// Rust files that no crate compiles.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut alive: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = tree
        .rust()
        .map(|(path, _)| path.to_owned())
        .filter(|p| is_root(p))
        .collect();
    waiting.extend(
        tree.files()
            .filter(|(path, _)| path.ends_with("Cargo.toml"))
            .flat_map(|(path, text)| named_roots(path, text)),
    );
    while let Some(path) = waiting.pop() {
        let Some(text) = tree.text(&path) else { continue };
        if alive.insert(path.clone()) {
            waiting.extend(children(&path, is_root(&path), text));
        }
    }
    let dead = tree.rust().filter(|(path, _)| !alive.contains(*path));
    dead.map(|(path, _)| Finding::at(path, "is compiled by no crate: declare it with `mod` or remove it"))
        .collect()
}

/// Whether cargo finds this file by itself: the library, the program, a test, a benchmark.
fn is_root(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    match last {
        "src" => name == "lib.rs" || name == "main.rs",
        "bin" => above.ends_with("src"),
        // `src/…/tests/` is a module, not cargo's folder.
        _ if folder.split('/').any(|part| part == "src") => false,
        "tests" | "benches" | "examples" | "fuzz_targets" => true,
        _ if name == "main.rs" => matches!(above.rsplit('/').next(), Some("tests" | "benches")),
        _ => name == "build.rs",
    }
}

/// `path = "….rs"` lines of a manifest, which name targets.
fn named_roots(manifest: &str, text: &str) -> Vec<String> {
    let folder = manifest.strip_suffix("Cargo.toml").unwrap_or_default();
    let values = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path")?.trim_start().strip_prefix('='));
    let paths = values
        .map(|value| value.trim().trim_matches('"'))
        .filter(|value| value.ends_with(".rs"));
    paths.map(|path| format!("{folder}{path}")).collect()
}

/// Where the `mod name;` lines of a file lead: both forms, since only one of them exists.
fn children(path: &str, root: bool, text: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let own = if root || stem == "mod" {
        folder.to_owned()
    } else {
        format!("{folder}/{stem}")
    };
    let all = tokens(text);
    let mut found = Vec::new();
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut depth = 0;
    for (at, token) in all.iter().enumerate() {
        match token.kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => {
                depth -= 1;
                inline.retain(|(inside, _)| *inside <= depth);
            }
            _ => {}
        }
        let Some(child) = declared(&all, at) else { continue };
        if all[at + 2].is_sign('{') {
            inline.push((depth + 1, child.to_owned()));
        } else if let Some(path) = path_attribute(&all[..at]) {
            found.push(format!("{folder}/{path}"));
        } else {
            let below: String = inline.iter().map(|(_, name)| format!("{name}/")).collect();
            found.push(format!("{own}/{below}{child}.rs"));
            found.push(format!("{own}/{below}{child}/mod.rs"));
        }
    }
    found
}

/// The name behind `mod`, when `mod name;` or `mod name {` starts at `at`.
fn declared(all: &[Token], at: usize) -> Option<&str> {
    let end = all.get(at + 2)?;
    let is_module = all[at].is_word("mod") && (end.is_sign(';') || end.is_sign('{'));
    if is_module { all[at + 1].word() } else { None }
}

/// The value of `#[path = "…"]` right before.
fn path_attribute(before: &[Token]) -> Option<&str> {
    let before = match before {
        [rest @ .., last] if last.is_word("pub") => rest,
        _ => before,
    };
    let [.., name, _, value, close] = before else {
        return None;
    };
    match &value.kind {
        Kind::Text(text) if name.is_word("path") && close.is_sign(']') => Some(text),
        _ => None,
    }
}

#[test]
fn a_file_without_a_mod_line_is_found() {
    let tree = Tree::of(&[
        ("Cargo.toml", "[[test]]\nname = \"it\"\npath = \"tests/it/all.rs\"\n"),
        ("src/lib.rs", "pub mod log; // mod old;\n"),
        ("src/log/mod.rs", "mod writer; mod sqlite { mod rows; }"),
        ("src/log/writer.rs", "#[cfg(test)] mod tests;"),
        ("src/log/writer/tests.rs", ""),
        ("src/log/sqlite/rows.rs", ""),
        ("src/old.rs", ""),
        ("src/log/tests/left.rs", ""),
        (
            "tests/tidy.rs",
            "mod tidy { mod dead; } #[path = \"tidy/lent.rs\"] pub mod other;",
        ),
        ("tests/tidy/dead.rs", ""),
        ("tests/tidy/lent.rs", ""),
        ("tests/it/all.rs", ""),
        ("tests/it/rest.rs", ""),
        ("tests/faults/main.rs", "mod power_loss;"),
        ("tests/faults/power_loss/mod.rs", ""),
    ]);
    let dead: Vec<String> = findings(&tree).into_iter().map(|f| f.place).collect();
    assert_eq!(dead, ["src/log/tests/left.rs", "src/old.rs", "tests/it/rest.rs"]);
}
