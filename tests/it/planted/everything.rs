//! What is planted is found in no file and no log, but where people are to read it.

use std::path::Path;

use super::run::Run;
use super::search::{Place, Search, cells, files, lines};
use super::values::{CONTENT, PERSONAL, RECIPIENTS};

/// What a run must not leave behind.
struct Hunt {
    secrets: Vec<String>,
    personal: Vec<String>,
}

impl Hunt {
    fn new(secrets: Vec<String>) -> Self {
        let personal = PERSONAL.into_iter().chain(CONTENT).map(str::to_owned);
        let recipients = RECIPIENTS.into_iter().map(str::to_owned);
        Self {
            secrets,
            personal: personal.chain(recipients).collect(),
        }
    }

    fn all(&self) -> Search {
        Search::of(self.secrets.iter().chain(&self.personal).map(String::as_str))
    }

    fn secrets(&self) -> Search {
        Search::of(self.secrets.iter().map(String::as_str))
    }
}

/// What was found where it must not be.
fn leaks(search: &Search, places: &[Place]) -> Vec<String> {
    let mut leaks = Vec::new();
    for place in places {
        for (text, form) in search.find(&place.bytes) {
            leaks.push(format!("{}: {text:?} {form}", place.name));
        }
    }
    leaks
}

/// The secrets of the installation itself: nothing but their own files may hold them.
fn own_secrets(data: &Path) -> Vec<String> {
    let master = std::fs::read_to_string(data.join("master.key")).unwrap();
    let master = master.trim().rsplit(':').next().unwrap().to_owned();
    let tls = std::fs::read_to_string(data.join("tls/private-key.pem")).unwrap();
    let middle = tls.lines().nth(2).unwrap().to_owned();
    assert!(
        master.len() > 40 && middle.len() > 40,
        "{} {}",
        master.len(),
        middle.len()
    );
    vec![master, middle]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planted_is_in_no_file_and_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::start(folder.path()).await;
    run.plant().await;
    let data = run.data.clone();
    // While it runs its write-ahead logs hold what was written last.
    let running = files(&data);
    let (log, mut secrets, complaints) = run.stop().await;
    secrets.extend(own_secrets(&data));
    let hunt = Hunt::new(secrets);
    let (all, secret) = (hunt.all(), hunt.secrets());

    let mut places = running;
    places.extend(files(&data));
    places.extend(cells(&data));
    places.retain(|place| !["master.key", "tls/private-key.pem"].contains(&place.name.as_str()));
    let (read, sealed): (Vec<Place>, Vec<Place>) =
        places.into_iter().partition(|place| place.name.starts_with("read/"));
    for kept in ["log/", "vault/"] {
        assert!(
            sealed.iter().any(|place| place.name.starts_with(kept)),
            "nothing in {kept}"
        );
    }

    let mut found = leaks(&all, &sealed);
    found.extend(leaks(&secret, &read));
    found.extend(leaks(&all, &lines("the program's log", &log)));
    found.extend(leaks(&secret, &lines("a command's complaint", &complaints)));
    assert_eq!(found, Vec::<String>::new());

    // The search is no blind one: read models hold what people look for, and a file with everything in it is convicted.
    let said = ["TRACE", "DEBUG", "INFO"].map(|level| log.lines().filter(|line| line.contains(level)).count());
    assert!(said.iter().all(|lines| *lines > 0), "it said all that it can: {said:?}");
    let shown = leaks(&all, &read);
    for text in ["plantedsubject about a rare illness", "yes.plantedaccepted"] {
        assert!(shown.iter().any(|leak| leak.contains(text)), "{text}: {shown:?}");
    }
    let planted: Vec<&String> = hunt.secrets.iter().chain(&hunt.personal).collect();
    let control = Place {
        name: "control".to_owned(),
        bytes: planted.iter().flat_map(|text| text.bytes().chain([0])).collect(),
    };
    assert_eq!(all.find(&control.bytes).len(), planted.len(), "each is found in clear");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planted_is_in_nothing_that_a_killed_program_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::start(folder.path()).await;
    run.plant_held().await;
    let data = run.data.clone();
    let (log, mut secrets, complaints) = run.kill().await;
    secrets.extend(own_secrets(&data));
    let hunt = Hunt::new(secrets);
    let (all, secret) = (hunt.all(), hunt.secrets());
    let left = files(&data);
    let is_wal = |place: &&Place| place.name.starts_with("log/") && place.name.ends_with("-wal");
    let written_ahead = left.iter().find(is_wal).map_or(0, |place| place.bytes.len());
    assert!(written_ahead > 0, "the kill left no write-ahead log");

    let mut places = left;
    places.extend(cells(&data));
    places.retain(|place| !["master.key", "tls/private-key.pem"].contains(&place.name.as_str()));
    let (read, sealed): (Vec<Place>, Vec<Place>) =
        places.into_iter().partition(|place| place.name.starts_with("read/"));
    let mut found = leaks(&all, &sealed);
    found.extend(leaks(&secret, &read));
    found.extend(leaks(&all, &lines("the program's log", &log)));
    found.extend(leaks(&secret, &lines("a command's complaint", &complaints)));
    assert_eq!(found, Vec::<String>::new());
    // They were there to be found.
    let shown = leaks(&all, &read);
    for text in [RECIPIENTS[2], RECIPIENTS[0], "plantedsubject about a rare illness"] {
        assert!(shown.iter().any(|leak| leak.contains(text)), "{text}: {shown:?}");
    }
}
