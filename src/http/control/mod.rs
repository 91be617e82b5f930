//! The control socket: the operator's commands to a running program, as JSON over HTTP on a Unix socket.
//!
//! Whoever may open the socket (mode 0600) commands the host: there is no key. Every change is recorded as the
//! operator's. One file per subject; errors are problems as in `/v1`.

mod accounts;
mod audit;
mod call;
mod domains;
mod keys;
mod messages;
mod queue;

use std::sync::Arc;

use actix_web::web;

use super::front::Front;
use super::ports::{Audit, DkimMint};
use crate::access::Enrolment;

/// What the commands are carried out with.
pub struct ControlParts {
    /// What the doors use.
    pub front: Arc<Front>,
    /// Opens accounts and registers users.
    pub enrolment: Enrolment,
    /// Makes DKIM keys.
    pub dkim: Arc<dyn DkimMint>,
    /// Compares read models with the log.
    pub audit: Arc<dyn Audit>,
}

impl std::fmt::Debug for ControlParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControlParts")
    }
}

/// Every command on one screen.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(call::resource("/status").route(web::get().to(audit::status)))
        .service(call::resource("/audit/rebuild-check").route(web::post().to(audit::rebuild_check)))
        .service(
            call::resource("/accounts")
                .route(web::get().to(accounts::list))
                .route(web::post().to(accounts::create)),
        )
        .service(call::resource("/accounts/{id}/unpark").route(web::post().to(accounts::unpark)))
        .service(call::resource("/accounts/{id}/tls").route(web::post().to(accounts::tls)))
        .service(call::resource("/users").route(web::post().to(accounts::register)))
        .service(
            call::resource("/domains")
                .route(web::get().to(domains::list))
                .route(web::post().to(domains::add)),
        )
        .service(call::resource("/domains/{domain}/dkim").route(web::post().to(domains::sign)))
        .service(
            call::resource("/keys")
                .route(web::get().to(keys::list))
                .route(web::post().to(keys::issue)),
        )
        .service(call::resource("/keys/{id}/revoke").route(web::post().to(keys::revoke)))
        .service(call::resource("/keys/{id}/freeze").route(web::post().to(keys::freeze)))
        .service(call::resource("/keys/{id}/thaw").route(web::post().to(keys::thaw)))
        .service(call::resource("/messages/{id}").route(web::get().to(messages::show)))
        .service(call::resource("/queue").route(web::get().to(queue::list)))
        .service(call::resource("/queue/{id}/hold").route(web::post().to(queue::hold)))
        .service(call::resource("/queue/{id}/release").route(web::post().to(queue::release)))
        .service(call::resource("/queue/{id}/discard").route(web::post().to(queue::discard)));
}
