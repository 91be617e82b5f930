//! A checked-in file: compared as a rule, written anew under `UPDATE_GOLDEN=1`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of golden files.
pub fn wire() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

/// The folder of pages for people.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Fails when the file is missing or differs from `text`; under `UPDATE_GOLDEN=1` writes it instead.
#[expect(
    clippy::disallowed_methods,
    reason = "the files are written at the wish of whoever runs the test"
)]
pub fn hold(path: &Path, text: &str) {
    let there = fs::read_to_string(path).ok();
    if there.as_deref() == Some(text) {
        return;
    }
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|wish| wish == "1") {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder that can be made");
        fs::write(path, text).expect("a file that can be written");
        return;
    }
    let hint = "run with UPDATE_GOLDEN=1 if that is meant; a stored event never changes, it gets a new version";
    let there = there.unwrap_or_else(|| panic!("{} is missing: {hint}", path.display()));
    assert_eq!(there, text, "{} differs: {hint}", path.display());
}

/// JSON as these files have it: indented, with a final line end.
pub fn pretty(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON with text keys");
    format!("{text}\n")
}

/// Reads a JSON file.
pub fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every event file: one folder below `wire`, so that metadata and words are left out.
pub fn events() -> Vec<(PathBuf, Value)> {
    let folders = inside(&wire()).into_iter().filter(|path| path.is_dir());
    let files: Vec<PathBuf> = folders.flat_map(|folder| inside(&folder)).collect();
    files.into_iter().map(|path| (path.clone(), json(&path))).collect()
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}
