//! Every route on one screen.

use actix_web::web;

use super::mandrill::{self, Call};
use super::v1::problem::{unknown_route, wrong_verb};
use super::v1::{keys, messages};
use super::{control, health};

/// Mandrill's methods: `POST /api/{1.0…1.4}/<name>`, with and without `.json`.
pub(super) const MANDRILL: [(&str, Call); 7] = [
    ("users/ping", Call::Ping),
    ("users/ping2", Call::Ping2),
    ("users/info", Call::UserInfo),
    ("messages/send", Call::Send),
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
