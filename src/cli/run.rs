//! Reads the words, does what they say, and prints an error's whole chain once.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use super::arguments::{Arguments, Command};
use super::{account, audit, demo, domain, key, message, queue, serve};

/// What is logged when nobody says otherwise.
const LOGGED: &str = "warn,sealpost=info";
/// What is never logged, whoever asks for it. The HTTP library calls every malformed request an error, and a stranger's
/// bad input is none of the operator's; at its lower levels it quotes that input, which may name anybody.
const SILENT: &str = "actix_http=off";

/// Runs the program and returns its exit code: 0 done, 1 not done, 2 not understood.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(filter(std::env::var("SEALPOST_LOG").ok()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a cryptographic provider was installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(failure) => {
            eprintln!("sealpost: no threads: {failure}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Serve { place, init } => serve::serve(&place, init).await,
            Command::Demo(arguments) => demo::demo(arguments).await,
            Command::Account(command) => account::account(command).await,
            Command::Domain(command) => domain::domain(command).await,
            Command::Key(command) => key::key(command).await,
            Command::Message(command) => message::message(command).await,
            Command::Queue(command) => queue::queue(command).await,
            Command::Audit(command) => audit::audit(command).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sealpost: {failure:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is logged: what the operator wants, but for what nobody may want. A text that says nothing readable wants the
/// usual.
fn filter(wanted: Option<String>) -> EnvFilter {
    let wanted = wanted.filter(|wanted| !wanted.trim().is_empty());
    let wanted = wanted.as_deref().unwrap_or(LOGGED);
    EnvFilter::try_new(format!("{wanted},{SILENT}")).unwrap_or_else(|_| EnvFilter::new(format!("{LOGGED},{SILENT}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_that_quotes_strangers_is_silent_whatever_is_wanted() {
        for (wanted, kept) in [
            (None, "sealpost=info"),
            (Some(""), "sealpost=info"),
            (Some("trace"), "trace"),
            (Some("actix_http=trace"), "actix_http=off"),
            (Some("sealpost=no such level"), "sealpost=info"),
        ] {
            let printed = filter(wanted.map(str::to_owned)).to_string();
            let directives: Vec<&str> = printed.split(',').collect();
            assert!(
                directives.contains(&kept) && directives.contains(&SILENT),
                "{wanted:?}: {printed}"
            );
            assert!(!directives.contains(&"actix_http=trace"), "{printed}");
        }
    }
}
