//! Who may see whom: the table of arrows between the rooms of `src`, and the check of every path against it.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Finding, Tree};
use super::use_paths::{Reference, references};

/// What a room may see besides itself, as names with blanks between.
#[derive(Debug, Clone, Copy)]
enum May {
    /// These and nothing else. `vault::content` opens that part of `vault` alone.
    See(&'static str),
    /// Every room but these.
    SeeAllBut(&'static str),
}

use May::{See, SeeAllBut};

/// The table. `domain` is open to all but `proof`: a verifier is trusted by people who do not trust us. Of the
/// projections the log sees the one trait that it implements, and how that fails.
#[rustfmt::skip]
const ARROWS: [(&str, May); 25] = [
    ("domain",       See("")),
    ("projections",  See("domain")),
    ("proof",        See("")),
    ("clock",        See("domain")),
    ("durable_folder", See("")),
    ("write_ahead_log", See("")),
    ("certificate",  See("domain")),
    ("smtp::wire",   See("domain")),
    ("smtp::client", See("domain smtp::wire")),
    ("smtp::server", See("domain clock smtp::wire access compose actors intake")),
    ("smtp",         See("smtp::wire smtp::client smtp::server")),
    ("vault",        See("domain clock durable_folder write_ahead_log")),
    ("log",          See("domain clock durable_folder write_ahead_log vault proof projections::EventSource projections::SourceFailure")),
    ("actors",       See("domain clock log projections")),
    ("access",       See("domain clock projections vault actors")),
    ("compose",      See("domain clock vault")),
    ("intake",       See("domain clock access compose actors")),
    ("delivery",     See("domain clock projections log actors vault compose smtp::client smtp::wire")),
    ("http",         See("domain clock certificate projections access compose actors intake vault::content log::read")),
    ("notify",       See("domain clock projections log actors vault compose smtp::client")),
    // Gathers the settings that each room declares beside itself.
    ("config",       SeeAllBut("cli serve main lib")),
    ("serve",        SeeAllBut("cli main lib")),
    ("cli",          SeeAllBut("http main lib")),
    ("main",         See("cli")),
    ("lib",          See("")),
];

/// Imports against the table, names outside it, and cycles.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in tree.rust() {
        let Some(module) = module_of(path) else { continue };
        let Some(from) = room_of_file(path, &module) else {
            found.push(Finding::at(
                path,
                "stands in no room: the table of arrows does not know it",
            ));
            continue;
        };
        for reference in references(&module, text) {
            match judge(from, &reference) {
                Ok(Some(to)) => drop(graph.entry(from).or_default().insert(to)),
                Ok(None) => {}
                Err(what) => found.push(Finding::at_line(path, reference.line, what)),
            }
        }
    }
    found.extend(cycle(&graph).map(|rooms| Finding::at("src", format!("rooms see each other in a circle: {rooms}"))));
    found
}

/// The module path of a file of the root package: `src/log/read.rs` → `log`, `read`.
fn module_of(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    let is_root = inner == "lib" || inner == "main";
    Some(if is_root {
        Vec::new()
    } else {
        inner.split('/').map(str::to_owned).collect()
    })
}

fn room_of_file(path: &str, module: &[String]) -> Option<&'static str> {
    match path {
        "src/lib.rs" => Some("lib"),
        "src/main.rs" => Some("main"),
        _ => room_of(module),
    }
}

/// The room that a path of the crate leads to; `smtp` has three within.
fn room_of(path: &[String]) -> Option<&'static str> {
    let longest = ARROWS
        .iter()
        .rev()
        .map(|(room, _)| *room)
        .filter(|room| starts_with(path, room));
    longest.max_by_key(|room| room.len())
}

fn starts_with(path: &[String], room: &str) -> bool {
    room.split("::")
        .enumerate()
        .all(|(n, part)| path.get(n).is_some_and(|p| p == part))
}

/// Whether `from` may hold that reference; names the other room when it leads to one.
fn judge(from: &'static str, reference: &Reference) -> Result<Option<&'static str>, String> {
    let mut path = reference.path.clone();
    match path.first().map(String::as_str) {
        Some("sealpost_domain") => "domain".clone_into(&mut path[0]),
        Some("sealpost_projections") => "projections".clone_into(&mut path[0]),
        None | Some("*") => return Err("names the whole crate: name the room".to_owned()),
        _ => {}
    }
    let shown = path.join("::");
    let Some(to) = room_of(&path) else {
        // The two roots see the outside world by bare names; elsewhere a path of the crate must lead to a room.
        return if from == "lib" || from == "main" {
            Ok(None)
        } else {
            Err(format!("`{shown}` leads to no room"))
        };
    };
    let siblings_in_tests = reference.in_tests && from.split("::").next() == to.split("::").next();
    if from == to || siblings_in_tests || may(from, to, &path) {
        return Ok((from != to && !reference.in_tests).then_some(to));
    }
    Err(format!(
        "`{from}` may not see `{to}` (`{shown}`): the table of arrows says what it may see"
    ))
}

fn may(from: &str, to: &str, path: &[String]) -> bool {
    match ARROWS.iter().find(|(room, _)| *room == from).map(|(_, may)| may) {
        Some(See(rooms)) => rooms.split_whitespace().any(|open| starts_with(path, open)),
        Some(SeeAllBut(rooms)) => !rooms.split_whitespace().any(|shut| shut == to),
        None => false,
    }
}

/// A circle in the graph, as text.
fn cycle(graph: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    fn walk<'a>(graph: &BTreeMap<&str, BTreeSet<&'a str>>, way: &mut Vec<&'a str>) -> Option<String> {
        let here = *way.last()?;
        for next in graph.get(here)? {
            if let Some(start) = way.iter().position(|room| room == next) {
                return Some(format!("{} → {next}", way[start..].join(" → ")));
            }
            way.push(next);
            if let Some(found) = walk(graph, way) {
                return Some(found);
            }
            way.pop();
        }
        None
    }
    graph.keys().find_map(|room| walk(graph, &mut vec![room]))
}

