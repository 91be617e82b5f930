//! The shim itself: what was not synced vanishes, what was synced stays, and blindness ends the program.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use super::compiled;
use super::disk::Disk;

/// A disk and the program that writes on it.
struct Trial {
    folder: TempDir,
    disk: Disk,
}

impl Trial {
    /// A disk on which files with this text lie, long since synced.
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path());
        compiled::probe(folder.path());
        for (name, text) in files {
            fs::write(disk.root().join(name), text).unwrap();
        }
        Self { folder, disk }
    }

    fn probe(&self, words: &str) -> ExitStatus {
        let mut command = Command::new(self.folder.path().join("probe"));
        command
            .args(words.split(' '))
            .current_dir(self.disk.root())
            .envs(self.disk.environment());
        command.status().unwrap()
    }

    /// Runs the program until it is killed.
    fn killed_after(&self, words: &str) -> &Self {
        assert_eq!(self.probe(&format!("{words} kill")).signal(), Some(9), "{words}");
        self
    }

    /// Names and texts of the files now, in order.
    fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        gather(self.disk.root(), self.disk.root(), &mut files);
        files.sort();
        files
    }

    fn after_power_loss(&self) -> Vec<(String, String)> {
        self.disk.lose_power();
        self.files()
    }
}

fn gather(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.push((format!("{name}/"), String::new()));
            gather(root, &path, files);
        } else {
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn are(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn a_synced_write_stays_and_an_unsynced_one_vanishes() {
    let trial = Trial::with(&[("a", "aaaa"), ("b", "bbbb")]);
    trial.killed_after("append a 11 sync a append a 22 second a 33 append b 44");
    assert_eq!(
        trial.files(),
        are(&[("a", "a33a1122"), ("b", "bbbb44")]),
        "a kill alone loses nothing"
    );
    assert_eq!(trial.after_power_loss(), are(&[("a", "aaaa11"), ("b", "bbbb")]));
}

#[test]
fn cutting_and_emptying_a_file_is_undone() {
    let trial = Trial::with(&[("a", "aaaa"), ("b", "bbbb"), ("c", "cccc")]);
    trial.killed_after("cut a 2 append a 11 replace b 2222 cut c 1 sync c append c 33 cut c 0");
    assert_eq!(
        trial.after_power_loss(),
        are(&[("a", "aaaa"), ("b", "bbbb"), ("c", "c")])
    );
}

#[test]
fn a_new_file_needs_its_folder_synced_too() {
    let trial = Trial::with(&[]);
    trial.killed_after("new a 11 sync a new b 22 sync b syncfolder . new c 33 syncfolder .");
    assert_eq!(trial.files(), are(&[("a", "11"), ("b", "22"), ("c", "33")]));
    // Their names are durable; of the last one the bytes are not.
    assert_eq!(trial.after_power_loss(), are(&[("a", "11"), ("b", "22"), ("c", "")]));
    trial.killed_after("new d 44 sync d");
    assert_eq!(trial.after_power_loss(), are(&[("a", "11"), ("b", "22"), ("c", "")]));
}

#[test]
fn a_new_folder_needs_the_one_above_synced() {
    let trial = Trial::with(&[]);
    trial.killed_after(
        "folder a syncfolder . new a/f 11 sync a/f syncfolder a folder b new b/f 22 sync b/f syncfolder b",
    );
    assert_eq!(trial.after_power_loss(), are(&[("a/", ""), ("a/f", "11")]));
}

#[test]
fn renames_and_removals_are_undone_with_what_was_replaced() {
    let trial = Trial::with(&[("a", "aaaa"), ("b", "bbbb"), ("c", "cccc"), ("d", "dddd")]);
    trial.killed_after("rename a b remove c new c 33 rename c e remove d");
    assert_eq!(trial.files(), are(&[("b", "aaaa"), ("e", "33")]));
    assert_eq!(
        trial.after_power_loss(),
        are(&[("a", "aaaa"), ("b", "bbbb"), ("c", "cccc"), ("d", "dddd")])
    );
    trial.killed_after("new n 11 sync n rename n a remove c syncfolder . remove d");
    assert_eq!(
        trial.after_power_loss(),
        are(&[("a", "11"), ("b", "bbbb"), ("d", "dddd")])
    );
}

#[test]
fn a_removed_folder_comes_back_with_its_files() {
    let trial = Trial::with(&[]);
    trial.killed_after("folder a new a/f 11 sync a/f syncfolder a syncfolder . remove a/f removefolder a");
    assert_eq!(trial.files(), are(&[]));
    assert_eq!(trial.after_power_loss(), are(&[("a/", ""), ("a/f", "11")]));
}

#[test]
fn what_an_earlier_process_left_unsynced_is_lost_too() {
    let trial = Trial::with(&[("a", "aaaa"), ("b", "bbbb")]);
    trial
        .killed_after("append a 11 append b 22")
        .killed_after("append a 33 append b 44 sync b");
    assert_eq!(trial.after_power_loss(), are(&[("a", "aaaa"), ("b", "bbbb2244")]));
    trial.killed_after("append a 55 sync a");
    assert_eq!(trial.after_power_loss(), are(&[("a", "aaaa55"), ("b", "bbbb2244")]));
}

#[test]
fn a_program_that_the_shim_cannot_follow_is_ended() {
    let trial = Trial::with(&[]);
    assert_eq!(trial.probe("allocate a 11").signal(), Some(9));
    assert_eq!(trial.probe("new b 11").code(), Some(0));
}

#[test]
fn a_torn_record_announces_a_change_that_was_never_made() {
    use super::journal::Journal;
    let durable = b"W 7 0 4 4\naaaa\nB 1\nS 7 1\n".as_slice();
    let whole = [durable, b"W 7 2 4 2\naa\n"].concat();
    assert_eq!(Journal::read([whole.as_slice()]).lost().count(), 1);
    for cut in durable.len()..whole.len() {
        let torn = &whole[..cut];
        assert_eq!(Journal::read([torn]).lost().count(), 0, "{cut}");
        assert_eq!(Journal::read([torn, torn, &whole]).lost().count(), 1, "{cut}");
    }
}
