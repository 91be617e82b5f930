//! The program is killed while it takes mail by SMTP: whatever it had answered with `250` is there.

use std::net::SocketAddr;

use tokio::process::Command;

use super::client::Client;
use crate::cli::program::Demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_250_outlives_a_kill_in_the_midst_of_others() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for after in [3, 11, 20] {
        let demo = Demo::start(data.path()).await;
        acknowledged.extend(send_until_killed(&demo, after).await);
    }
    assert!(acknowledged.len() >= 34, "{}", acknowledged.len());
    let demo = Demo::start(data.path()).await;
    for id in &acknowledged {
        let shown = demo.folder.json(&["message", "show", id]).await;
        assert_eq!(shown["id"], *id, "{shown}");
    }
    demo.stop().await;
}

/// Sends until so many are answered, and kills the program with the next ones on their way.
async fn send_until_killed(demo: &Demo, after: usize) -> Vec<String> {
    let address: SocketAddr = demo.text("smtp").parse().unwrap();
    let (key, from, to) = (demo.text("key"), demo.text("from"), demo.text("to"));
    let mut client = Client::silent(address).await;
    client.heard().await.starts("220 ");
    client.ehlo().await;
    client.log_in(key).await.starts("235 ");
    let one = format!(
        "MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nRCPT TO:<x@plain.demo.test>\r\nDATA\r\nFrom: {from}\r\n\r\nhi\r\n.\r\n"
    );
    // All of it is on its way from the beginning: the kill falls into one of them.
    client.send(one.repeat(after + 30).as_bytes()).await;
    let mut acknowledged = Vec::new();
    let mut answers = 0;
    while answers < after {
        let heard = client.heard().await;
        if heard.0.starts_with("250 2.0.0 Taken as ") {
            answers += 1;
            acknowledged.extend(heard.ids());
        }
    }
    let kill = ["-c", "kill -KILL \"$0\"", &demo.process.id().to_string()];
    assert!(Command::new("bash").args(kill).status().await.unwrap().success());
    // What had been answered before the kill counts as well.
    while let Some(heard) = client.heard_if_any().await {
        if heard.0.starts_with("250 2.0.0 Taken as ") {
            acknowledged.extend(heard.ids());
        }
    }
    acknowledged
}
