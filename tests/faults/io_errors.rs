//! The disk refuses one call: at each of the writes and syncs that one accept and its delivery make, in turn.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::judge::{Kill, LogCopy, Story, findings, open_attempts, rebuild_findings};
use crate::trace::{Call, Trace};
use crate::world::{Answer, Launch, Ledger, Mailroom, Pace, Site};

/// Calls that change files.
const CALLS: &str = "write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync";
/// How many of the calls are refused in turn when not all are.
const POINTS: usize = 20;
/// Points that are tried at a time: they wait more than they work.
const AT_ONCE: usize = 4;
/// How long a sound program may take to deliver.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a program whose disk has refused a call may take to come back and deliver; then it is ended.
const GRACE: Duration = Duration::from_secs(8);

/// One call: the `count`th of its name on its file, by the thread that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    call: String,
    /// Below the data folder.
    file: PathBuf,
    count: usize,
}

/// The folder from which each trial begins, and the server that all of them mail to.
struct Bench {
    folder: TempDir,
    site: Site,
    mailroom: Mailroom,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_call_brings_no_false_answer_and_nothing_is_lost() {
    let bench = Arc::new(Bench::new().await);
    let points = chosen(bench.points().await);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut trials = tokio::task::JoinSet::new();
    for (number, point) in points.into_iter().enumerate() {
        let (bench, room) = (bench.clone(), room.clone());
        trials.spawn(async move {
            let _turn = room.acquire_owned().await.unwrap();
            bench
                .trial(number, &point)
                .await
                .map_err(|what| format!("{point:?}: {what}"))
        });
    }
    let (mut refused, mut wrong) = (0, Vec::new());
    while let Some(ended) = trials.join_next().await {
        match ended.unwrap() {
            Ok(()) => refused += 1,
            Err(what) => wrong.push(what),
        }
    }
    println!("{refused} refused calls were survived");
    assert_eq!(wrong, Vec::<String>::new());
}

/// All of them, or as many as are tried, evenly.
fn chosen(all: Vec<Point>) -> Vec<Point> {
    println!("{} calls can be refused", all.len());
    assert!(all.len() > POINTS, "{all:?}");
    if std::env::var_os("SEALPOST_FULL").is_some() {
        return all;
    }
    (0..POINTS)
        .map(|number| all[number * all.len() / POINTS].clone())
        .collect()
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailroom = Mailroom::start(Pace::Prompt).await;
        let site = Site::new(&room_of(&folder, "first"), mailroom.addr(), &Launch::default()).await;
        Self { folder, site, mailroom }
    }

    fn site(&self, name: &str) -> Site {
        self.site.copy_to(&room_of(&self.folder, name), self.mailroom.addr())
    }

    /// What one accept, its delivery and an orderly end change on the disk.
    async fn points(&self) -> Vec<Point> {
        let site = self.site("counted");
        let written = self.folder.path().join("counted.trace");
        let (server, client) = site.start_ready(&traced(&written, &[])).await;
        let answer = client.send(&["counted@sink.test".to_owned()], 500).await;
        assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
        assert!(site.until_finished(PATIENCE).await);
        assert!(server.stop().await.success());
        points_of(
            &Trace::parse(&fs::read_to_string(&written).unwrap()),
            &site.data().canonicalize().unwrap(),
        )
    }

    /// Refuses one call and sees what comes of it.
    async fn trial(&self, number: usize, point: &Point) -> Result<(), String> {
        let site = self.site(&format!("trial{number}"));
        let written = self.folder.path().join(format!("trial{number}.trace"));
        let ledger = Ledger::default();
        let first = format!("a{number}@sink.test");
        let end = refused_run(&site, &injected(&written, site.data(), point), &ledger, &first).await;
        let Some(code) = end.code else {
            return Err(format!("it ended by a signal: {}", end.report));
        };
        let trace = Trace::parse(&fs::read_to_string(&written).unwrap());
        if !trace.0.iter().any(Call::is_injected) {
            return Err(format!("the call was never made: {}", end.report));
        }
        let kill = Kill {
            open: open_attempts(&LogCopy::of(site.data()).events()),
            connections: 1,
        };
        sound_run(&site, &ledger, &format!("b{number}@sink.test")).await?;
        let log = LogCopy::of(site.data());
        let mut story = Story {
            acknowledged: ledger.acknowledged(),
            taken: self.mailroom.taken(),
            kills: vec![kill],
            log: log.events(),
        };
        let mine = [first, format!("b{number}@sink.test")];
        story.taken.retain(|taken| mine.contains(&taken.recipient));
        let mut found = findings(&story);
        found.extend(rebuild_findings(site.data(), story.log.len()));
        found.extend(
            ledger
                .refusals()
                .keys()
                .filter(|status| **status != 503)
                .map(|status| format!("answer {status}")),
        );
        if log.integrity() != "ok" {
            found.push(log.integrity());
        }
        if found.is_empty() {
            Ok(())
        } else {
            Err(format!("{found:?}; ended with {code}: {}", end.report))
        }
    }
}

