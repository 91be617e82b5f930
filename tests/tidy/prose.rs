//! Laws about text: marks of unfinished work, traces of the machine it was written on, the form of the changelog.

use super::lexer::tokens;
use super::tree::{Finding, Tree};

/// Sections of a release, in their order: what operators must know comes first.
const SECTIONS: [&str; 6] = ["Security", "Changed", "Deprecated", "Removed", "Fixed", "Added"];

/// What breaks a law about text.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let (marks, traces) = (unfinished(), traces());
    let mut found = Vec::new();
    // The lock file is written by cargo, the licence by its authors.
    for (path, text) in tree
        .files()
        .filter(|(path, _)| *path != "Cargo.lock" && !path.starts_with("LICENSE-"))
    {
        for (n, line) in text.lines().enumerate() {
            let mut at = |what: String| found.push(Finding::at_line(path, n + 1, what));
            if let Some(mark) = marks.iter().find(|mark| stands_alone(line, mark)) {
                at(format!("`{mark}` without an issue's number (`#12`)"));
            }
            if let Some(trace) = traces.iter().find(|trace| line.contains(trace.as_str())) {
                at(format!(
                    "`{trace}` tells of one machine or one network: the repository speaks of the product alone"
                ));
            }
        }
    }
    found.extend(tree.rust().flat_map(|(path, text)| unfinished_calls(path, text)));
    if let Some(text) = tree.text("CHANGELOG.md") {
        found.extend(changelog(text));
    }
    found
}

// The words are put together here, so that this file does not break its own law.
fn unfinished() -> [String; 3] {
    [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()]
}

fn traces() -> Vec<String> {
    let paths = ["work/", "tmp/wt", "root/", "opt/wheels"]
        .iter()
        .map(|path| format!("/{path}"));
    let hosts = [
        ["crates", "io"],
        ["pypi", "org"],
        ["pythonhosted", "org"],
        ["npmjs", "org"],
        ["npmjs", "com"],
        ["debian", "org"],
    ];
    paths.chain(hosts.iter().map(|host| host.join("."))).collect()
}

/// Whether the mark stands as a word of its own and no issue's number with it.
fn stands_alone(line: &str, mark: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    let is_word = line
        .match_indices(mark)
        .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + mark.len()..].starts_with(inside));
    is_word
        && !line
            .split('#')
            .skip(1)
            .any(|after| after.starts_with(|c: char| c.is_ascii_digit()))
}

fn unfinished_calls(path: &str, text: &str) -> Vec<Finding> {
    let all = tokens(text);
    let calls = all
        .windows(2)
        .filter(|pair| pair[1].is_sign('!') && (pair[0].is_word("todo") || pair[0].is_word("unimplemented")));
    let calls = calls.map(|pair| Finding::at_line(path, pair[0].line, "is not finished: write it or leave it out"));
    let ignored = all
        .windows(3)
        .filter(|w| w[0].is_sign('#') && w[1].is_sign('[') && w[2].is_word("ignore"));
    let ignored = ignored.map(|w| Finding::at_line(path, w[0].line, "is a test that nobody runs: mend or remove it"));
    calls.chain(ignored).collect()
}

/// Form of the changelog: a title, `## Unreleased` first, then releases with their dates; sections in order, each
/// with entries.
fn changelog(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |n: usize, what: &str| found.push(Finding::at_line("CHANGELOG.md", n + 1, what));
    let lines: Vec<&str> = text.lines().collect();
    if lines.first() != Some(&"# Changelog") {
        say(0, "opens with `# Changelog`");
    }
    let releases: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].starts_with("## ")).collect();
    for (order, n) in releases.iter().enumerate() {
        let good = if order == 0 {
            lines[*n] == "## Unreleased"
        } else {
            is_release(&lines[*n][3..])
        };
        if !good {
            say(*n, "wants `## Unreleased` first, then `## 1.2.3 - 2026-01-31`");
        }
    }
    if releases.is_empty() {
        say(0, "has no `## Unreleased`");
    }
    let mut last = 0;
    for (n, line) in lines.iter().enumerate() {
        if line.starts_with("## ") {
            last = 0;
        }
        let Some(section) = line.strip_prefix("### ") else {
            continue;
        };
        match SECTIONS.iter().position(|known| *known == section) {
            Some(place) if place + 1 > last => last = place + 1,
            Some(_) => say(
                n,
                "stands out of order: Security, Changed, Deprecated, Removed, Fixed, Added",
            ),
            None => say(n, "is no section: Security, Changed, Deprecated, Removed, Fixed, Added"),
        }
        if !lines[n + 1..]
            .iter()
            .find(|l| !l.is_empty())
            .is_some_and(|l| l.starts_with("- "))
        {
            say(n, "has no entry (`- `)");
        }
    }
    found
}

