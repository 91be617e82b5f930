//! Errors as RFC 9457 problems: `application/problem+json`, with a code that never changes.

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::request_trace::{Answered, request_id};

/// An error as an answer.
pub(in crate::http) fn problem(request: &HttpRequest, fault: &Fault) -> HttpResponse {
    let code = fault.code;
    let mut body = json!({
        "type": format!("urn:sealpost:error:{}", code.as_str()),
        "title": code.sentence(),
        "status": code.status(),
        "code": code.as_str(),
        "detail": fault.text(),
        "remedy": code.remedy(),
        "request_id": request_id(request).to_hex(),
    });
    if let (Some(field), Some(members)) = (&fault.field, body.as_object_mut()) {
        members.insert("field".to_owned(), field.as_str().into());
    }
    let mut response = HttpResponse::build(code.http_status());
    response.content_type("application/problem+json");
    if let Some(seconds) = code.retry_after_s() {
        response.insert_header((RETRY_AFTER, seconds));
    }
    // The text is made here and not by the builder, which would call it `application/json`.
    let mut response = response.body(body.to_string());
    response.extensions_mut().insert(Answered(code));
    response
}

/// Answers what leads nowhere.
pub(in crate::http) async fn unknown_route(request: HttpRequest) -> HttpResponse {
    problem(&request, &ErrorCode::UnknownRoute.into())
}

/// Answers a verb that a path does not take.
pub(in crate::http) async fn wrong_verb(request: HttpRequest) -> HttpResponse {
    problem(&request, &ErrorCode::MethodNotAllowed.into())
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;
    use serde_json::Value;

    use super::*;

    #[actix_web::test]
    async fn every_code_is_a_full_problem() {
        let request = TestRequest::default().to_http_request();
        for code in ErrorCode::ALL {
            let response = problem(
                &request,
                &Fault {
                    field: Some("to[1]".to_owned()),
                    ..Fault::from(*code)
                },
            );
            assert_eq!(response.status().as_u16(), code.status());
            assert_eq!(
                response.headers().get("content-type").unwrap(),
                "application/problem+json"
            );
            assert_eq!(response.headers().contains_key(RETRY_AFTER), code.status() == 503);
            let body: Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
            assert_eq!(
                (body["code"].as_str(), body["status"].as_u64()),
                (Some(code.as_str()), Some(code.status().into()))
            );
            assert_eq!(body["field"], "to[1]");
            assert_eq!(body["request_id"].as_str().unwrap().len(), 32);
        }
    }
}
