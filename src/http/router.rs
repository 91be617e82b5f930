//! Every route on one screen.

use actix_web::web;

use super::mandrill::{self, Call};
use super::v1::problem::{unknown_route, wrong_verb};
use super::v1::{keys, messages};
use super::{control, health};

/// Mandrill's methods: `POST /api/{1.0…1.4}/<name>`, with and without `.json`.
pub(super) const MANDRILL: [(&str, Call); 10] = [
    ("users/ping", Call::Ping),
    ("users/ping2", Call::Ping2),
    ("users/info", Call::UserInfo),
    ("users/senders", Call::Senders),
    ("senders/list", Call::Senders),
    ("messages/send", Call::Send),
    ("messages/send-raw", Call::SendRaw),
    ("messages/info", Call::Info),
    ("messages/content", Call::Content),
    ("messages/search", Call::Search),
];

/// The routes of both listeners.
pub(super) fn public(config: &mut web::ServiceConfig) {
    let resource = |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_verb));
    config
        .service(
            web::scope("/api")
                .service(
                    web::resource("/{version}/{category}/{method}")
                        .route(web::post().to(mandrill::answer))
                        .default_service(web::to(mandrill::wrong_verb)),
                )
                .default_service(web::to(mandrill::unknown)),
        )
        .service(resource("/v1/messages").route(web::post().to(messages::post)))
        .service(resource("/v1/messages/{id}").route(web::get().to(messages::get)))
        .service(
            resource("/v1/keys")
                .route(web::post().to(keys::issue))
                .route(web::get().to(keys::list)),
        )
        .service(resource("/v1/keys/{id}/revoke").route(web::post().to(keys::revoke)))
        .service(resource("/v1/keys/{id}/freeze").route(web::post().to(keys::freeze)))
        .service(resource("/v1/keys/{id}/thaw").route(web::post().to(keys::thaw)))
        .service(resource("/healthz").route(web::get().to(health::healthz)))
        .service(resource("/readyz").route(web::get().to(health::readyz)))
        .service(resource("/metrics").route(web::get().to(health::metrics)))
        .default_service(web::to(unknown_route));
}

/// The routes of the control socket.
pub(super) fn operator(config: &mut web::ServiceConfig) {
    control::routes(config);
    config.default_service(web::to(unknown_route));
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, web};
    use serde_json::Value;

    use super::*;
    use crate::http::request_trace::trace;

    /// Asks a router that has no rooms behind it: what reaches a handler fails with 500, what does not says so.
    async fn ask(routes: fn(&mut web::ServiceConfig), verb: &str, path: &str) -> (u16, String, Value) {
        let app = init_service(App::new().wrap(from_fn(trace)).configure(routes)).await;
        let verb = Method::from_bytes(verb.as_bytes()).unwrap();
        let response = call_service(&app, TestRequest::with_uri(path).method(verb).to_request()).await;
        assert!(response.headers().contains_key("x-request-id"), "{path}");
        let kind = response
            .headers()
            .get("content-type")
            .map(|kind| kind.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = read_body(response).await;
        (
            status,
            kind.unwrap_or_default(),
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    }

    #[actix_web::test]
    async fn every_route_leads_to_a_handler() {
        for (verb, path) in [
            ("POST", "/api/1.0/users/ping.json"),
            ("POST", "/api/1.4/messages/send"),
            ("POST", "/v1/messages"),
            ("GET", "/v1/messages/0"),
            ("POST", "/v1/keys"),
            ("GET", "/v1/keys"),
            ("POST", "/v1/keys/0/revoke"),
            ("POST", "/v1/keys/0/freeze"),
            ("POST", "/v1/keys/0/thaw"),
            ("GET", "/healthz"),
            ("GET", "/readyz"),
            ("GET", "/metrics"),
        ] {
            assert_eq!(ask(public, verb, path).await.0, 500, "{verb} {path}");
        }
        for (verb, path) in [
            ("GET", "/status"),
            ("POST", "/audit/rebuild-check"),
            ("GET", "/accounts"),
            ("POST", "/accounts"),
            ("POST", "/users"),
            ("GET", "/domains"),
            ("POST", "/domains"),
            ("POST", "/domains/a.org/dkim"),
            ("GET", "/keys"),
            ("POST", "/keys"),
            ("POST", "/keys/0/revoke"),
            ("GET", "/messages/0"),
            ("GET", "/queue"),
            ("POST", "/queue/0/hold"),
            ("POST", "/queue/0/release"),
            ("POST", "/queue/0/discard"),
        ] {
            assert_eq!(ask(operator, verb, path).await.0, 500, "{verb} {path}");
        }
    }

    #[actix_web::test]
    async fn what_leads_nowhere_says_so_in_the_form_of_its_interface() {
        for (verb, path, status, name) in [
            ("GET", "/api/1.0/users/ping.json", 405, "ValidationError"),
            ("POST", "/api/nothing", 404, "Unknown_Method"),
            ("POST", "/api", 404, "Unknown_Method"),
        ] {
            let (found, kind, body) = ask(public, verb, path).await;
            assert_eq!((found, kind.as_str()), (status, "application/json"), "{path}");
            assert_eq!(
                (&body["status"], &body["name"]),
                (&"error".into(), &name.into()),
                "{path}"
            );
        }
        for (routes, verb, path, status, code) in [
            (public as fn(&mut web::ServiceConfig), "GET", "/", 404, "unknown_route"),
            (public, "GET", "/v1/nothing", 404, "unknown_route"),
            (public, "DELETE", "/v1/keys", 405, "method_not_allowed"),
            (public, "POST", "/healthz", 405, "method_not_allowed"),
            (public, "GET", "/status", 404, "unknown_route"),
            (operator, "DELETE", "/keys", 405, "method_not_allowed"),
            (operator, "POST", "/v1/messages", 404, "unknown_route"),
        ] {
            let (found, kind, body) = ask(routes, verb, path).await;
            assert_eq!((found, kind.as_str()), (status, "application/problem+json"), "{path}");
            assert_eq!(body["code"], code, "{path}");
        }
    }
}