/// `1.2.3 - 2026-01-31`.
fn is_release(title: &str) -> bool {
    let Some((version, date)) = title.split_once(" - ") else {
        return false;
    };
    let numbers = |text: &str, sign: char, lengths: &[usize]| {
        let parts: Vec<&str> = text.split(sign).collect();
        parts
            .iter()
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
            && (lengths.is_empty() && parts.len() == 3
                || parts.iter().map(|part| part.len()).eq(lengths.iter().copied()))
    };
    numbers(version, '.', &[]) && numbers(date, '-', &[4, 2, 2])
}

#[test]
fn unfinished_work_and_traces_are_found() {
    let [todo, fixme, _] = unfinished();
    let call = ["to", "do!()"].concat();
    let traces = traces();
    for (path, text, what) in [
        ("src/a.rs", format!("// {todo}: later"), "without an issue's number"),
        ("docs/a.md", format!("({fixme})"), "without an issue's number"),
        ("src/a.rs", format!("fn a() {{ {call} }}"), "is not finished"),
        (
            "tests/a.rs",
            "#[test]\n#[ignore = \"slow\"]\nfn a() {}".to_owned(),
            "nobody runs",
        ),
        ("scripts/a", format!("cd {}x", traces[0]), "tells of one machine"),
        ("README.md", format!("from {}", traces[4]), "tells of one machine"),
    ] {
        let found = findings(&Tree::of(&[(path, &text)]));
        assert!(found.len() == 1 && found[0].what.contains(what), "{text}: {found:?}");
    }
    let good = format!("// {todo} #12: later. A {todo}LIST and a {fixme}_KEY are other words.\n// {call}\n");
    assert_eq!(findings(&Tree::of(&[("src/a.rs", &good)])), []);
}

#[test]
fn the_changelog_keeps_its_form() {
    for (text, what) in [
        ("## Unreleased\n", "opens with"),
        ("# Changelog\n", "has no `## Unreleased`"),
        ("# Changelog\n## 0.1.0 - 2026-01-31\n", "wants `## Unreleased` first"),
        (
            "# Changelog\n## Unreleased\n## 0.1 - 2026-01-31\n",
            "wants `## Unreleased` first",
        ),
        (
            "# Changelog\n## Unreleased\n## 0.1.0 - 31.01.2026\n",
            "wants `## Unreleased` first",
        ),
        ("# Changelog\n## Unreleased\n### News\n- A.\n", "is no section"),
        (
            "# Changelog\n## Unreleased\n### Added\n- A.\n### Security\n- B.\n",
            "out of order",
        ),
        ("# Changelog\n## Unreleased\n### Added\n", "has no entry"),
    ] {
        let found = findings(&Tree::of(&[("CHANGELOG.md", text)]));
        assert!(found.len() == 1 && found[0].what.contains(what), "{text}: {found:?}");
    }
    let good = "# Changelog\n\n## Unreleased\n\n### Security\n\n- A.\n\n### Added\n\n- B.\n\n## 0.1.0 - 2026-01-31\n\n### Changed\n- C.\n";
    assert_eq!(findings(&Tree::of(&[("CHANGELOG.md", good)])), []);
}
