//! Opens and closes the submission server as the configuration says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sealpost_domain::Instant;

use super::StartFailure;
use super::server::certificate;
use crate::access::Gate;
use crate::config::Config;
use crate::intake::MailDesk;
use crate::smtp::server::submission::{
    ConnectionLimits, Cover, Listener, Pace, Submission, SubmissionParts, SubmissionSettings,
};

/// Opens it where it has a listener.
pub(super) fn open(
    config: &Config,
    gate: Gate,
    desk: MailDesk,
    pace: Pace,
    now: Instant,
) -> Result<Option<Submission>, StartFailure> {
    let settings = settings(config, pace);
    if settings.listeners.is_empty() {
        return Ok(None);
    }
    let tls = Arc::new(certificate(config).server_config(now)?);
    let parts = SubmissionParts { gate, desk, tls };
    Ok(Some(Submission::open(settings, parts)?))
}

/// Closes it where it is open.
pub(super) async fn close(submission: Option<Submission>) {
    if let Some(submission) = submission {
        submission.close().await;
    }
}

/// The first listener of this cover.
pub(super) fn address(submission: Option<&Submission>, cover: Cover) -> Option<SocketAddr> {
    let mut listeners = submission?.listeners().iter();
    listeners
        .find(|listener| listener.cover == cover)
        .map(|listener| listener.address)
}

fn settings(config: &Config, pace: Pace) -> SubmissionSettings {
    let submission = &config.submission;
    let of = |addresses: &[SocketAddr], cover: Cover| -> Vec<Listener> {
        addresses
            .iter()
            .map(|address| Listener {
                address: *address,
                cover,
            })
            .collect()
    };
    let mut listeners = of(&submission.starttls, Cover::StartTls);
    listeners.extend(of(&submission.implicit_tls, Cover::Implicit));
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    SubmissionSettings {
        host: config.host.clone(),
        listeners,
        login_in_clear: submission.login_in_clear,
        connections: ConnectionLimits {
            all: number(submission.connections_max),
            network: number(submission.connections_per_network_max),
            key: number(submission.connections_per_key_max),
        },
        pace,
        drain: Duration::from_secs(config.delivery.drain_s.into()),
    }
}
