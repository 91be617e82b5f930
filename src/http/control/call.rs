//! One command: its members, the account that it is about, the operator's metadata, the answer.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use sealpost_domain::ids::AccountId;
use sealpost_domain::metadata::{Actor, Channel, Metadata};
use serde_json::Value;

use super::ControlParts;
use crate::http::body::read_body;
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::fields::Fields;
use crate::http::request_trace::request_id;
use crate::http::v1::problem::{problem, wrong_verb};

/// Where the operator is: on this machine.
const OPERATOR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A path that answers other verbs with a problem too.
pub(super) fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(wrong_verb))
}

/// Reads the members of a command; no body has none.
pub(super) async fn members(parts: &ControlParts, payload: web::Payload) -> Result<Fields, Fault> {
    let body = read_body(payload, parts.front.desk.room().of_peer(OPERATOR)).await?;
    if body.bytes.is_empty() {
        Fields::of_body(b"{}")
    } else {
        Fields::of_body(&body.bytes)
    }
}

/// Reads the members of a query string.
pub(super) fn query(request: &HttpRequest) -> BTreeMap<String, String> {
    web::Query::from_query(request.query_string())
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

/// The account that a command names, or the only one there is.
pub(super) async fn account(parts: &ControlParts, named: Option<String>) -> Result<AccountId, Fault> {
    if let Some(text) = named.filter(|text| !text.is_empty()) {
        return text.parse().map_err(|_| ErrorCode::UnknownAccount.into());
    }
    match accounts(parts).await?.as_slice() {
        [only] => Ok(*only),
        [] => Err(Fault::from(ErrorCode::UnknownAccount).with_detail("There is no account yet: create one")),
        _ => Err(Fault::field("account", "There are several accounts: name one")),
    }
}

/// All accounts, in the order of their opening.
pub(super) async fn accounts(parts: &ControlParts) -> Result<Vec<AccountId>, Fault> {
    let log = parts.front.log.clone();
    let read = move || {
        log.accounts()
            .map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading the accounts", &failure))
    };
    parts.front.read_log(read).await
}

/// Metadata of what the operator does.
pub(super) fn operator(parts: &ControlParts, request: &HttpRequest, account: Option<AccountId>) -> Arc<Metadata> {
    Arc::new(Metadata {
        actor: Actor::Operator,
        channel: Channel::Cli,
        request: Some(request_id(request)),
        ..Metadata::system(account, &parts.front.node)
    })
}

/// The answer to a command.
pub(super) fn answer(request: &HttpRequest, result: Result<Value, Fault>) -> HttpResponse {
    match result {
        Ok(value) => HttpResponse::build(StatusCode::OK).json(value),
        Err(fault) => problem(request, &fault),
    }
}
