//! Logs in at a smarthost, where the route says so.

use sealpost_domain::message::{AttemptOutcome, DeferralReason};

use super::finish;
use crate::actors::{Login, OpenFailed};
use crate::smtp::client::{Connection, Credentials, LoginFailure, Ready};

/// Logs in. Whatever goes wrong is a matter between the operator and his smarthost: mail waits, and none bounces.
pub(super) async fn log_in(ready: &mut Connection<Ready>, login: &Login) -> Result<(), OpenFailed> {
    let credentials = Credentials::new(login.user(), login.password());
    ready.log_in(&credentials).await.map_err(|failure| {
        tracing::warn!(error = %failure, "the smarthost does not let us in");
        let reply = match &failure {
            LoginFailure::Refused(refusal) => Some(finish::reply(&refusal.reply)),
            LoginFailure::InClear | LoginFailure::NoMechanism | LoginFailure::Broken(_) => None,
        };
        OpenFailed {
            outcome: AttemptOutcome::Deferred {
                reason: DeferralReason::LoginFailed,
                reply,
            },
            ..OpenFailed::because(DeferralReason::LoginFailed)
        }
    })
}
