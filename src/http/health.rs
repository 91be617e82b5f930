//! `/healthz`, `/readyz`, `/metrics`: what watches the program asks.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use sealpost_projections::{Progress, RunnerState};
use serde_json::{Value, json};

use super::error_code::ErrorCode;
use super::front::Front;
use super::v1::problem::problem;
use super::visit::{bearer, peer_ip};
use crate::intake::LogCondition;

/// `GET /healthz`: the program runs, and can do its work again without being started anew.
pub(super) async fn healthz(front: web::Data<Front>) -> HttpResponse {
    let (status, word) = health(front.desk.condition());
    HttpResponse::build(status).json(json!({ "status": word }))
}

/// Whoever watches the program starts it anew when it is not well. That helps where the log's writer is gone; it helps
/// nothing where the disk is full or refuses a write.
const fn health(log: LogCondition) -> (StatusCode, &'static str) {
    match log {
        LogCondition::Serving | LogCondition::DiskMark | LogCondition::Stopped => (StatusCode::OK, "ok"),
        LogCondition::Ended => (StatusCode::SERVICE_UNAVAILABLE, "log_ended"),
    }
}

/// `GET /readyz`: whether mail is accepted and goes out.
pub(super) async fn readyz(front: web::Data<Front>) -> HttpResponse {
    let Readiness { is_ready, shown } = readiness(&front);
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    HttpResponse::build(status).json(json!({ "ready": is_ready, "parts": shown }))
}

/// `GET /metrics`: for this machine, or with the token.
pub(super) async fn metrics(request: HttpRequest, front: web::Data<Front>) -> HttpResponse {
    let token = front.metrics_token.as_ref().map(|token| token.as_str());
    if !may_look(peer_ip(&request), bearer(&request).ok(), token) {
        return problem(&request, &ErrorCode::MetricsForbidden.into());
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((front.metrics)())
}

/// Whether metrics are given: to this machine always, to others when they show the token.
fn may_look(peer: IpAddr, shown: Option<&str>, token: Option<&str>) -> bool {
    let same = |(shown, token): (&str, &str)| verify_slices_are_equal(shown.as_bytes(), token.as_bytes()).is_ok();
    peer.is_loopback() || shown.zip(token).is_some_and(same)
}

/// Whether the program does its work, and the state of each part.
pub(super) struct Readiness {
    /// Mail is accepted and goes out.
    pub is_ready: bool,
    /// Each part.
    pub shown: Value,
}

/// Asks every part. Never blocks.
pub(super) fn readiness(front: &Front) -> Readiness {
    let (log, models) = (front.desk.condition(), &front.models);
    let spool = models.spool_progress.state();
    let progress = [
        &models.spool_progress,
        &models.activity_progress,
        &models.timeline_progress,
    ];
    let projections: Vec<Value> = progress.into_iter().map(shown).collect();
    Readiness {
        // What people look at may be behind; what sends may not.
        is_ready: log == LogCondition::Serving && matches!(spool, RunnerState::Following),
        shown: json!({ "log": { "state": log.as_str(), "head": front.log.head() }, "projections": projections }),
    }
}

fn shown(progress: &Progress) -> Value {
    let (state, failure) = match progress.state() {
        RunnerState::CatchingUp => ("catching_up", None),
        RunnerState::Following => ("following", None),
        RunnerState::Waiting { failure } => ("waiting", Some(failure)),
        RunnerState::Stopped(poison) => {
            let text = format!(
                "position {}, {}: {}",
                poison.position, poison.event_type, poison.refusal
            );
            ("stopped", Some(text))
        }
        RunnerState::Ended => ("ended", None),
    };
    json!({ "name": progress.name(), "position": progress.checkpoint(), "state": state, "failure": failure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_log_is_gone_is_not_well_and_one_that_waits_for_its_disk_is() {
        for waits in [LogCondition::Serving, LogCondition::DiskMark, LogCondition::Stopped] {
            assert_eq!(health(waits).0, StatusCode::OK, "{waits:?}");
        }
        assert_eq!(
            health(LogCondition::Ended),
            (StatusCode::SERVICE_UNAVAILABLE, "log_ended")
        );
    }

    #[test]
    fn metrics_are_for_this_machine_and_for_whoever_shows_the_token() {
        let (here, there) = (IpAddr::from([127, 0, 0, 9]), IpAddr::from([192, 0, 2, 7]));
        assert!(may_look(here, None, None) && may_look(here, None, Some("token")));
        assert!(may_look(there, Some("token"), Some("token")));
        for (shown, token) in [
            (None, None),
            (None, Some("token")),
            (Some("token"), None),
            (Some("toke"), Some("token")),
        ] {
            assert!(!may_look(there, shown, token), "{shown:?} {token:?}");
        }
    }
}
