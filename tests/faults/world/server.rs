//! The program under test as a child process: started, read until it is ready, killed or ended.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long the program may take to get ready or to end: the machine may be slow, the tracer is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the program that follows, and has it killed when the one that started it ends.
const DIES_WITH_PARENT: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];

/// How the program is started.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// What is before the program on the command line: a tracer.
    pub before: Vec<OsString>,
    /// What is in its environment besides.
    pub environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// With this in the environment.
    pub fn in_environment<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a OsStr)>) -> Self {
        let environment = pairs.into_iter().map(|(name, value)| (name.into(), value.to_owned()));
        Self {
            before: Vec::new(),
            environment: environment.collect(),
        }
    }
}

/// The program at work.
pub struct Server {
    child: Child,
    /// The program itself: the child, or the child of the tracer.
    program: u32,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    report: PathBuf,
}

impl Server {
    /// Starts `sealpost serve` with this configuration and more words. What it says about itself goes to `report`.
    pub async fn start(config: &Path, more: &[&str], launch: &Launch, report: &Path) -> Self {
        // The tracer ends with the test and the program with the tracer, also when the test is killed.
        let mut words: Vec<OsString> = DIES_WITH_PARENT.map(Into::into).into();
        if !launch.before.is_empty() {
            words.extend(launch.before.iter().cloned());
            words.extend(DIES_WITH_PARENT.map(Into::into));
        }
        words.push(env!("CARGO_BIN_EXE_sealpost").into());
        let mut command = Command::new(&words[0]);
        let file = File::options().create(true).append(true).open(report).unwrap();
        let mut child = command
            .args(&words[1..])
            .args(["serve", "--config"])
            .arg(config)
            .args(more)
            .envs(launch.environment.iter().cloned())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let program = match launch.before.is_empty() {
            true => child.id().unwrap(),
            false => child_of(&mut child).await,
        };
        Self {
            child,
            program,
            lines,
            report: report.to_owned(),
        }
    }

    /// Waits for the line that says that it is ready; `None` when it ends before.
    pub async fn ready(&mut self) -> Option<Value> {
        let line = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if let Some(said) = line.strip_prefix("ready ") {
                    return Some(serde_json::from_str(said).unwrap());
                }
            }
            None
        };
        timeout(PATIENCE, line)
            .await
            .unwrap_or_else(|_| panic!("not ready in time: {}", self.report()))
    }

    /// Kills it without warning and waits for its end. Returns when the signal went out.
    pub async fn kill(mut self) -> Instant {
        let moment = Instant::now();
        assert!(self.signal("KILL").await, "it had ended by itself: {}", self.report());
        self.child.wait().await.unwrap();
        moment
    }

    /// Asks it to end, unless it has ended by itself, and waits for that.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("TERM").await;
        let end = timeout(PATIENCE, self.child.wait()).await;
        end.unwrap_or_else(|_| panic!("process {} has not ended in time: {}", self.program, self.report()))
            .unwrap()
    }

    /// Whether it was there to get the signal. The shell's own `kill`, since a small system has no program of that name.
    async fn signal(&mut self, name: &str) -> bool {
        if self.child.try_wait().unwrap().is_some() {
            return false;
        }
        let words = format!("kill -{name} {}", self.program);
        let sent = Command::new("sh").args(["-c", &words]).output().await.unwrap();
        sent.status.success()
    }

    /// Waits for its end; `None` when that takes longer than `at_most`.
    pub async fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        timeout(at_most, self.child.wait()).await.ok().map(Result::unwrap)
    }

    /// The end of what it said about itself.
    pub fn report(&self) -> String {
        let said = fs::read_to_string(&self.report).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// The child of a tracer that has become the program; the tracer itself when both have ended already. Before it, the
/// tracer has short-lived ones to try its means on.
async fn child_of(tracer: &mut Child) -> u32 {
    let own = tracer.id().unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let found = async {
        loop {
            ticks.tick().await;
            let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
            let is_program = |child: &&str| {
                fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "sealpost")
            };
            if let Some(program) = children.split_whitespace().find(is_program) {
                return program.parse().unwrap();
            }
            if tracer.try_wait().unwrap().is_some() {
                return own;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap()
}
