//! Keys of any account, by the operator.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::ControlParts;
use super::call::{account, answer, members, operator, query};
use crate::actors::Asker;
use crate::http::fault::Fault;
use crate::http::key_calls::{self, KeyAct, read_issue, read_key_id, read_reason, shown_issued};

/// `GET /keys`
pub(super) async fn list(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let listed = async {
        let account = account(&parts, query(&request).remove("account")).await?;
        let metadata = operator(&parts, &request, Some(account));
        key_calls::list(&parts.front, Asker::Operator { account, metadata }).await
    };
    answer(&request, listed.await)
}

/// `POST /keys`
pub(super) async fn issue(request: HttpRequest, payload: web::Payload, parts: web::Data<ControlParts>) -> HttpResponse {
    let issued = async {
        let mut fields = members(&parts, payload).await?;
        let account = account(&parts, fields.text("account")?).await?;
        let wanted = read_issue(&mut fields)?;
        fields.finish()?;
        let metadata = operator(&parts, &request, Some(account));
        let issued = parts
            .front
            .keys
            .issue(Asker::Operator { account, metadata }, wanted)
            .await?;
        Ok(shown_issued(&issued))
    };
    answer(&request, issued.await)
}

/// `POST /keys/{id}/revoke`
pub(super) async fn revoke(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    answer(&request, act(&request, &parts, payload, &id, KeyAct::Revoke).await)
}

/// `POST /keys/{id}/freeze`
pub(super) async fn freeze(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    answer(&request, act(&request, &parts, payload, &id, KeyAct::Freeze).await)
}

/// `POST /keys/{id}/thaw`
pub(super) async fn thaw(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    answer(&request, act(&request, &parts, payload, &id, KeyAct::Thaw).await)
}

async fn act(
    request: &HttpRequest,
    parts: &ControlParts,
    payload: web::Payload,
    id: &str,
    act: KeyAct,
) -> Result<Value, Fault> {
    let mut fields = members(parts, payload).await?;
    let account = account(parts, fields.text("account")?).await?;
    let reason = read_reason(&mut fields)?;
    fields.finish()?;
    let metadata = operator(parts, request, Some(account));
    let asker = Asker::Operator { account, metadata };
    key_calls::act(&parts.front, asker, read_key_id(id)?, act, reason).await
}
