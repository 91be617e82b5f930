//! `serve`: from a configuration file, made ready by `--init`, refused with a sentence where it cannot run.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::program::{Demo, Folder, Process, run};

fn write_config(folder: &Path, more: &str) -> String {
    let file = folder.join("sealpost.toml");
    let data = folder.join("data");
    std::fs::write(&file, format!("data = '{}'\n{more}", data.display())).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_made_by_init_found_by_its_socket_and_ended_by_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "[http]\nplain = '127.0.0.1:0'\n");
    let serve = ["serve", "--config", &config];
    let refused = run(&serve).await;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("master.key"), "{}", refused.stderr);

    let mut process = Process::start(&[&serve[..], &["--init"]].concat());
    let ready = process.ready().await;
    let api = ready["api"].as_str().expect("the plain door");
    assert!(
        api.starts_with("http://127.0.0.1:") && api.ends_with("/api/1.0"),
        "{ready}"
    );
    let create = [
        "account",
        "create",
        "--config",
        &config,
        "--name",
        "Acme",
        "--login",
        "boss@acme.test",
    ];
    let data = folder.path().join("data");
    let created = run(&create).await;
    assert_eq!(created.code, 0, "{}", created.stderr);
    let second = run(&serve).await;
    assert_eq!(second.code, 1);
    let sentence = format!("another process uses the data folder {}", data.display());
    assert!(second.stderr.contains(&sentence), "{}", second.stderr);
    assert_eq!(
        run(&create).await.code,
        1,
        "the login is taken, says the first server still"
    );
    let output = process.stop().await;
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("plain HTTP"), "{}", output.stderr);
    assert!(!output.stderr.contains('\u{1b}'), "no colours where no terminal is");

    let mut again = Process::start(&serve);
    again.ready().await;
    assert_eq!(again.stop().await.code, 0, "without --init as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_is_wrong_is_refused_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    for (more, says) in [
        ("surprise = 1\n", "surprise"),
        ("[http]\nport = 80\n", "port"),
        ("[disk]\naccept_mark_bytes = 'much'\n", "accept_mark_bytes"),
        ("[delivery]\nretry_delays_s = []\n", "delivery.retry_delays_s"),
        ("[[route]]\ndomain = 'no domain'\nhost = 'a'\n", "no domain"),
        ("[http]\ncertificate = 'a.pem'\n", "http.private_key"),
        ("[http\n", "sealpost.toml"),
    ] {
        let config = write_config(folder.path(), more);
        for words in [
            &["serve", "--init", "--config", &config][..],
            &["queue", "list", "--config", &config],
        ] {
            let output = run(words).await;
            assert_eq!(output.code, 1, "{more}");
            assert!(output.stderr.contains(says), "{more}: {}", output.stderr);
        }
    }
    let missing = run(&["serve", "--config", "/no/such/file.toml"]).await;
    assert!(
        missing.code == 1 && missing.stderr.contains("/no/such/file.toml"),
        "{}",
        missing.stderr
    );
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_beside_a_server_whose_socket_is_gone_does_not_touch_its_folder() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    std::fs::remove_file(data.path().join("control.sock")).unwrap();
    let said = Folder(data.path().to_owned()).refused(&["queue", "list"]).await;
    assert!(said.contains("another process uses the data folder"), "{said}");
    let message = demo.send(demo.text("to")).await;
    assert_eq!(message.len(), 32, "it serves on");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_answered_before_it_ends_and_is_on_record() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let mail =
        json!({ "from": demo.text("from"), "to": [demo.text("to")], "text": "begun before the signal" }).to_string();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        demo.text("key"),
        mail.len()
    );
    let address = demo
        .text("v1")
        .trim_start_matches("http://")
        .trim_end_matches("/v1")
        .to_owned();
    let (first, rest) = mail.split_at(20);
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    // Served behind the other one's head, so that that one was read.
    demo.send("ann@plain.demo.test").await;

    let ending = tokio::spawn(demo.stop());
    let mut every = tokio::time::interval(Duration::from_millis(10));
    while TcpStream::connect(&address).await.is_ok() {
        every.tick().await;
    }
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    ending.await.unwrap();
    let body: Value = serde_json::from_str(answer.rsplit("\r\n\r\n").next().unwrap()).unwrap();
    let demo = Demo::start(data.path()).await;
    let id = body["messages"][0]["id"].as_str().unwrap();
    demo.folder.until(id, "delivered", Duration::from_secs(20)).await;
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_whose_control_socket_would_not_fit_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let length = 107 - "/control.sock".len() + 1 - folder.path().as_os_str().len() - 1;
    let data = folder.path().join("d".repeat(length));
    let data = data.to_str().unwrap();
    for words in [
        &["serve", "--init", "--data", data][..],
        &["queue", "list", "--data", data],
    ] {
        let output = run(words).await;
        assert_eq!(output.code, 1, "{words:?}");
        let says = "control.sock has 108 bytes, and a socket's may have 107";
        assert!(output.stderr.contains(says), "{words:?}: {}", output.stderr);
    }
    assert!(!Path::new(data).join("log").exists(), "nothing was opened");
    let shorter = data.strip_suffix('d').unwrap();
    let mut process = Process::start(&["serve", "--init", "--data", shorter]);
    process.ready().await;
    assert_eq!(process.stop().await.code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_no_error_of_the_operator_s() {
    let data = tempfile::tempdir().unwrap();
    let config = write_config(data.path(), "[http]\nplain = '127.0.0.1:0'\n");
    let mut process = Process::start(&["serve", "--init", "--config", &config]);
    let ready = process.ready().await;
    let address = ready["v1"].as_str().unwrap().trim_start_matches("http://");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address.trim_end_matches("/v1")).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    let output = process.stop().await;
    for loud in ["ERROR", "WARN"] {
        assert!(!output.stderr.contains(loud), "{}", output.stderr);
    }
}
