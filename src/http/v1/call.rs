//! One call of `/v1`: the key first, then the body, then the answer or a problem.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::rights::KeyKind;
use serde_json::Value;

use super::problem::problem;
use crate::access::Caller;
use crate::http::body::{Body, read_body};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::front::Front;
use crate::http::members::Members;
use crate::http::visit::{bearer, peer_ip, visit};

/// Lets the caller in.
pub(super) async fn caller(
    request: &HttpRequest,
    front: &Front,
    method: &'static str,
    needs: KeyKind,
) -> Result<Caller, Fault> {
    let key = bearer(request)?;
    Ok(front.gate.caller(visit(request, key, method, needs)).await?)
}

/// Reads a body that must be there.
pub(super) async fn members(request: &HttpRequest, front: &Front, payload: web::Payload) -> Result<Members, Fault> {
    let body = read_body(payload, front.desk.room().of_peer(peer_ip(request))).await?;
    parse(request, front, body).await
}

/// Reads a body that may be left out.
pub(super) async fn members_if_any(
    request: &HttpRequest,
    front: &Front,
    payload: web::Payload,
) -> Result<Members, Fault> {
    let mut body = read_body(payload, front.desk.room().of_peer(peer_ip(request))).await?;
    if body.bytes.is_empty() {
        body.bytes = b"{}".to_vec();
        return Members::of_body(body);
    }
    parse(request, front, body).await
}

async fn parse(request: &HttpRequest, front: &Front, body: Body) -> Result<Members, Fault> {
    if !is_json(request) {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    front.parse(body).await
}

/// `application/json`, or a kind of it (RFC 6839 §3.1), whatever its parameters.
fn is_json(request: &HttpRequest) -> bool {
    let value = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The answer to a call.
pub(super) fn answer(request: &HttpRequest, status: StatusCode, result: Result<Value, Fault>) -> HttpResponse {
    match result {
        Ok(value) => HttpResponse::build(status).json(value),
        Err(fault) => problem(request, &fault),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn json_is_told_by_its_media_type() {
        let said = |kind: &str| {
            is_json(
                &TestRequest::default()
                    .insert_header((CONTENT_TYPE, kind))
                    .to_http_request(),
            )
        };
        assert!(
            said("application/json") && said("Application/JSON; charset=utf-8") && said("application/merge-patch+json")
        );
        assert!(!said("text/plain") && !said("application/x-www-form-urlencoded") && !said(""));
        assert!(!is_json(&TestRequest::default().to_http_request()));
    }
}
