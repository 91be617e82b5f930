//! One call of Mandrill's API: which method, whose key, and the answer in Mandrill's form.

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::rights::KeyKind;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::error_response;
use super::{content, info, messages, search, users};
use crate::access::Caller;
use crate::http::body::read_body;
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::fields::Fields;
use crate::http::front::Front;
use crate::http::members::Members;
use crate::http::router::MANDRILL;
use crate::http::visit::{peer_ip, visit};

/// Versions that clients call; they differ in nothing here.
const VERSIONS: [&str; 5] = ["1.0", "1.1", "1.2", "1.3", "1.4"];

/// A method of Mandrill's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Call {
    /// `users/ping`
    Ping,
    /// `users/ping2`
    Ping2,
    /// `users/info`
    UserInfo,
    /// `users/senders`, and `senders/list`, which says the same
    Senders,
    /// `messages/send`
    Send,
    /// `messages/send-raw`
    SendRaw,
    /// `messages/info`
    Info,
    /// `messages/content`
    Content,
    /// `messages/search`
    Search,
}

/// A call whose key was let in.
pub(super) struct Admitted<'a> {
    pub(super) front: &'a Front,
    pub(super) request: &'a HttpRequest,
    pub(super) caller: Caller,
    /// The members of the call without the key.
    pub(super) fields: Fields,
    /// Length of its body.
    pub(super) size_bytes: usize,
}

/// Answers a call, whatever comes.
pub(in crate::http) async fn answer(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse {
    let (version, category, method) = path.into_inner();
    match carry_out(&request, &front, payload, (&version, &category, &method)).await {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(fault) => error_response(&fault),
    }
}

/// Answers what is no POST. A key has no place in a query string (ASVS 14.2.1), so that GET is not offered.
pub(in crate::http) async fn wrong_verb() -> HttpResponse {
    error_response(&ErrorCode::MethodNotAllowed.into())
}

/// Answers what is no call at all.
pub(in crate::http) async fn unknown() -> HttpResponse {
    error_response(&ErrorCode::UnknownRoute.into())
}

async fn carry_out(
    request: &HttpRequest,
    front: &Front,
    payload: web::Payload,
    (version, category, method): (&str, &str, &str),
) -> Result<Value, Fault> {
    let (name, call) = find(version, category, method)?;
    let body = read_body(payload, front.desk.room().of_peer(peer_ip(request))).await?;
    let Members {
        mut fields,
        size_bytes,
        room,
    } = front.parse(body).await?;
    let key = Zeroizing::new(fields.text("key")?.ok_or(ErrorCode::MissingKey)?);
    let caller = front.gate.caller(visit(request, &key, name, KeyKind::Sending)).await?;
    drop(key);
    let admitted = Admitted {
        front,
        request,
        caller,
        fields,
        size_bytes,
    };
    let answer = match call {
        Call::Ping => Ok(users::ping()),
        Call::Ping2 => Ok(users::ping2()),
        Call::UserInfo => users::info(admitted).await,
        Call::Senders => users::senders(admitted).await,
        Call::Send => messages::send(admitted).await,
        Call::SendRaw => messages::send_raw(admitted).await,
        Call::Info => info::info(admitted).await,
        Call::Content => content::content(admitted).await,
        Call::Search => search::search(admitted).await,
    };
    // What was parsed from the body is gone only now.
    drop(room);
    answer
}

/// Finds a method by its path; `.json` is what no suffix means.
fn find(version: &str, category: &str, method: &str) -> Result<(&'static str, Call), Fault> {
    let (bare, suffix) = method.split_once('.').unwrap_or((method, "json"));
    let known = MANDRILL
        .iter()
        .find(|(name, _)| name.split_once('/') == Some((category, bare)));
    let unknown = |detail: String| Err(Fault::from(ErrorCode::UnknownRoute).with_detail(detail));
    match (known.filter(|_| VERSIONS.contains(&version)), suffix) {
        (Some((name, call)), "json") => Ok((name, *call)),
        (Some(_), "xml" | "php" | "yaml") => {
            unknown("Answers are given as JSON alone: leave the suffix out".to_owned())
        }
        _ => unknown(format!("Unknown method \"{category}/{bare}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_in_every_version_with_and_without_its_suffix() {
        for (name, call) in MANDRILL {
            let (category, method) = name.split_once('/').unwrap();
            for version in VERSIONS {
                for suffix in ["", ".json"] {
                    assert_eq!(find(version, category, &format!("{method}{suffix}")), Ok((name, call)));
                }
            }
        }
    }

    #[test]
    fn what_is_no_method_is_an_unknown_route() {
        for (version, category, method) in [
            ("1.5", "users", "ping"),
            ("2.0", "users", "ping"),
            ("1.0", "users", "pong"),
            ("1.0", "users", "ping.json.json"),
            ("1.0", "users", "ping.xml"),
            ("1.0", "", ""),
            ("1.0", "users/ping", "users"),
        ] {
            assert_eq!(
                find(version, category, method).unwrap_err().code,
                ErrorCode::UnknownRoute,
                "{category}/{method}"
            );
        }
    }
}
