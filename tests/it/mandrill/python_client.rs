//! The official Python client in a process of its own, asked call by call.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mandrill/official_client.py");

/// A running client with a key.
pub struct PythonClient {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The path below which it calls, as it came with the client.
    pub own_path: String,
}

impl PythonClient {
    /// Starts a client that calls this server.
    pub async fn start(server: &str, key: &str) -> Self {
        let mut child = Command::new(python())
            .args([DRIVER, server, key])
            .env_clear()
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut output = BufReader::new(output).lines();
        let opening = output.next_line().await.unwrap();
        let opening: Value = serde_json::from_str(&opening.expect("the client starts")).unwrap();
        Self {
            _child: child,
            input,
            output,
            own_path: opening["path"].as_str().unwrap().to_owned(),
        }
    }

    /// Calls a method; `ok`, `error` or `response` with what the client made of it.
    pub async fn call(&mut self, category: &str, method: &str, body: Value) -> Value {
        let line = format!("{}\n", json!([category, method, body]));
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
        let answer = self.output.next_line().await.unwrap().expect("the client answers");
        serde_json::from_str(&answer).unwrap()
    }

    /// Calls a method that must succeed.
    pub async fn ok(&mut self, category: &str, method: &str, body: Value) -> Value {
        let answer = self.call(category, method, body).await;
        assert!(answer.get("ok").is_some(), "{category}.{method}: {answer}");
        answer["ok"].clone()
    }

    /// Calls a method that must fail; HTTP status and body of the error.
    pub async fn error(&mut self, category: &str, method: &str, body: Value) -> (u64, Value) {
        let answer = self.call(category, method, body).await;
        let error = &answer["error"];
        assert!(error["body"].is_object(), "{category}.{method}: {answer}");
        (error["status"].as_u64().unwrap(), error["body"].clone())
    }
}

/// Where the Python with the client is.
fn python() -> PathBuf {
    let named = std::env::var_os("SEALPOST_TEST_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.venv/bin/python")));
    assert!(
        python.exists(),
        "{} is not there: run scripts/test, which installs the official client",
        python.display()
    );
    python
}
