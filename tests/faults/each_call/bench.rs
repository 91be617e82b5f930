//! The folder from which each trial begins, and all trials of one fault.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::point::{Point, all_traced, chosen, points_of};
use super::trial::{Failure, Fault, trial};
use crate::power_loss::Disk;
use crate::trace::Trace;
use crate::world::{Answer, Launch, Mailroom, Pace, Progress, Site};

/// Trials at a time: they wait more than they work.
const AT_ONCE: usize = 4;
/// How long a sound program may take to deliver.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with an account, the server that all trials mail to, and the compiled shim.
pub struct Bench {
    folder: TempDir,
    site: Site,
    pub mailroom: Mailroom,
    shim: PathBuf,
}

impl Bench {
    /// Makes the folder and the account.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailroom = Mailroom::start(Pace::Prompt).await;
        let disk = Disk::new(folder.path());
        let site = Site::new(disk.root(), mailroom.addr(), &Launch::default()).await;
        Self {
            site,
            mailroom,
            shim: disk.shim().to_owned(),
            folder,
        }
    }

    /// A disk of its own with a copy of the folder on it.
    pub fn copy(&self, name: &str) -> (Disk, Site) {
        let room = self.folder.path().join(name);
        fs::create_dir(&room).unwrap();
        let disk = Disk::with_shim(&room, &self.shim);
        let site = self.site.copy_to(disk.root(), self.mailroom.addr());
        (disk, site)
    }

    /// Where a trial may write its trace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Places the fault at each of the chosen calls; fails when any of them breaks a promise.
    pub async fn run(self, fault: Fault) {
        let bench = Arc::new(self);
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut trials = JoinSet::new();
        let points = chosen(bench.points().await);
        let mut progress = Progress::of("call", points.len());
        for (number, point) in points.into_iter().enumerate() {
            let (bench, room) = (bench.clone(), room.clone());
            trials.spawn(async move {
                let _turn = room.acquire_owned().await.unwrap();
                bench.try_at(number, point, fault).await
            });
        }
        let mut wrong = Vec::new();
        while let Some(ended) = trials.join_next().await {
            let (point, tried) = ended.unwrap();
            let verdict = if tried.is_ok() { "survived" } else { "BROKEN" };
            progress.step(format_args!("{fault:?} at {point}: {verdict}"));
            wrong.extend(tried.err().map(|what| format!("{point}: {what}")));
        }
        assert_eq!(wrong, Vec::<String>::new());
    }

    /// Tries the fault at this call. How many rounds a read model makes of the same events is a matter of time: where
    /// a call is never made this time, the one before it is tried.
    async fn try_at(&self, number: usize, mut point: Point, fault: Fault) -> (Point, Result<(), String>) {
        loop {
            let name = format!("{number}-{}", point.count());
            let what = match trial(self, &name, &point, fault).await {
                Ok(()) => return (point, Ok(())),
                Err(Failure::Broken(what)) => what,
                Err(Failure::NeverMade) => match point.one_before() {
                    Some(before) => {
                        point = before;
                        continue;
                    }
                    None => "the call was never made".to_owned(),
                },
            };
            return (point, Err(what));
        }
    }

    /// What one accept, its delivery and an orderly end change on the disk.
    async fn points(&self) -> Vec<Point> {
        let (_, site) = self.copy("counted");
        let written = self.path("counted.trace");
        let (server, client) = site.start_ready(&all_traced(&written)).await;
        let answer = client.send(&["counted@sink.test".to_owned()], 500).await;
        assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
        assert!(site.until_finished(PATIENCE).await);
        assert!(server.stop().await.success());
        points_of(&read_trace(&written), site.data())
    }
}

/// Reads what the tracer wrote.
pub fn read_trace(path: &Path) -> Trace {
    Trace::parse(&fs::read_to_string(path).unwrap())
}
