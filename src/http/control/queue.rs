//! What waits to be sent: listed, held, released, thrown away.

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::limits;
use sealpost_domain::message::{HoldReason, MessageCommand, Phase};
use sealpost_domain::metadata::Actor;
use sealpost_projections::spool::{ParkedRow, SpoolRow};
use serde_json::{Value, json};

use super::ControlParts;
use super::call::{answer, operator, query};
use crate::actors::{Manage, ManageMessage, Managed};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::message_lookup::{find, read_id};

/// Rows of one page where the command does not say it, and at most.
const ROWS_DEFAULT: usize = 100;
const ROWS_MAX: usize = limits::PAGE_ROWS_MAX as usize;

/// `GET /queue`
pub(super) async fn list(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let listed = async {
        let mut query = query(&request);
        let limit = match query.remove("limit").map(|text| text.parse::<usize>()) {
            None => ROWS_DEFAULT,
            Some(Ok(limit)) if (1..=ROWS_MAX).contains(&limit) => limit,
            Some(_) => {
                return Err(Fault::field(
                    "limit",
                    format!("Please enter a number from 1 to {ROWS_MAX}"),
                ));
            }
        };
        let after = query.remove("after");
        parts.front.fresh(&parts.front.models.spool_progress).await;
        let spool = parts.front.models.spool.clone();
        let read = move || Ok((spool.all_open(after.as_deref(), limit)?, spool.counts()?));
        let (page, counts) = parts.front.read(read).await?;
        Ok(json!({
            "counts": {
                "queued": counts.queued, "held": counts.held, "in_flight": counts.in_flight, "parked": counts.parked,
            },
            "messages": page.rows.iter().map(shown).collect::<Vec<_>>(),
            "parked": page.parked.iter().map(shown_parked).collect::<Vec<_>>(),
            "next": page.next,
        }))
    };
    answer(&request, listed.await)
}

/// `POST /queue/{id}/hold`
pub(super) async fn hold(request: HttpRequest, id: web::Path<String>, parts: web::Data<ControlParts>) -> HttpResponse {
    let command = MessageCommand::Hold {
        reason: HoldReason::Asked,
        by: Actor::Operator,
    };
    answer(&request, act(&request, &parts, &id, command).await)
}

/// `POST /queue/{id}/release`
pub(super) async fn release(
    request: HttpRequest,
    id: web::Path<String>,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    answer(
        &request,
        act(&request, &parts, &id, MessageCommand::Release { by: Actor::Operator }).await,
    )
}

/// `POST /queue/{id}/discard`
pub(super) async fn discard(
    request: HttpRequest,
    id: web::Path<String>,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    answer(
        &request,
        act(&request, &parts, &id, MessageCommand::Discard { by: Actor::Operator }).await,
    )
}

async fn act(request: &HttpRequest, parts: &ControlParts, id: &str, command: MessageCommand) -> Result<Value, Fault> {
    let message = read_id(id)?;
    let found = find(&parts.front, message).await?;
    let metadata = operator(parts, request, Some(found.account));
    let manage = ManageMessage {
        message,
        state: found.state,
        sequence: found.sequence,
        command,
    };
    let manage = Manage::Message(Box::new(manage));
    match parts.front.accounts.manage(found.account, metadata, manage).await? {
        Managed::Done { position } => Ok(json!({ "id": message.to_hex(), "position": position })),
        Managed::Frozen { .. } | Managed::Keys(_) | Managed::Domains(_) => Err(ErrorCode::Internal.into()),
    }
}

fn shown(row: &SpoolRow) -> Value {
    json!({
        "id": row.message.to_hex(),
        "account": row.account.to_hex(),
        "key": row.key.to_hex(),
        "to": row.recipient,
        "state": phase_word(row.state.phase),
        "attempt_id": row.open_attempt().map(|attempt| attempt.to_hex()),
        "deferrals": row.state.deferrals,
        "due_at": row.state.due_at,
        "sequence": row.sequence,
    })
}

fn shown_parked(row: &ParkedRow) -> Value {
    json!({
        "id": row.message().map(|message| message.to_hex()),
        "stream": row.stream,
        "account": row.account.map(|account| account.to_hex()),
        "error": row.error,
    })
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::New => "new",
        Phase::Queued => "queued",
        Phase::Held => "held",
        Phase::InFlight { .. } => "in_flight",
        Phase::Delivered => "delivered",
        Phase::Bounced => "bounced",
        Phase::Rejected => "rejected",
        Phase::Discarded => "discarded",
    }
}
