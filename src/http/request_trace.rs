//! Gives every request its id, measures it, and says of a failed one what it was, in one line.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};
use sealpost_domain::ids::RequestId;

use super::error_code::ErrorCode;
use crate::clock::draw_uuid;

/// The header that names the request in the answer, and in the program's log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Which error an answer is; handlers leave it with the answer for the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered(pub ErrorCode);

/// Draws the id, runs the handler, puts the id into the answer.
///
/// # Errors
/// What the handler says.
pub(super) async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let began = Instant::now();
    let id = RequestId::from_uuid(draw_uuid());
    request.extensions_mut().insert(id);
    let mut response = next.call(request).await?;
    if let Ok(value) = HeaderValue::from_str(&id.to_hex()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    report(response.request(), response.status(), answered(&response), id, began);
    Ok(response)
}

fn answered<B>(response: &ServiceResponse<B>) -> Option<ErrorCode> {
    response
        .response()
        .extensions()
        .get::<Answered>()
        .map(|answered| answered.0)
}

fn report(request: &HttpRequest, status: StatusCode, code: Option<ErrorCode>, id: RequestId, began: Instant) {
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let took = began.elapsed();
    let class = match status.as_u16() {
        500.. => "5xx",
        400.. => "4xx",
        _ => "2xx",
    };
    metrics::counter!("sealpost_http_requests_total", "route" => route.clone(), "status" => class).increment(1);
    metrics::histogram!("sealpost_http_request_seconds", "route" => route.clone()).record(took.as_secs_f64());
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let code = code.map_or("none", ErrorCode::as_str);
    if status.is_server_error() {
        tracing::warn!(request.id = %id, http.route = route, http.status = status.as_u16(), error.code = code, duration_ms, "a request failed");
    } else {
        tracing::debug!(request.id = %id, http.route = route, http.status = status.as_u16(), error.code = code, duration_ms, "a request was answered");
    }
}

/// The id of a request that went through [`trace`].
pub(super) fn request_id(request: &HttpRequest) -> RequestId {
    let drawn = request.extensions().get::<RequestId>().copied();
    drawn.unwrap_or_else(|| RequestId::from_uuid(draw_uuid()))
}