#[test]
fn the_table_itself_has_no_circle() {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _) in ARROWS {
        for (to, _) in ARROWS.iter().filter(|(to, _)| *to != from) {
            // A door as `vault::content` is an arrow to its room all the same.
            let opened = matches!(may_of(from), See(rooms) if rooms.split_whitespace().any(|r| r.split("::").next() == Some(to)));
            let path: Vec<String> = to.split("::").map(str::to_owned).collect();
            if opened && *to != "smtp" || may(from, to, &path) {
                graph.entry(from).or_default().insert(to);
            }
        }
    }
    assert_eq!(cycle(&graph), None);
}

fn may_of(room: &str) -> May {
    ARROWS
        .iter()
        .find(|(name, _)| *name == room)
        .expect("a room of the table")
        .1
}

/// Path, source, and what the finding says: one per kind of arrow against the table.
#[rustfmt::skip]
const AGAINST: [(&str, &str, &str); 19] = [
    ("src/proof/leaf.rs", "use sealpost_domain::ids;", "`proof` may not see `domain`"),
    ("src/proof/leaf.rs", "use crate::clock::Clock;", "`proof` may not see `clock`"),
    ("src/vault/seal.rs", "use crate::log::Row;", "`vault` may not see `log`"),
    ("src/vault/seal.rs", "#[cfg(test)] mod tests { use crate::log::Row; }", "`vault` may not see `log`"),
    ("src/log/source.rs", "use sealpost_projections::{EventSource, SpoolQueries};", "`log` may not see `projections`"),
    ("src/log/writer.rs", "use crate::config::Config;", "`log` may not see `config`"),
    ("src/log/writer.rs", "use crate::tick::Tick;", "`tick::Tick` leads to no room"),
    ("src/tick.rs", "//! Ticks.", "stands in no room"),
    ("src/http/v1/keys.rs", "use crate::vault::Keys;", "`http` may not see `vault`"),
    ("src/http/v1/keys.rs", "use crate::log::{read::Row, Log};", "`http` may not see `log` (`log::Log`)"),
    ("src/http/v1/keys.rs", "fn f(x: crate::smtp::client::C) {}", "`http` may not see `smtp::client`"),
    ("src/actors/registry.rs", "use crate::delivery::Attempt;", "`actors` may not see `delivery`"),
    ("src/smtp/wire/reply.rs", "use super::super::client::C;", "`smtp::wire` may not see `smtp::client`"),
    ("src/smtp/client/mod.rs", "use crate::smtp::{Both, wire};", "`smtp::client` may not see `smtp`"),
    ("src/cli/serve.rs", "use crate::http;", "`cli` may not see `http`"),
    ("src/serve.rs", "use crate::cli::Args;", "`serve` may not see `cli`"),
    ("src/serve.rs", "use super::*;", "names the whole crate"),
    ("src/lib.rs", "pub use vault::Keys;", "`lib` may not see `vault`"),
    ("src/main.rs", "fn main() { sealpost::log::run() }", "`main` may not see `log`"),
];

#[test]
fn each_arrow_against_the_table_is_found() {
    for (path, text, what) in AGAINST {
        let found = findings(&Tree::of(&[(path, text)]));
        assert!(
            found.len() == 1 && found[0].what.contains(what),
            "{path}: {text}: {found:?}"
        );
    }
}

#[test]
fn a_circle_among_rooms_is_found() {
    let graph = BTreeMap::from([
        ("a", BTreeSet::from(["b"])),
        ("b", BTreeSet::from(["c"])),
        ("c", BTreeSet::from(["b"])),
    ]);
    assert_eq!(cycle(&graph).as_deref(), Some("b → c → b"));
}

#[test]
fn arrows_of_the_table_pass() {
    let tree = Tree::of(&[
        (
            "src/http/v1/messages.rs",
            "use crate::{vault::content::Store, log::read, actors::Ask}; use sealpost_domain::ids;",
        ),
        (
            "src/http/mod.rs",
            "mod v1; use self::v1::messages; use super::access::gate;",
        ),
        (
            "src/smtp/client/mod.rs",
            "use crate::smtp::wire::Reply; #[cfg(test)] mod tests { use crate::smtp::server::S; }",
        ),
        (
            "src/serve.rs",
            "use crate::{http, config::Config, smtp::{client, server}};",
        ),
        ("src/cli/demo.rs", "use crate::serve::Sealpost; use std::fmt;"),
        (
            "src/main.rs",
            "use std::process::ExitCode; fn main() -> ExitCode { sealpost::cli::run() }",
        ),
        ("domain/src/lib.rs", "use crate::anything;"),
    ]);
    assert_eq!(findings(&tree), []);
}
