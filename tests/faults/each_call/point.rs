//! The calls at which a fault can be placed, and the words by which the tracer places it.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::trace::{Call, Trace};
use crate::world::Launch;

/// Calls that change files.
const CALLS: &str = "write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync";
/// The program stops only at the calls that are traced.
const QUICK: &str = "--seccomp-bpf";
/// At how many of the calls there is a fault when not at all.
const POINTS: usize = 20;

/// One call: the `count`th of its name on its file, by the thread that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    call: String,
    /// Below the data folder.
    file: PathBuf,
    count: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, file, count } = self;
        write!(f, "{call} {count} of {}", file.display())
    }
}

/// What the tracer does when the call is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injection {
    /// It answers `EIO` in the kernel's place.
    Error,
    /// It kills the program.
    Kill,
}

impl Point {
    /// Which one of its kind it is, from 1.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The one before it of its kind, in a read model.
    pub fn one_before(&self) -> Option<Self> {
        let is_paced_by_time = self.file.starts_with("read");
        (is_paced_by_time && self.count > 1).then(|| Self {
            count: self.count - 1,
            ..self.clone()
        })
    }

    /// How to start a program whose data lies in `data`, with an injection at this call. The tracer counts per thread,
    /// and only calls on the file that is named.
    pub fn with(&self, injection: Injection, data: &Path, trace: &Path) -> Launch {
        let Self { call, file, count } = self;
        let path = data.join(file).display().to_string();
        let filter = format!("trace={call}");
        let inject = |what: &str| format!("inject={call}:{what}:when={count}");
        match injection {
            Injection::Error => traced(trace, &[QUICK, "-P", &path, "-e", &filter, "-e", &inject("error=EIO")]),
            // The quick way loses signals.
            Injection::Kill => traced(trace, &["-P", &path, "-e", &filter, "-e", &inject("signal=KILL")]),
        }
    }
}

/// How to start a program all of whose changes of files are written down, and what it reads from its callers.
pub fn all_traced(trace: &Path) -> Launch {
    traced(trace, &[QUICK, "-e", &format!("trace={CALLS},read,readv,recvfrom")])
}

fn traced(file: &Path, more: &[&str]) -> Launch {
    let words = ["strace", "-f", "-ttt", "-yy", "-s", "48", "-o"];
    let before = words.iter().map(Into::into).chain([file.into()]);
    Launch {
        before: before.chain(more.iter().map(Into::into)).collect(),
        ..Launch::default()
    }
}

/// All of them, or as many as are tried, evenly.
pub fn chosen(all: Vec<Point>) -> Vec<Point> {
    println!("{} calls change the disk", all.len());
    assert!(all.len() > POINTS, "{all:?}");
    if std::env::var_os("SEALPOST_FULL").is_some() {
        return all;
    }
    (0..POINTS)
        .map(|number| all[number * all.len() / POINTS].clone())
        .collect()
}

/// The calls on files below the data folder since the request came in.
pub fn points_of(Trace(calls): &Trace, data: &Path) -> Vec<Point> {
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
