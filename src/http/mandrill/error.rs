//! The form of Mandrill's errors: four members, never an empty body, `code` a number.

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use serde_json::{Map, Value, json};

use crate::http::error_code::{ErrorCode, MandrillForm};
use crate::http::fault::Fault;
use crate::http::request_trace::Answered;

/// An error as an answer. Python's client takes an error without a JSON object for a success, so there always is one.
pub(super) fn error_response(fault: &Fault) -> HttpResponse {
    let MandrillForm { name, code, .. } = fault.code.mandrill();
    let body = json!({ "status": "error", "code": number_of(fault, code), "name": name, "message": message_of(fault) });
    let mut response = HttpResponse::build(fault.code.mandrill_status());
    if let Some(seconds) = fault.code.retry_after_s() {
        response.insert_header((RETRY_AFTER, seconds));
    }
    let mut response = response.json(body);
    response.extensions_mut().insert(Answered(fault.code));
    response
}

/// A member of the call itself that is missing has -1, what is wrong within has -2.
fn number_of(fault: &Fault, code: i32) -> i32 {
    let is_top_level = fault.field.as_deref().is_some_and(|field| !field.contains(['.', '[']));
    match fault.code {
        ErrorCode::ValidationFailed if is_top_level => -1,
        _ => code,
    }
}

fn message_of(fault: &Fault) -> String {
    match (fault.code, &fault.field) {
        // The original's texts, which clients compare.
        (ErrorCode::InvalidKey, _) => "Invalid API key".to_owned(),
        (ErrorCode::MissingKey, _) => "You must specify a key value".to_owned(),
        (ErrorCode::ValidationFailed, Some(field)) => match fault.text() {
            missing if missing.starts_with("You must specify") && !field.contains(['.', '[']) => missing.to_owned(),
            other => format!("Validation error: {}", nested(field, other)),
        },
        _ => fault.text().to_owned(),
    }
}

/// `message.to[3].email` and a text become `{"message":{"to":{"3":{"email":"…"}}}}`.
fn nested(field: &str, text: &str) -> Value {
    let steps: Vec<&str> = field.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect();
    steps
        .into_iter()
        .rev()
        .fold(Value::String(text.to_owned()), |inner, step| {
            Value::Object(Map::from_iter([(step.to_owned(), inner)]))
        })
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    async fn body_of(fault: Fault) -> (u16, Value) {
        let response = error_response(&fault);
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get("content-type")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(kind.contains("application/json"), "{kind}");
        (
            status,
            serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap(),
        )
    }

    fn body(code: i32, name: &str, message: &str) -> Value {
        json!({ "status": "error", "code": code, "name": name, "message": message })
    }

    #[actix_web::test]
    async fn errors_have_the_original_s_form() {
        let missing = "You must specify a message value";
        let array = r#"Validation error: {"message":{"to":"Please enter an array"}}"#;
        for (fault, status, body) in [
            (
                Fault::from(ErrorCode::InvalidKey),
                401,
                body(-1, "Invalid_Key", "Invalid API key"),
            ),
            (
                Fault::from(ErrorCode::MissingKey),
                422,
                body(-1, "ValidationError", "You must specify a key value"),
            ),
            (
                Fault::field("message", missing),
                422,
                body(-1, "ValidationError", missing),
            ),
            (
                Fault::field("message.to", "Please enter an array"),
                422,
                body(-2, "ValidationError", array),
            ),
            (
                Fault::from(ErrorCode::UnknownMessage).with_detail("No"),
                404,
                body(11, "Unknown_Message", "No"),
            ),
        ] {
            assert_eq!(body_of(fault).await, (status, body));
        }
    }

    #[actix_web::test]
    async fn every_code_has_a_full_answer_in_this_form() {
        for code in ErrorCode::ALL {
            let (status, body) = body_of(Fault::from(*code)).await;
            assert!(
                status >= 400 && body["status"] == "error" && body["code"].is_i64(),
                "{code:?}"
            );
            assert!(!body["name"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn a_path_becomes_an_object() {
        assert_eq!(
            nested("message.to[3].email", "no").to_string(),
            r#"{"message":{"to":{"3":{"email":"no"}}}}"#
        );
    }
}
