//! One trial: a run with a fault at one call, a sound run after it, and the verdict.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::bench::{Bench, read_trace};
use super::point::{Injection, Point};
use crate::judge::{Kill, LogCopy, Story, findings, open_attempts, rebuild_findings};
use crate::power_loss::Disk;
use crate::trace::Call;
use crate::world::{Answer, Launch, Ledger, Server, Site};

/// How long a sound program may take to deliver.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a program whose disk has refused a call may take to come back and deliver; then it is asked to end.
const GRACE: Duration = Duration::from_secs(8);
/// How long a program is waited for that is to be killed at a call; then it is asked to end, and may be killed at that.
const KILL_GRACE: Duration = Duration::from_secs(3);
/// How often a caller asks again who is told that the program is not able to take mail now.
const TRIES: usize = 6;

/// What happens at the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails with `EIO` and does nothing.
    Refused,
    /// The program is killed before it does anything.
    Killed,
    /// As [`Fault::Killed`], and the machine loses its power.
    PowerLost,
}

/// Why a trial has not shown that the fault is survived.
#[derive(Debug)]
pub enum Failure {
    /// The program never came to the call, and ended in order.
    NeverMade,
    /// A promise is broken, in sentences.
    Broken(String),
}

/// How the run ended that had the fault.
struct Ended {
    status: ExitStatus,
    report: String,
}

/// Places the fault at the call and judges what comes of it. `name` is that of no other trial.
pub async fn trial(bench: &Bench, name: &str, point: &Point, fault: Fault) -> Result<(), Failure> {
    let (disk, site) = bench.copy(name);
    let trace = bench.path(&format!("{name}.trace"));
    let ledger = Ledger::default();
    let recipients = [format!("a-{name}@sink.test"), format!("b-{name}@sink.test")];
    let launch = launch(point, fault, &disk, &site, &trace);
    let end = faulty_run(&site, &launch, fault, &ledger, &recipients[0]).await;
    happened(fault, &end, &trace)?;
    if fault == Fault::PowerLost {
        disk.lose_power();
    }
    let open = open_attempts(&LogCopy::of(site.data()).events());
    sound_run(&site, &ledger, &recipients[1])
        .await
        .map_err(Failure::Broken)?;
    let log = LogCopy::of(site.data());
    let mut story = Story {
        acknowledged: ledger.acknowledged(),
        taken: bench.mailroom.taken(),
        kills: vec![Kill { open, connections: 1 }],
        log: log.events(),
    };
    story.taken.retain(|taken| recipients.contains(&taken.recipient));
    let mut found = findings(&story);
    found.extend(rebuild_findings(site.data(), story.log.len()));
    let refusals = ledger.refusals().into_keys().filter(|status| *status != 503);
    found.extend(refusals.map(|status| format!("answer {status}")));
    found.extend(Some(log.integrity()).filter(|said| said != "ok"));
    if found.is_empty() {
        Ok(())
    } else {
        Err(Failure::Broken(format!("{found:?}; {}: {}", end.status, end.report)))
    }
}

fn launch(point: &Point, fault: Fault, disk: &Disk, site: &Site, trace: &Path) -> Launch {
    match fault {
        Fault::Refused => point.with(Injection::Error, site.data(), trace),
        Fault::Killed => point.with(Injection::Kill, site.data(), trace),
        Fault::PowerLost => Launch {
            environment: Launch::in_environment(disk.environment()).environment,
            ..point.with(Injection::Kill, site.data(), trace)
        },
    }
}

/// One message, sent until it is accepted or the program has ended; then time to deliver it, and the end.
async fn faulty_run(site: &Site, launch: &Launch, fault: Fault, ledger: &Ledger, recipient: &str) -> Ended {
    let mut server = site.start(launch).await;
    if let Some(ready) = server.ready().await {
        let client = site.client(&ready);
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        for _ in 0..TRIES {
            ticks.tick().await;
            let answer = client.send(&[recipient.to_owned()], 500).await;
            let again = matches!(answer, Answer::Refused(503));
            ledger.note(answer);
            if !again {
                break;
            }
        }
        match fault {
            // Whether it delivers now or in the next run is the program's to choose.
            Fault::Refused => until_finished(site, &mut server).await,
            // Nobody else may open the log meanwhile: who closes it last tidies it up.
            Fault::Killed | Fault::PowerLost => drop(server.wait(KILL_GRACE).await),
        }
    }
    let report = server.report();
    Ended {
        status: server.stop().await,
        report,
    }
}

async fn until_finished(site: &Site, server: &mut Server) {
    tokio::select! {
        _ = server.wait(GRACE) => {}
        _ = site.until_finished(GRACE) => {}
    }
}

/// Whether the fault came, and the program ended as it should.
fn happened(fault: Fault, end: &Ended, trace: &Path) -> Result<(), Failure> {
    let (came, signal) = match fault {
        Fault::Refused => (read_trace(trace).0.iter().any(Call::is_injected), None),
        Fault::Killed | Fault::PowerLost => (end.status.signal().is_some(), Some(9)),
    };
    if came && end.status.signal() == signal {
        return Ok(());
    }
    if !came && end.status.success() {
        return Err(Failure::NeverMade);
    }
    Err(Failure::Broken(format!(
        "it ended otherwise: {}: {}",
        end.status, end.report
    )))
}

/// A run on a disk that is sound again: it delivers what is left, and takes new mail.
async fn sound_run(site: &Site, ledger: &Ledger, recipient: &str) -> Result<(), String> {
    let (server, client) = site.start_ready(&Launch::default()).await;
    let answer = client.send(&[recipient.to_owned()], 500).await;
    if !matches!(answer, Answer::Accepted(_)) {
        return Err(format!("after recovery {answer:?} is answered: {}", server.report()));
    }
    ledger.note(answer);
    let finished = site.until_finished(PATIENCE).await;
    let report = server.report();
    let status = server.stop().await;
    if finished && status.success() {
        Ok(())
    } else {
        Err(format!("not recovered, {status}: {report}"))
    }
}
