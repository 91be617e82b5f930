//! Thousands of idle connections hold little memory, and the next one is served.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::client::Client;
use crate::cli::program::Process;

const CROWD: u64 = 5_000;
/// What one of them may hold, in KiB: as much as a connection may, and some for what the system counts besides.
const KIB_EACH_MAX: u64 = 10;
/// What the whole program may hold meanwhile, in KiB; a build without optimisation takes 100 MiB by itself.
const RESIDENT_KIB_MAX: u64 = 256 * 1_024;
/// Limits of open files are raised as far as they may be.
const RAISED: &str = "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\"";

fn raised(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", RAISED, program]).args(words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Connections that another process holds.
struct Crowd {
    _holder: Child,
}

impl Crowd {
    /// Lets so many come, and waits until each of them is greeted.
    async fn come(address: SocketAddr, count: u64) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/submission/crowd.py");
        let (port, count) = (address.port().to_string(), count.to_string());
        let mut holder = raised("python3", &[script, "127.0.0.1", &port, &count])
            .spawn()
            .unwrap();
        let mut greeted = BufReader::new(holder.stdout.take().unwrap()).lines();
        assert_eq!(greeted.next_line().await.unwrap(), Some(count));
        Self { _holder: holder }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_who_say_nothing_do_not_keep_the_next_one_out() {
    let data = tempfile::tempdir().unwrap();
    let free = "127.0.0.1:0";
    let folder = data.path().to_str().unwrap();
    let words = [
        "demo", "--data", folder, "--http", free, "--https", free, "--smtp", free,
    ];
    let mut process = Process::of(raised(env!("CARGO_BIN_EXE_sealpost"), &words));
    let ready = process.ready().await;
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let address: SocketAddr = text("smtp").parse().unwrap();
    // What the start gave back is taken first, so that it does not hide what the others take.
    let first = Crowd::come(address, CROWD / 2).await;
    let before = resident_kib(process.id());
    let second = Crowd::come(address, CROWD / 2).await;
    let after = resident_kib(process.id());
    let each = after.saturating_sub(before) / (CROWD / 2);
    println!("{CROWD} idle connections: {after} KiB resident in all, the second half {each} KiB each");
    assert!(
        each <= KIB_EACH_MAX && after <= RESIDENT_KIB_MAX,
        "{each} KiB each, {after} KiB in all"
    );

    let mut one = Client::silent(address).await;
    one.heard().await.starts("220 sealpost.demo.test ESMTP ");
    one.ehlo().await;
    one.log_in(&text("key")).await.starts("235 ");
    one.say(&format!("MAIL FROM:<{}>", text("from"))).await.starts("250 ");
    one.say(&format!("RCPT TO:<{}>", text("to"))).await.starts("250 ");
    let content = format!("From: {}\r\nSubject: hi\r\n\r\nhi\r\n", text("from"));
    assert_eq!(one.content(content.as_bytes()).await.ids().len(), 1);
    drop((first, second));
    assert_eq!(process.stop().await.code, 0);
}
