//! `docs/cli.md` is what `--help` prints, command by command.

use super::golden::check_document;
use crate::cli::program::run;

const OPENING: &str = "# Command line

Every command, as `sealpost … --help` prints it. Against a running server a command goes through the server's control
socket; a folder that no server runs on is opened for the command alone, and no mail goes out of it. Exit codes: 0 done,
1 not done (standard error says why), 2 not understood. `SEALPOST_LOG` sets what the program logs to standard error, as
`warn,sealpost=info`, which is the default; the HTTP library, which quotes what strangers send, is silent whatever it
says. The path of the control socket (`control.sock` in the data folder) may have 107 bytes; with a longer one nothing
starts.
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_the_help_of_every_command() {
    let mut text = OPENING.to_owned();
    let mut waiting = vec![Vec::<String>::new()];
    while let Some(path) = waiting.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = run(&words).await;
        assert_eq!(help.code, 0, "{words:?}");
        let title = [&["sealpost".to_owned()], path.as_slice()].concat().join(" ");
        text.push_str(&format!("\n## {title}\n\n```\n{}\n```\n", help.stdout.trim_end()));
        let below: Vec<Vec<String>> = commands(&help.stdout)
            .map(|command| [path.as_slice(), &[command.to_owned()]].concat())
            .collect();
        waiting.extend(below.into_iter().rev());
    }
    check_document("docs/cli.md", &text);
}

/// The commands that a help text lists.
fn commands(help: &str) -> impl Iterator<Item = &str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next())
}
