//! The whole program: the engine with its doors.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::Instant;

use super::wiring::{LogCounts, LogHealth, LogKeys, Mint, ReadModelAudit, metrics_text};
use super::{Engine, Ports, StartFailure, inbound, submission};
use crate::access::{Counting, Enrolment, Gate, Passwords, Strangers};
use crate::certificate::TlsSource;
use crate::clock::Clock;
use crate::compose::Keeper;
use crate::config::Config;
use crate::http::{ControlParts, Doors, Front, FrontParts, ListenConfig, ReadModels, control_path_fits};
use crate::intake::{MailDesk, MailDeskParts};
use crate::smtp::server::inbound::Inbound;
use crate::smtp::server::submission::{Cover, Pace, Submission};

/// Where the doors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Plain HTTP.
    pub plain: Option<std::net::SocketAddr>,
    /// HTTPS.
    pub secure: Option<std::net::SocketAddr>,
    /// The first submission listener that offers STARTTLS.
    pub submission: Option<std::net::SocketAddr>,
    /// The first submission listener with implicit TLS.
    pub submission_tls: Option<std::net::SocketAddr>,
    /// The first listener for reports.
    pub inbound: Option<std::net::SocketAddr>,
}

/// The running program.
pub struct Server {
    engine: Engine,
    doors: Doors,
    submission: Option<Submission>,
    inbound: Option<Inbound>,
    counting: Counting,
    data: PathBuf,
}

impl Server {
    /// Starts the engine, then opens the doors.
    ///
    /// # Errors
    /// As [`StartFailure`] says; then no door is open.
    pub async fn start(config: &Config, ports: Ports) -> Result<Self, StartFailure> {
        control_path_fits(&socket(&config.data))?;
        let clock = ports.clock.clone();
        let pace = ports.submission_pace;
        let engine = Engine::start(config, ports).await?;
        let strangers = Strangers::new(clock.clone());
        let counts = Arc::new(LogCounts {
            log: engine.log().clone(),
            node: config.node.clone(),
        });
        let counting = strangers.start(counts);
        let gate = gate(config, &engine, strangers.clone());
        let desk = desk(config, &engine, clock.clone());
        let opened = open_mail(
            config,
            &engine,
            (gate.clone(), desk.clone(), strangers),
            pace,
            clock.now(),
        );
        let (submission, inbound) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                counting.stop().await;
                engine.stop().await;
                return Err(failure);
            }
        };
        let front = front(config, &engine, gate, desk, clock.clone());
        let control = Arc::new(ControlParts {
            front: front.clone(),
            enrolment: Enrolment::new(engine.accounts().clone(), engine.vault().clone(), Passwords::default()),
            dkim: Arc::new(Mint),
            audit: Arc::new(ReadModelAudit {
                folder: engine.read_folder().to_owned(),
                source: engine.log().source(),
            }),
        });
        let doors = match Doors::open(listen(config), front, control, clock.now()) {
            Ok(doors) => doors,
            Err(failure) => {
                tokio::join!(submission::close(submission), inbound::close(inbound));
                counting.stop().await;
                engine.stop().await;
                return Err(failure.into());
            }
        };
        Ok(Self {
            engine,
            doors,
            submission,
            inbound,
            counting,
            data: config.data.clone(),
        })
    }

    /// Where the doors are.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        let listener = |cover| submission::address(self.submission.as_ref(), cover);
        Addresses {
            plain: self.doors.plain(),
            secure: self.doors.secure(),
            submission: listener(Cover::StartTls),
            submission_tls: listener(Cover::Implicit),
            inbound: inbound::address(self.inbound.as_ref()),
        }
    }

    /// The engine behind the doors.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(&self.data)
    }

    /// The authority of a self-made certificate, in PEM.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.data.join("ca.pem")
    }

    /// Closes the doors, then ends the engine: what was accepted is on disk, and open attempts may finish.
    pub async fn stop(self) {
        tokio::join!(
            self.doors.close(),
            submission::close(self.submission),
            inbound::close(self.inbound)
        );
        self.counting.stop().await;
        self.engine.stop().await;
    }
}

/// Opens the doors that mail comes in by: both, or none.
fn open_mail(
    config: &Config,
    engine: &Engine,
    (gate, desk, strangers): (Gate, MailDesk, Strangers),
    pace: Pace,
    now: Instant,
) -> Result<(Option<Submission>, Option<Inbound>), StartFailure> {
    let submission = submission::open(config, gate, desk, pace, now)?;
    Ok((submission, inbound::open(config, engine, &strangers, now)?))
}

fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// The certificate of every door.
pub(super) fn certificate(config: &Config) -> TlsSource {
    let http = &config.http;
    match (&http.certificate, &http.private_key) {
        (Some(certificate), Some(private_key)) => TlsSource::Files {
            certificate: certificate.clone(),
            private_key: private_key.clone(),
        },
        _ => TlsSource::SelfMade {
            folder: config.data.clone(),
            names: vec![config.host.clone()],
        },
    }
}

fn listen(config: &Config) -> ListenConfig {
    let http = &config.http;
    ListenConfig {
        plain: http.plain,
        secure: http.secure.map(|address| (address, certificate(config))),
        control: socket(&config.data),
        drain_s: config.delivery.drain_s.into(),
    }
}

fn gate(config: &Config, engine: &Engine, strangers: Strangers) -> Gate {
    let keys = Arc::new(LogKeys(engine.log().read()));
    Gate::new(engine.accounts().clone(), keys, strangers, &config.node)
}

fn desk(config: &Config, engine: &Engine, clock: Arc<dyn Clock>) -> MailDesk {
    MailDesk::new(MailDeskParts {
        accounts: engine.accounts().clone(),
        keeper: Keeper::new(engine.vault().clone()),
        condition: Arc::new(LogHealth(engine.log().clone())),
        clock,
        message_lifetime: Duration::from_secs(config.delivery.message_ttl_s.into()),
        reverse_paths: inbound::reverse_paths(config, engine),
    })
}

fn front(config: &Config, engine: &Engine, gate: Gate, desk: MailDesk, clock: Arc<dyn Clock>) -> Arc<Front> {
    let (spool_progress, activity_progress, timeline_progress) = engine.progress();
    Arc::new(Front::new(FrontParts {
        gate,
        accounts: engine.accounts().clone(),
        desk,
        log: engine.log().read(),
        models: ReadModels {
            activity: engine.activity(),
            activity_progress,
            timeline: engine.timelines(),
            timeline_progress,
            spool: engine.spool(),
            spool_progress,
        },
        clock,
        metrics: metrics_text(),
        metrics_token: config.http.metrics_token.as_ref().map(|secret| secret.expose().clone()),
        node: config.node.clone(),
    }))
}
