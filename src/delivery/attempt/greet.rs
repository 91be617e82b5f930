//! Step two: reads the greeting and says hello.

use sealpost_domain::message::{AttemptOutcome, DeferralReason};

use super::finish;
use crate::actors::OpenFailed;
use crate::smtp::client::{Cause, Connection, GreetFailure, Greeted, Opened};
use crate::smtp::wire::HelloName;

pub(super) async fn greet(
    connection: Connection<Opened>,
    hello: &HelloName,
) -> Result<Connection<Greeted>, OpenFailed> {
    connection.greet(hello).await.map_err(|failure| {
        tracing::info!(error = %failure, "a server did not greet");
        refused(&failure)
    })
}

/// What a failed greeting means for the message. A server that greets with 5yz takes no mail from us now; that is no
/// judgement of the message, so it waits (RFC 5321 §3.1 leaves the choice).
pub(super) fn refused(failure: &GreetFailure) -> OpenFailed {
    match failure {
        GreetFailure::Refused(refusal) => OpenFailed {
            outcome: AttemptOutcome::Deferred {
                reason: DeferralReason::Reply,
                reply: Some(finish::reply(&refusal.reply)),
            },
            ..OpenFailed::because(DeferralReason::Reply)
        },
        GreetFailure::Broken(broken) => OpenFailed::because(match broken.cause {
            Cause::Unreadable(_) | Cause::Unasked { .. } => DeferralReason::ProtocolError,
            _ => DeferralReason::ConnectionLost,
        }),
    }
}
