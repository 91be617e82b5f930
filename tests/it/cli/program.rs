//! The program as people start it: commands that end, and servers that run until they are told to stop.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How long a server may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// The program with nothing in its environment but the path to other programs.
pub fn sealpost(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command
        .args(words)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn output(mut command: Command) -> Output {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("the command ends").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output {
        code: output.status.code().expect("an exit code, no signal"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs a command to its end.
pub async fn run(words: &[&str]) -> Output {
    output(sealpost(words)).await
}

/// Runs a command with a line on its standard input.
pub async fn run_with_input(words: &[&str], line: &str) -> Output {
    let mut child = sealpost(words).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(line.as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    Output {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a line by `bash`, as somebody who copies it.
pub async fn bash(line: &str) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", line]).stdin(Stdio::null()).env("NO_PROXY", "*");
    output(command).await
}

/// The commands on one folder.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// Runs a command on it.
    pub async fn run(&self, words: &[&str]) -> Output {
        let data = self.0.to_str().unwrap();
        run(&[words, &["--data", data]].concat()).await
    }

    /// Runs a command that must succeed; what it prints.
    pub async fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words).await;
        assert_eq!(output.code, 0, "{words:?}: {}", output.stderr);
        output.stdout
    }

    /// Runs a command that must succeed with `--json`.
    pub async fn json(&self, words: &[&str]) -> Value {
        let text = self.ok(&[words, &["--json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|wrong| panic!("{words:?}: {wrong}: {text}"))
    }

    /// Runs a command that must fail with exit code 1; what it says.
    pub async fn refused(&self, words: &[&str]) -> String {
        let output = self.run(words).await;
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (1, ""),
            "{words:?}: {}",
            output.stderr
        );
        output.stderr
    }

    /// Asks for a message until it is in this state; panics when it takes longer.
    pub async fn until(&self, message: &str, state: &str, at_most: Duration) -> Value {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        let asked = async {
            loop {
                every.tick().await;
                let output = self.run(&["message", "show", message, "--json"]).await;
                let shown: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
                if shown["state"] == state {
                    return shown;
                }
            }
        };
        let shown = tokio::time::timeout(at_most, asked).await;
        shown.unwrap_or_else(|_| panic!("{message} is not {state} after {at_most:?}"))
    }
}

/// A server in a process of its own.
pub struct Process {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
    /// What it printed so far.
    pub printed: Vec<String>,
}

impl Process {
    /// Starts it.
    pub fn start(words: &[&str]) -> Self {
        Self::of(sealpost(words))
    }

    /// Starts a command that becomes the program.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        Self {
            child,
            stdout,
            stderr,
            printed: Vec::new(),
        }
    }

    /// Its id while it runs.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Waits for its `ready` line.
    pub async fn ready(&mut self) -> Value {
        let reading = async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                let ready = line
                    .strip_prefix("ready ")
                    .map(|json| serde_json::from_str(json).unwrap());
                self.printed.push(line);
                if let Some(ready) = ready {
                    return Some(ready);
                }
            }
            None
        };
        let ready = tokio::time::timeout(PATIENCE, reading).await.expect("it becomes ready");
        match ready {
            Some(ready) => ready,
            None => panic!("it ended before it was ready: {}", (&mut self.stderr).await.unwrap()),
        }
    }

    /// Kills it without warning; what it said.
    pub async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        while let Some(line) = self.stdout.next_line().await.unwrap() {
            self.printed.push(line);
        }
        self.printed.join("\n") + &self.stderr.await.unwrap()
    }

    /// Sends SIGTERM, and waits for its end.
    pub async fn stop(mut self) -> Output {
        let id = self.id().to_string();
        let told = Command::new("bash")
            .args(["-c", "kill -TERM \"$0\"", &id])
            .status()
            .await
            .unwrap();
        assert!(told.success());
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("it ends").unwrap();
        while let Some(line) = self.stdout.next_line().await.unwrap() {
            self.printed.push(line);
        }
        Output {
            code: status.code().expect("it ends by itself, not by the signal"),
            stdout: self.printed.join("\n"),
            stderr: self.stderr.await.unwrap(),
        }
    }
}

/// A running demo.
pub struct Demo {
    /// Its process.
    pub process: Process,
    /// What its `ready` line says.
    pub ready: Value,
    /// Its folder.
    pub folder: Folder,
}

impl Demo {
    /// Starts it on free ports.
    pub async fn start(data: &Path) -> Self {
        let free = "127.0.0.1:0";
        let words = [
            "demo",
            "--data",
            data.to_str().unwrap(),
            "--http",
            free,
            "--https",
            free,
            "--smtp",
            free,
        ];
        let mut process = Process::start(&words);
        let ready = process.ready().await;
        let folder = Folder(data.to_owned());
        Self { process, ready, folder }
    }

    /// A member of the `ready` line.
    pub fn text(&self, name: &str) -> &str {
        self.ready[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {}", self.ready))
    }

    /// The printed line that begins with these words.
    pub fn line(&self, beginning: &str) -> &str {
        let lines = self.process.printed.iter().map(|line| line.trim());
        lines
            .into_iter()
            .find(|line| line.starts_with(beginning))
            .expect("the line")
    }

    /// Sends a mail to an address by the printed line; the message's id.
    pub async fn send(&self, to: &str) -> String {
        let line = self.line("curl ").replace(self.text("to"), to);
        let output = bash(&line).await;
        assert_eq!(output.code, 0, "{}", output.stderr);
        let answer: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(answer[0]["status"], "sent", "{answer}");
        answer[0]["_id"].as_str().unwrap().to_owned()
    }

    /// Ends it; it must end in order.
    pub async fn stop(self) -> Output {
        let output = self.process.stop().await;
        assert_eq!(output.code, 0, "{}", output.stderr);
        output
    }
}