/// How a run ended whose disk has refused a call.
struct Ended {
    code: Option<i32>,
    report: String,
}

/// One message, sent until it is accepted or the program has ended; then time to deliver it, and the end.
async fn refused_run(site: &Site, launch: &Launch, ledger: &Ledger, recipient: &str) -> Ended {
    let mut server = site.start(launch).await;
    if let Some(ready) = server.ready().await {
        let client = site.client(&ready);
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        for _ in 0..6 {
            ticks.tick().await;
            let answer = client.send(&[recipient.to_owned()], 500).await;
            let again = matches!(answer, Answer::Refused(503));
            ledger.note(answer);
            if !again {
                break;
            }
        }
        // Whether it comes to an end now or in the next run is the program's to choose.
        site.until_finished(GRACE).await;
    }
    let report = server.report();
    let code = match server.ended() {
        Some(status) => status.code(),
        None => server.stop().await.code(),
    };
    Ended { code, report }
}

/// A run on a disk that is sound again: it delivers what is left, and takes new mail.
async fn sound_run(site: &Site, ledger: &Ledger, recipient: &str) -> Result<(), String> {
    let (server, client) = site.start_ready(&Launch::default()).await;
    let answer = client.send(&[recipient.to_owned()], 500).await;
    if !matches!(answer, Answer::Accepted(_)) {
        return Err(format!("after recovery {answer:?} is answered: {}", server.report()));
    }
    ledger.note(answer);
    let finished = site.until_finished(PATIENCE).await;
    let report = server.report();
    let status = server.stop().await;
    if finished && status.success() {
        Ok(())
    } else {
        Err(format!("not recovered, {status}: {report}"))
    }
}

fn room_of(folder: &TempDir, name: &str) -> PathBuf {
    let room = folder.path().canonicalize().unwrap().join(name).join("disk");
    fs::create_dir_all(&room).unwrap();
    room
}

fn traced(file: &Path, more: &[String]) -> Launch {
    let words = ["strace", "-f", "--seccomp-bpf", "-ttt", "-yy", "-s", "48", "-o"].map(str::to_owned);
    let trace = ["-e".to_owned(), format!("trace={CALLS},read,readv,recvfrom")];
    let before = words.iter().map(Into::into).chain([file.into()]);
    let before = before.chain(
        more.iter()
            .chain(if more.is_empty() { &trace[..] } else { &[] })
            .map(Into::into),
    );
    Launch {
        before: before.collect(),
        ..Launch::default()
    }
}

/// strace counts per thread, and only calls on the file that is named.
fn injected(file: &Path, data: &Path, point: &Point) -> Launch {
    let Point {
        call,
        file: refused,
        count,
    } = point;
    let path = data.join(refused).display().to_string();
    let inject = format!("inject={call}:error=EIO:when={count}");
    traced(
        file,
        &[
            "-P".to_owned(),
            path,
            "-e".to_owned(),
            format!("trace={call}"),
            "-e".to_owned(),
            inject,
        ],
    )
}

/// The calls on files below the data folder since the request came in.
fn points_of(Trace(calls): &Trace, data: &Path) -> Vec<Point> {
    let asked = |call: &Call| call.target().starts_with("TCP") && call.text.contains("\"POST /api/");
    let request = calls.iter().position(asked).unwrap();
    let mut counts: HashMap<(u32, &str, &str), usize> = HashMap::new();
    let mut points = Vec::new();
    for (place, call) in calls.iter().enumerate() {
        let Ok(file) = Path::new(call.target()).strip_prefix(data) else {
            continue;
        };
        if call.is_read() || file.to_string_lossy().ends_with("-shm") {
            continue;
        }
        let count = counts.entry((call.thread, &call.name, call.target())).or_default();
        *count += 1;
        if place > request {
            points.push(Point {
                call: call.name.clone(),
                file: file.to_owned(),
                count: *count,
            });
        }
    }
    points
}

#[test]
fn calls_are_counted_by_thread_and_file_from_the_start_and_taken_from_the_request_on() {
    let text = r#"
1 1.1 pwrite64(7</d/log/log.db-wal>, ""..., 24, 0) = 24
2 1.2 pwrite64(7</d/log/log.db-wal>, ""..., 24, 0) = 24
1 1.3 read(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "POST /api/1.0/messages/send.json"..., 8192) = 612
1 1.4 pwrite64(7</d/log/log.db-wal>, ""..., 24, 0) = 24
1 1.5 fdatasync(7</d/log/log.db-wal>) = 0
1 1.6 write(2</d2/report>, ""..., 24) = 24
1 1.7 pwrite64(8</d/log/log.db-shm>, ""..., 24, 0) = 24
"#;
    let point = |call: &str, count| Point {
        call: call.to_owned(),
        file: "log/log.db-wal".into(),
        count,
    };
    let points = points_of(&Trace::parse(text), Path::new("/d"));
    assert_eq!(points, [point("pwrite64", 2), point("fdatasync", 1)]);
}
