//! `/v1/keys`: issued, listed, revoked, frozen and thawed with a management key.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::rights::KeyKind;
use serde_json::Value;

use super::call::{answer, caller, members, members_if_any};
use crate::actors::Asker;
use crate::http::fault::Fault;
use crate::http::front::Front;
use crate::http::key_calls::{self, KeyAct, read_issue, read_key_id, read_reason, shown_issued};
use crate::http::members::Members;

/// `POST /v1/keys`
pub(in crate::http) async fn issue(
    request: HttpRequest,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let issued = async {
        let caller = caller(&request, &front, "keys/issue", KeyKind::Management).await?;
        let Members { mut fields, room, .. } = members(&request, &front, payload).await?;
        let wanted = read_issue(&mut fields)?;
        fields.finish()?;
        let issued = front.keys.issue(Asker::Key(caller.claim()), wanted).await?;
        drop(room);
        Ok(shown_issued(&issued))
    };
    answer(&request, StatusCode::CREATED, issued.await)
}

/// `GET /v1/keys`
pub(in crate::http) async fn list(request: HttpRequest, front: web::Data<Front>) -> HttpResponse {
    let listed = async {
        let caller = caller(&request, &front, "keys/list", KeyKind::Management).await?;
        key_calls::list(&front, Asker::Key(caller.claim())).await
    };
    answer(&request, StatusCode::OK, listed.await)
}

/// `POST /v1/keys/{id}/revoke`
pub(in crate::http) async fn revoke(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let done = act(&request, &front, payload, &id, KeyAct::Revoke).await;
    answer(&request, StatusCode::OK, done)
}

/// `POST /v1/keys/{id}/freeze`
pub(in crate::http) async fn freeze(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let done = act(&request, &front, payload, &id, KeyAct::Freeze).await;
    answer(&request, StatusCode::OK, done)
}

/// `POST /v1/keys/{id}/thaw`
pub(in crate::http) async fn thaw(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let done = act(&request, &front, payload, &id, KeyAct::Thaw).await;
    answer(&request, StatusCode::OK, done)
}

async fn act(
    request: &HttpRequest,
    front: &Front,
    payload: web::Payload,
    id: &str,
    act: KeyAct,
) -> Result<Value, Fault> {
    let method = match act {
        KeyAct::Revoke => "keys/revoke",
        KeyAct::Freeze => "keys/freeze",
        KeyAct::Thaw => "keys/thaw",
    };
    let caller = caller(request, front, method, KeyKind::Management).await?;
    let Members { mut fields, room, .. } = members_if_any(request, front, payload).await?;
    let reason = read_reason(&mut fields)?;
    fields.finish()?;
    drop(room);
    let asker = Asker::Key(caller.claim());
    key_calls::act(front, asker, read_key_id(id)?, act, reason).await
}
