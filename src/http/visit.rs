//! Reads from a request who calls: the key, the peer's address, the program.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, USER_AGENT};
use sealpost_domain::metadata::Channel;
use sealpost_domain::rights::{KeyKind, Method};

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::request_trace::request_id;
use crate::access::Visit;

/// A visit of the API with this key.
pub(super) fn visit<'a>(request: &'a HttpRequest, key: &'a str, method: &'static str, needs: KeyKind) -> Visit<'a> {
    Visit {
        key,
        method: Method::named(method),
        needs,
        ip: peer_ip(request),
        user_agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()),
        channel: Channel::Api,
        request: request_id(request),
    }
}

/// The peer's address. No header is asked: whoever can reach us could write it.
pub(super) fn peer_ip(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical())
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1).
///
/// # Errors
/// [`ErrorCode::MissingKey`].
pub(super) fn bearer(request: &HttpRequest) -> Result<&str, Fault> {
    let value = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    // RFC 9110 §11.1: the name of a scheme has no case.
    value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| ErrorCode::MissingKey.into())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn bearer_of(value: &str) -> Option<String> {
        let request = TestRequest::default()
            .insert_header((AUTHORIZATION, value))
            .to_http_request();
        bearer(&request).ok().map(str::to_owned)
    }

    #[test]
    fn a_bearer_token_is_read_and_nothing_else() {
        assert_eq!(bearer_of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(bearer_of("bearer  abc ").as_deref(), Some("abc"));
        for value in ["abc", "Basic abc", "Bearer", "Bearer  "] {
            assert_eq!(bearer_of(value), None, "{value}");
        }
    }

    #[test]
    fn the_address_is_the_peer_s_whatever_headers_say() {
        let request = TestRequest::default()
            .peer_addr("[::ffff:192.0.2.7]:4000".parse().unwrap())
            .insert_header(("X-Forwarded-For", "203.0.113.9"))
            .insert_header(("Forwarded", "for=203.0.113.9"))
            .to_http_request();
        assert_eq!(peer_ip(&request), "192.0.2.7".parse::<IpAddr>().unwrap());
    }
}
