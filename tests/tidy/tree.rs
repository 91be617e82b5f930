//! Reads the repository's text files into memory, so that each law judges a value and not the disk.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A law that was broken: where, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the repository's root, with `:line` where there is one.
    pub place: String,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}: {}", self.place, self.what)
    }
}

impl Finding {
    /// A finding about a whole file or folder.
    pub fn at(place: &str, what: impl Into<String>) -> Finding {
        Finding {
            place: place.to_owned(),
            what: what.into(),
        }
    }

    /// A finding at one line, counted from 1.
    pub fn at_line(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding {
            place: format!("{path}:{line}"),
            what: what.into(),
        }
    }
}

/// The repository's text: path from the root with `/` between the parts → content.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file under `root` that `.gitignore` does not name at the top.
    pub fn read(root: &Path) -> Tree {
        let ignored = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let mut skip: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
        skip.push(".git");
        let mut tree = Tree::default();
        tree.read_folder(root, "", &skip);
        tree
    }

    fn read_folder(&mut self, root: &Path, folder: &str, skip: &[&str]) {
        for entry in std::fs::read_dir(root.join(folder)).expect("a readable folder") {
            let entry = entry.expect("a readable entry");
            let name = entry.file_name().into_string().expect("a UTF-8 file name");
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if skip.contains(&path.as_str()) {
                continue;
            }
            if entry.file_type().expect("a file type").is_dir() {
                self.read_folder(root, &path, skip);
            } else {
                let bytes = std::fs::read(entry.path()).expect("a readable file");
                self.files.insert(path, String::from_utf8(bytes).unwrap_or_default());
            }
        }
    }

    /// A tree in memory, for a bad sample.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    /// Every file, in the order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// One file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether a file or a folder of that name is there.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        self.files.contains_key(path)
            || self
                .files
                .range(inside.clone()..)
                .next()
                .is_some_and(|(p, _)| p.starts_with(&inside))
    }
}

#[test]
fn a_folder_is_there_when_something_is_in_it() {
    let tree = Tree::of(&[("src/log/mod.rs", ""), ("src/logic.rs", "")]);
    assert!(tree.has("src/log"));
    assert!(tree.has("src/log/"));
    assert!(tree.has("src/logic.rs"));
    assert!(!tree.has("src/lo"));
}
