//! Puts the rooms together: the only file that knows them all. Opens the folder, runs the start-up pass, then the doors.

mod inbound;
mod outward;
mod server;
mod submission;
mod wiring;

pub use server::{Addresses, Server};

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sealpost_projections::activity::{Activity, ActivityQueries};
use sealpost_projections::message_timeline::{MessageTimeline, TimelineQueries};
use sealpost_projections::spool::{Spool, SpoolQueries};
use sealpost_projections::{EventSource, Progress, ProjectionFailure, Runner, Running, SharedSource};
use thiserror::Error;

use crate::actors::{Accounts, Attempt, Outgoing, SpoolFeed, Theatre, TheatreConfig, TheatreFailure};
use crate::certificate::TlsFailure;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigRefusal};
use crate::delivery::mx::ResolverFailure;
use crate::durable_folder;
use crate::http::ListenFailure;
use crate::log::sqlite::SqliteStore;
use crate::log::store::Store;
use crate::log::{Log, LogFailure};
use crate::smtp::client::Timeouts;
use crate::smtp::server::inbound::InboundFailure;
use crate::smtp::server::submission::{Pace, SubmissionFailure};
use crate::smtp::wire::HelloNameRefusal;
use crate::vault::{MasterKey, Vault, VaultFailure};

/// How long a start waits until what the last run left open is settled: it nearly always is in less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts something before the deliverer.
pub type WrapAttempt = Arc<dyn Fn(Arc<dyn Attempt>) -> Arc<dyn Attempt> + Send + Sync>;

/// Puts something before the log's store.
pub type WrapStore = Arc<dyn Fn(Box<dyn Store>) -> Box<dyn Store> + Send + Sync>;

/// What the program takes from outside: injected, so that tests can hold the clock and stand before the deliverer
/// and the store.
#[derive(Clone)]
pub struct Ports {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long each stage of a delivery may take.
    pub timeouts: Timeouts,
    /// How long the stages of a submission may take.
    pub submission_pace: Pace,
    /// Stands before the deliverer; nothing outside of tests.
    pub wrap_attempt: WrapAttempt,
    /// Stands before the log's store; nothing outside of tests.
    pub wrap_store: WrapStore,
    /// Whether mail goes out.
    pub outgoing: Outgoing,
    /// How long a start waits until what the last run left open is settled, before the doors open all the same.
    pub patience: Duration,
    /// How often what is due in the spool is offered again to the destinations.
    pub refill_every: Duration,
    /// Port of the mail hosts that MX records name.
    pub mx_port: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::started_now()),
            timeouts: Timeouts::default(),
            submission_pace: Pace::default(),
            wrap_attempt: Arc::new(|attempt| attempt),
            wrap_store: Arc::new(|store| store),
            outgoing: Outgoing::Flows,
            patience: PATIENCE,
            refill_every: REFILL_EVERY,
            mx_port: 25,
        }
    }
}

