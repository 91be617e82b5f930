//! What the README tells people to type is what the program prints, and works.

use serde_json::Value;

use super::golden::read;
use crate::cli::program::{Demo, bash, run};

/// The blocks of code of the README.
fn blocks(readme: &str) -> Vec<String> {
    let parts = readme.split("\n```").skip(1).step_by(2);
    // The first line of a block is the language's name, or nothing.
    let code = parts.map(|part| part.split_once('\n').map_or("", |(_, code)| code));
    code.map(str::to_owned).collect()
}

/// The block that begins with these words.
fn block(beginning: &str) -> String {
    let blocks = blocks(&read("README.md"));
    let found = blocks.into_iter().find(|block| block.starts_with(beginning));
    found.unwrap_or_else(|| panic!("the README has no block that begins with {beginning:?}"))
}

/// URL, header and body of a curl command.
fn parts(curl: &str) -> (String, String, Value) {
    let (front, body) = curl.trim().split_once(" -d '").expect("a body");
    let (front, header) = front.split_once(" -H '").expect("a header");
    let url = front.split_whitespace().last().unwrap();
    let body = body.strip_suffix('\'').expect("a closed body");
    (
        url.to_owned(),
        header.trim_end_matches('\'').to_owned(),
        serde_json::from_str(body).unwrap_or_else(|wrong| panic!("{wrong}: {body}")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_curl_command_is_the_one_that_the_demo_prints_and_works() {
    let snippet = block("curl ");
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path()).await;
    let (url, header, mut body) = parts(&snippet);
    let (printed_url, printed_header, printed_body) = parts(demo.line("curl "));
    let real = demo.text("api").trim_end_matches("/api/1.0");
    let help = run(&["demo", "--help"]).await.stdout;
    let shown = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    assert!(
        help.contains(&format!("[default: {shown}]")),
        "{shown} is not the demo's address"
    );
    assert_eq!(url.replace(&format!("http://{shown}"), real), printed_url);
    assert_eq!(header, printed_header);

    let (key, from) = (
        body["key"].as_str().unwrap().to_owned(),
        body["message"]["from_email"].as_str().unwrap().to_owned(),
    );
    for (shown, real) in [(&key, "key"), (&from, "from")] {
        let beginning = shown.strip_suffix('…').expect("it is cut off");
        assert!(
            demo.text(real).starts_with(beginning),
            "{shown} is not how {real} begins"
        );
    }
    body["key"] = demo.text("key").into();
    body["message"]["from_email"] = demo.text("from").into();
    assert_eq!(body, printed_body);

    let line = snippet
        .replace(&format!("http://{shown}"), real)
        .replace(&key, demo.text("key"))
        .replace(&from, demo.text("from"));
    let output = bash(&line).await;
    let answer: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(answer[0]["status"], "sent");
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_commands_are_the_program_s() {
    let readme = read("README.md");
    let lines: Vec<String> = blocks(&readme)
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let commands = lines.iter().filter_map(|line| line.strip_prefix("sealpost "));
    let mut seen = 0;
    for command in commands {
        seen += 1;
        let words: Vec<&str> = command.split_whitespace().collect();
        let path: Vec<&str> = words
            .iter()
            .copied()
            .take_while(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
            .collect();
        let help = run(&[&path[..], &["--help"]].concat()).await;
        assert_eq!(help.code, 0, "{command}: {}", help.stderr);
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(flag), "{command}: {flag}");
        }
    }
    assert!(seen > 0, "the README shows no command");
    for script in lines
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.starts_with("scripts/"))
    {
        assert!(!read(script).is_empty(), "{script} is not there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_of_scripts_run_are_the_demo_s() {
    let usage = read("scripts/run");
    let usage = usage
        .lines()
        .find(|line| line.starts_with("#   scripts/run "))
        .expect("a usage");
    let help = run(&["demo", "--help"]).await.stdout;
    let flags: Vec<&str> = usage.split(['[', ' ']).filter(|word| word.starts_with("--")).collect();
    assert_eq!(flags, ["--data", "--http", "--https", "--smtp"]);
    for flag in flags {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn the_files_that_it_names_are_there() {
    let readme = read("README.md");
    let names = readme.split('`').skip(1).step_by(2);
    let files: Vec<&str> = names
        .filter(|name| name.ends_with(".md") || name.starts_with("docs/"))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        assert!(path.exists(), "the README names {file}, which is not there");
    }
}
