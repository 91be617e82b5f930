//! Allow-lists: what may stand at the top of the repository, what the pure crates may depend on, and that every crate
//! takes the workspace's lints.

use std::collections::BTreeSet;

use super::tree::{Finding, Tree};

/// Every entry that may stand at the top.
const TOP: [&str; 23] = [
    ".ci",
    ".config",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "docs",
    "domain",
    "fuzz",
    "migrations",
    "packaging",
    "projections",
    "rustfmt.toml",
    "scripts",
    "src",
];
/// What the domain may build on: values, their wire form, and the traits of an aggregate. Nothing that does IO.
const DOMAIN: [&str; 6] = ["chrono", "cqrs-es", "serde", "serde_json", "thiserror", "uuid"];
/// The one crate of ours that the projections may see.
const PROJECTIONS: [&str; 1] = ["sealpost-domain"];

/// Entries and dependencies outside their lists.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let top: BTreeSet<&str> = tree
        .files()
        .map(|(path, _)| path.split('/').next().unwrap_or(path))
        .collect();
    let strange = top
        .into_iter()
        .filter(|entry| *entry != "tests" && !TOP.contains(entry));
    let mut found: Vec<Finding> = strange
        .map(|entry| Finding::at(entry, "may not stand at the top of the repository: find its room"))
        .collect();
    for (path, dependency) in dependencies_of(tree, "domain/Cargo.toml") {
        if !DOMAIN.contains(&dependency.as_str()) {
            found.push(Finding::at(
                path,
                format!("the domain may not depend on `{dependency}`: it decides, nothing else"),
            ));
        }
    }
    for (path, dependency) in dependencies_of(tree, "projections/Cargo.toml") {
        if dependency.starts_with("sealpost") && !PROJECTIONS.contains(&dependency.as_str()) {
            found.push(Finding::at(
                path,
                format!("the projections may not depend on `{dependency}`"),
            ));
        }
    }
    for (path, text) in tree
        .files()
        .filter(|(path, _)| path.ends_with("Cargo.toml") && !path.starts_with("packaging/"))
    {
        // The section's own line: `[workspace.lints.…]` at the top only declares them.
        if !text.contains("\n[lints]\nworkspace = true\n") {
            found.push(Finding::at(
                path,
                "does not take the workspace's lints: `[lints]`, `workspace = true`",
            ));
        }
        let clippy = format!("{}clippy.toml", path.strip_suffix("Cargo.toml").unwrap_or_default());
        if !tree.has(&clippy) {
            found.push(Finding::at(
                path,
                "has no `clippy.toml` beside it: its bans would be another crate's",
            ));
        }
    }
    found
}

/// The names under every `[…dependencies]` of a manifest but the dev ones.
fn dependencies_of<'a>(tree: &Tree, path: &'a str) -> Vec<(&'a str, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in tree.text(path).unwrap_or_default().lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            header.clone_into(&mut section);
            // `[dependencies.name]` names its dependency in the header.
            if let Some((_, name)) = header
                .rsplit_once("dependencies.")
                .filter(|(kind, _)| !kind.ends_with("dev-"))
            {
                found.push((path, name.to_owned()));
            }
        } else if section.ends_with("dependencies") && !section.ends_with("dev-dependencies") && line.contains('=') {
            let end = line.find(['.', '=', ' ']).unwrap_or(line.len());
            found.push((path, line[..end].trim_matches('"').to_owned()));
        }
    }
    found.retain(|(_, name)| !name.starts_with('#'));
    found
}

#[test]
fn each_list_has_a_sample_outside_it() {
    for (path, text, what) in [
        ("notes.txt", "", "may not stand at the top"),
        ("plans/next.md", "", "may not stand at the top"),
        (
            "domain/Cargo.toml",
            "[dependencies]\ntokio.workspace = true\n",
            "may not depend on `tokio`",
        ),
        (
            "domain/Cargo.toml",
            "[dependencies.rand]\nversion = \"0.10\"\n",
            "may not depend on `rand`",
        ),
        (
            "domain/Cargo.toml",
            "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
            "may not depend on `libc`",
        ),
        (
            "domain/Cargo.toml",
            "[build-dependencies]\n\"cc\" = \"1\"\n",
            "may not depend on `cc`",
        ),
        (
            "projections/Cargo.toml",
            "[dependencies]\nsealpost = { path = \"..\" }\n",
            "may not depend on `sealpost`",
        ),
    ] {
        let text = format!("{text}{LINTS}");
        let found = findings(&Tree::of(&[
            (path, &text),
            ("domain/clippy.toml", ""),
            ("projections/clippy.toml", ""),
        ]));
        assert!(found.len() == 1 && found[0].what.contains(what), "{path}: {found:?}");
    }
}

const LINTS: &str = "\n[lints]\nworkspace = true\n";

#[test]
fn a_crate_without_lints_or_bans_is_found() {
    let tree = Tree::of(&[("fuzz/Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n")]);
    let whats: Vec<String> = findings(&tree).into_iter().map(|f| f.what).collect();
    assert!(
        whats.len() == 2 && whats[0].contains("lints") && whats[1].contains("clippy.toml"),
        "{whats:?}"
    );
}

#[test]
fn the_lists_themselves_pass() {
    let domain = "[package]\nname = \"d\"\n[dependencies]\n# Wire form.\nserde.workspace = true\n[dev-dependencies]\ninsta = \"1\"\n";
    let domain = format!("{domain}{LINTS}");
    let tree = Tree::of(&[
        ("domain/Cargo.toml", &domain),
        ("domain/clippy.toml", ""),
        ("tests/tidy.rs", ""),
        ("docs/config.md", ""),
    ]);
    assert_eq!(findings(&tree), []);
}