/// Why the program does not start.
#[derive(Debug, Error)]
pub enum StartFailure {
    /// The configuration is refused.
    #[error("the configuration is refused")]
    Config(#[from] ConfigRefusal),
    /// The data folder cannot be made or read.
    #[error("the data folder {path} cannot be used")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the folder.
    #[error("another process uses the data folder {path}: talk to it through its control socket, or end it")]
    FolderInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The vault does not open.
    #[error("the vault does not open")]
    Vault(#[from] VaultFailure),
    /// The log does not open.
    #[error("the log does not open")]
    Log(#[from] LogFailure),
    /// A projection does not start.
    #[error("a projection does not start")]
    Projection(#[from] ProjectionFailure),
    /// The actors do not run.
    #[error("the actors do not run")]
    Theatre(#[from] TheatreFailure),
    /// A door does not open.
    #[error("a door does not open")]
    Listen(#[from] ListenFailure),
    /// The submission server does not open.
    #[error("the submission server does not open")]
    Submission(#[from] SubmissionFailure),
    /// The server for reports does not open.
    #[error("the server for reports does not open")]
    Inbound(#[from] InboundFailure),
    /// The certificate of an SMTP server.
    #[error("the certificate of an SMTP server is not there")]
    Certificate(#[from] TlsFailure),
    /// Our own host name is none.
    #[error("`host` is no host name")]
    Host(#[from] HelloNameRefusal),
    /// Names cannot be resolved.
    #[error("names cannot be resolved")]
    Resolver(#[from] ResolverFailure),
    /// The trusted certificates cannot be read.
    #[error("the certificates of {path} cannot be read")]
    Roots {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
}

/// How often the spool is gone through for what the destinations dropped.
const REFILL_EVERY: Duration = Duration::from_secs(15);

/// How long the end waits for each read model.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// The projections, each on its own thread.
struct ReadModels {
    folder: PathBuf,
    spool: Running,
    activity: Running,
    timeline: Running,
}

/// The running program without its doors.
pub struct Engine {
    log: Log,
    vault: Vault,
    read_models: ReadModels,
    theatre: Theatre,
    drain: Duration,
    _lock: File,
}

impl Engine {
    /// Opens the folder, settles what the last run left open, and lets mail go. What takes long of it goes on behind:
    /// mail can be accepted then, and none goes out before.
    ///
    /// # Errors
    /// As [`StartFailure`] says. Nothing is sent and nothing accepted then.
    pub async fn start(config: &Config, ports: Ports) -> Result<Self, StartFailure> {
        config.check()?;
        let lock = lock(&config.data)?;
        let master = MasterKey::load(&config.master_key_path())?;
        let vault = Vault::open(&config.data.join("vault"), &master)?;
        let log = open_log(config, &ports, &vault)?;
        let read_models = ReadModels::start(&config.data.join("read"), Arc::new(log.source()))?;
        let deliverer = outward::deliverer(config, &ports, &log, &vault)?;
        let theatre = Theatre::start(TheatreConfig {
            node: config.node.clone(),
            retry: config.retry_policy(),
            log: log.clone(),
            clock: ports.clock.clone(),
            feed: read_models.feed(),
            attempt: (ports.wrap_attempt)(deliverer),
            routes: Arc::new(outward::routes(config, &ports)?),
            outgoing: ports.outgoing.and(config.delivery.outgoing),
            patience: ports.patience,
            refill_every: ports.refill_every,
            runtime: tokio::runtime::Handle::current(),
            connections_per_site: config.delivery.connections_per_site.into(),
        })
        .await?;
        let drain = Duration::from_secs(config.delivery.drain_s.into());
        Ok(Self {
            log,
            vault,
            read_models,
            theatre,
            drain,
            _lock: lock,
        })
    }

    /// The door to the accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        self.theatre.accounts()
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The vault.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The actors.
    #[must_use]
    pub const fn theatre(&self) -> &Theatre {
        &self.theatre
    }

    /// Where the read models lie.
    #[must_use]
    pub fn read_folder(&self) -> &Path {
        &self.read_models.folder
    }

    /// Waits until every projection has come to `position`; `false` when that takes longer than `at_most`. Blocks.
    #[must_use]
    pub fn projected(&self, position: u64, at_most: Duration) -> bool {
        let models = &self.read_models;
        [&models.spool, &models.activity, &models.timeline]
            .into_iter()
            .all(|running| running.wait_for(position, at_most))
    }

    /// How far spool, activity and timeline are.
    #[must_use]
    pub fn progress(&self) -> (Progress, Progress, Progress) {
        let models = &self.read_models;
        (
            models.spool.progress(),
            models.activity.progress(),
            models.timeline.progress(),
        )
    }

    /// Questions to the spool.
    #[must_use]
    pub fn spool(&self) -> SpoolQueries {
        SpoolQueries::open(&self.read_models.folder)
    }

    /// Questions to the activity.
    #[must_use]
    pub fn activity(&self) -> ActivityQueries {
        ActivityQueries::open(&self.read_models.folder)
    }

    /// Questions to the timelines.
    #[must_use]
    pub fn timelines(&self) -> TimelineQueries {
        TimelineQueries::open(&self.read_models.folder)
    }

    /// Ends in order: open attempts may finish, then the log closes with everything that it was given.
    pub async fn stop(self) {
        let Self {
            log,
            vault,
            read_models,
            theatre,
            drain,
            _lock: lock,
        } = self;
        theatre.stop(drain).await;
        let closed = tokio::task::spawn_blocking(move || {
            read_models.catch_up(log.read().head());
            log.close();
            read_models.stop();
            vault.close();
            drop(lock);
        });
        if closed.await.is_err() {
            tracing::error!("the log did not close in order");
        }
    }
}

impl ReadModels {
    /// Lets them come to `position`, so that the next start finds nothing to fold; gives up after a while.
    fn catch_up(&self, position: u64) {
        for running in [&self.spool, &self.activity, &self.timeline] {
            if !running.wait_for(position, CATCH_UP_MAX) {
                tracing::info!(
                    position,
                    "a read model is behind at the end; it goes on at the next start"
                );
            }
        }
    }

    fn start(folder: &Path, source: Arc<dyn EventSource>) -> Result<Self, StartFailure> {
        make_folder(folder)?;
        let shared = SharedSource::new(source);
        Ok(Self {
            folder: folder.to_owned(),
            spool: Runner::<Spool>::start(folder, shared.follower())?,
            activity: Runner::<Activity>::start(folder, shared.follower())?,
            timeline: Runner::<MessageTimeline>::start(folder, shared.follower())?,
        })
    }

    fn feed(&self) -> SpoolFeed {
        SpoolFeed::new(self.spool.progress(), SpoolQueries::open(&self.folder))
    }

    fn stop(self) {
        self.spool.stop();
        self.activity.stop();
        self.timeline.stop();
    }
}

/// Makes the folder and takes it for this process. The lock ends with the process, however that ends.
fn lock(data: &Path) -> Result<File, StartFailure> {
    make_folder(data)?;
    let path = data.join("lock");
    let failed = |source| StartFailure::Folder {
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        // Whoever can open it can hold the lock, and keep the program from starting.
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartFailure::FolderInUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn make_folder(path: &Path) -> Result<(), StartFailure> {
    durable_folder::make(path).map_err(|source| StartFailure::Folder {
        path: path.to_owned(),
        source,
    })
}

fn open_log(config: &Config, ports: &Ports, vault: &Vault) -> Result<Log, LogFailure> {
    let store = SqliteStore::at(&config.data.join("log"))?;
    Log::open_on(
        (ports.wrap_store)(Box::new(store)),
        &config.node,
        config.disk.accept_mark_bytes,
        vault.clone(),
        ports.clock.clone(),
    )
}
