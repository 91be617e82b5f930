//! How the program is, and whether what people look at is what the log says.

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::ids::AccountId;
use sealpost_projections::RebuildReport;
use serde_json::{Value, json};

use super::ControlParts;
use super::call::answer;
use crate::http::health::readiness;

/// `GET /status`
pub(super) async fn status(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let status = async {
        let spool = parts.front.models.spool.clone();
        let counts = parts.front.read(move || Ok(spool.counts()?)).await?;
        let ready = readiness(&parts.front);
        let parked = parts.front.accounts.parked().await;
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "node": parts.front.node,
            "ready": ready.is_ready,
            "head": parts.front.log.head(),
            "parts": ready.shown,
            "parked_accounts": parked.iter().map(AccountId::to_hex).collect::<Vec<_>>(),
            "queue": {
                "queued": counts.queued, "held": counts.held, "in_flight": counts.in_flight, "parked": counts.parked,
            },
        }))
    };
    answer(&request, status.await)
}

/// `POST /audit/rebuild-check`
pub(super) async fn rebuild_check(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let audit = parts.audit.clone();
    let checked = parts.front.read(move || Ok(audit.rebuild_check()?)).await;
    answer(
        &request,
        checked.map(|reports| {
            json!({
                "equal": reports.iter().all(RebuildReport::is_equal),
                "projections": reports.iter().map(shown).collect::<Vec<_>>(),
            })
        }),
    )
}

fn shown(report: &RebuildReport) -> Value {
    json!({
        "projection": report.projection,
        "equal": report.is_equal(),
        "events": report.events,
        "live": report.live,
        "rebuilt": report.rebuilt,
    })
}
