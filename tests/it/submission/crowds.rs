//! Thousands of idle connections hold little memory, and the next one is served.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::client::Client;
use crate::cli::program::Process;

const CROWD: u64 = 5_000;
/// What one of them may hold, in KiB: as much as a connection may, and some for what the system counts besides.
const KIB_EACH_MAX: u64 = 10;
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
    let address: std::net::SocketAddr = text("smtp").parse().unwrap();
    let before = resident_kib(process.id());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/submission/crowd.py");
    let (port, count) = (address.port().to_string(), CROWD.to_string());
    let mut crowd = raised("python3", &[script, "127.0.0.1", &port, &count])
        .spawn()
        .unwrap();
    let mut greeted = BufReader::new(crowd.stdout.take().unwrap()).lines();
    assert_eq!(greeted.next_line().await.unwrap(), Some(count));
    let held = resident_kib(process.id()).saturating_sub(before);
    println!("{CROWD} idle connections hold {held} KiB more than none ({before} KiB)");
    assert!(held <= CROWD * KIB_EACH_MAX, "{held} KiB");

    let mut one = Client::silent(address).await;
    one.heard().await.starts("220 sealpost.demo.test ESMTP ");
    one.ehlo().await;
    one.log_in(&text("key")).await.starts("235 ");
    one.say(&format!("MAIL FROM:<{}>", text("from"))).await.starts("250 ");
    one.say(&format!("RCPT TO:<{}>", text("to"))).await.starts("250 ");
    let content = format!("From: {}\r\nSubject: hi\r\n\r\nhi\r\n", text("from"));
    assert_eq!(one.content(content.as_bytes()).await.ids().len(), 1);
    drop(crowd);
    assert_eq!(process.stop().await.code, 0);
}
