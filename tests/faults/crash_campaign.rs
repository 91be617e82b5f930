//! The program is killed and loses its power again and again under load, in one folder that is judged at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::judge::{Fact, Kill, LogCopy, Story, early_findings, findings, held, open_attempts, rebuild_findings};
use crate::power_loss::Disk;
use crate::world::{Chance, Control, Door, Launch, Ledger, Load, Mailroom, Operator, Pace, Progress, Site};

/// Callers at a time, each at its door.
const CALLERS: [Door; 6] = [Door::Api; 6];
/// The same where half of them speak SMTP.
const MIXED_CALLERS: [Door; 6] = [
    Door::Submission,
    Door::Submission,
    Door::Api,
    Door::Api,
    Door::Submission,
    Door::Api,
];
/// How long a message may take at the receiver: others wait behind it, and can be held.
const SLOWNESS: Duration = Duration::from_millis(150);
/// How long the last run may take to deliver what is left.
const PATIENCE: Duration = Duration::from_secs(120);

/// What ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The process alone: what it wrote stays in the system's memory.
    Killed,
    /// The machine: what was not synced is gone.
    PowerLost,
}

struct Campaign {
    disk: Disk,
    site: Site,
    mailroom: Mailroom,
    ledger: Arc<Ledger>,
    load: Load,
    operator: Operator,
    chance: Chance,
    kills: Vec<Kill>,
    lost_changes: usize,
    log_seen: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_arrives_and_only_what_is_in_doubt_comes_twice() {
    run_campaign("crash campaign", &CALLERS, if_full(50, 10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_250_of_submission_is_on_disk_as_a_200_of_the_api_is() {
    run_campaign("crash campaign with submission", &MIXED_CALLERS, if_full(25, 4)).await;
}

fn if_full(whole: usize, sample: usize) -> usize {
    if std::env::var_os("SEALPOST_FULL").is_some() {
        whole
    } else {
        sample
    }
}

/// So many kills and as many losses of power, under the load of these callers.
async fn run_campaign(name: &str, callers: &[Door], each: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Chance::for_test(name);
    let disk = Disk::new(folder.path());
    let pace = Pace::Slow {
        most: SLOWNESS,
        chance: chance.fork(),
    };
    let mailroom = Mailroom::start(pace).await;
    let site = Site::new(disk.root(), mailroom.addr(), &launch(&disk)).await;
    let ledger = Arc::new(Ledger::default());
    let load = Load::new(callers, &ledger, &mut chance);
    let operator = Operator::new(Control::of(site.data()), &ledger, mailroom.inbox(), &mut chance);
    let mut campaign = Campaign {
        disk,
        site,
        mailroom,
        ledger,
        load,
        operator,
        chance,
        kills: Vec::new(),
        lost_changes: 0,
        log_seen: false,
    };
    let mut progress = Progress::of("run", 2 * each);
    for round in 0..2 * each {
        let end = if round % 2 == 0 { End::Killed } else { End::PowerLost };
        campaign.round(end).await;
        progress.step(format_args!("{end:?}, {}", campaign.so_far()));
    }
    campaign.judge().await;
}

fn launch(disk: &Disk) -> Launch {
    Launch::in_environment(disk.environment())
}

impl Campaign {
    /// One run under load, and its end at a moment of chance. Every fourth time the next run is ended as well, before
    /// or after it is ready.
    async fn round(&mut self, end: End) {
        let (server, client) = self.site.start_ready(&launch(&self.disk)).await;
        self.load.open(client);
        let more = usize::try_from(self.chance.within(1..80)).unwrap();
        let taken = self.ledger.wait_for(self.ledger.count() + more, PATIENCE).await;
        assert!(
            taken,
            "no mail is taken any more: {:?}, {}",
            self.ledger.refusals(),
            server.report()
        );
        self.pause(30_000).await;
        let moment = server.kill().await;
        self.load.close();
        self.after_kill(end, self.mailroom.open_since(moment));
        if self.chance.within(0..4) == 0 {
            let server = self.site.start(&launch(&self.disk)).await;
            self.pause(1_500_000).await;
            let moment = server.kill().await;
            self.after_kill(end, self.mailroom.open_since(moment));
        }
    }

    fn so_far(&self) -> String {
        let (acknowledged, kills) = (self.ledger.count(), self.kills.len());
        let open: usize = self.kills.iter().map(|kill| kill.open.len()).sum();
        format!("{acknowledged} messages acknowledged, {kills} kills that left {open} attempts open")
    }

    /// Waits for a time of chance, up to so many microseconds.
    async fn pause(&mut self, at_most_us: u64) {
        tokio::time::sleep(Duration::from_micros(self.chance.within(0..at_most_us))).await;
    }

    fn after_kill(&mut self, end: End, connections: usize) {
        if end == End::PowerLost {
            let wal = self.site.data().join("log/log.db-wal");
            self.log_seen |= self.disk.has_seen(&wal);
            self.lost_changes += self.disk.lose_power();
        }
        let log = LogCopy::of(self.site.data()).events();
        let found = early_findings(&self.ledger.acknowledged(), &log);
        assert_eq!(
            found,
            Vec::<String>::new(),
            "after kill {} ({end:?})",
            self.kills.len() + 1
        );
        self.kills.push(Kill {
            open: open_attempts(&log),
            connections,
        });
    }

    /// Lets the last run deliver what is left, ends it in order, and looks at everything.
    async fn judge(self) {
        let Self {
            disk,
            site,
            mailroom,
            ledger,
            load,
            operator,
            kills,
            lost_changes,
            log_seen,
            ..
        } = self;
        load.stop().await;
        drop(operator);
        let (server, _) = site.start_ready(&launch(&disk)).await;
        for message in held(&LogCopy::live(site.data()).events()) {
            assert!(
                Control::of(site.data()).act(message, "release").await,
                "{message} stays held"
            );
        }
        let finished = site.until_finished(PATIENCE).await;
        assert!(server.stop().await.success());
        let log = LogCopy::of(site.data());
        let story = Story {
            acknowledged: ledger.acknowledged(),
            taken: mailroom.taken(),
            kills,
            log: log.events(),
        };
        print_summary(&story, &ledger.refusals(), lost_changes);
        assert_eq!(log.integrity(), "ok");
        assert_eq!(
            findings(&story),
            Vec::<String>::new(),
            "everything finished: {finished}"
        );
        assert_eq!(rebuild_findings(site.data(), story.log.len()), Vec::<String>::new());
        assert!(
            log_seen && lost_changes > 0,
            "the shim was blind: the campaign has shown nothing"
        );
    }
}

fn print_summary(story: &Story, refusals: &BTreeMap<u16, usize>, lost_changes: usize) {
    let in_doubt: usize = story.kills.iter().map(|kill| kill.open.len()).sum();
    let holds = story
        .log
        .iter()
        .filter(|seen| matches!(seen.fact, Fact::Held { .. }))
        .count();
    println!(
        "{} messages acknowledged, {} taken, {holds} holds, {} events, {} kills that left {in_doubt} attempts open, {lost_changes} \
         changes taken back, other answers: {refusals:?}",
        story.acknowledged.len(),
        story.taken.len(),
        story.log.len(),
        story.kills.len(),
    );
}
