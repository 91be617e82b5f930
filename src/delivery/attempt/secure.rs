//! Step three: TLS as the route demands it, with the certificate's verdict on record.
//!
//! Where STARTTLS is offered and does not work out, the message waits: going on in clear text then is what a man in the
//! middle would want. Only a server that offers no STARTTLS gets clear text, and only where the route allows it.

use sealpost_domain::message::{AttemptOutcome, CertificateVerdict, DeferralReason, TlsFacts, TlsLevel};

use super::finish;
use crate::actors::{OpenFailed, TlsDemand};
use crate::smtp::client::{self, ClientHello, Connection, Greeted, Opened, Ready, SecureFailure, TlsClient, TlsOrder};
use crate::smtp::wire::HelloName;

pub(super) async fn secure(
    greeted: Connection<Greeted>,
    host: &str,
    demand: TlsDemand,
    tls: &TlsClient,
) -> Result<Connection<Ready>, OpenFailed> {
    match greeted.secure(tls, &order(host, demand)).await {
        Ok(ready) => Ok(ready),
        Err(SecureFailure::NotOffered(connection)) if demand == TlsDemand::Opportunistic => {
            Ok(connection.stay_in_clear())
        }
        Err(failure) => Err(failed(host, failure).await),
    }
}

/// TLS before a word is said; the greeting comes inside it.
pub(super) async fn greet_in_tls(
    opened: Connection<Opened>,
    hello: &HelloName,
    host: &str,
    demand: TlsDemand,
    tls: &TlsClient,
) -> Result<Connection<Ready>, OpenFailed> {
    match opened.greet_in_tls(hello, tls, &order(host, demand)).await {
        Ok(ready) => Ok(ready),
        Err(failure) => Err(failed(host, failure).await),
    }
}

fn order(host: &str, demand: TlsDemand) -> TlsOrder {
    TlsOrder {
        peer_name: host.to_owned(),
        demand: match demand {
            TlsDemand::Opportunistic => client::TlsDemand::Opportunistic,
            TlsDemand::Encrypted => client::TlsDemand::Encrypted,
            TlsDemand::Authenticated => client::TlsDemand::Authenticated,
        },
        hello: ClientHello::PostQuantum,
    }
}

async fn failed(host: &str, failure: SecureFailure) -> OpenFailed {
    tracing::info!(route.host = %host, class = failure.class().code(), error = %failure, "no TLS");
    let refused = refused(&failure);
    goodbye(failure).await;
    refused
}

/// Ends what can still be ended in order.
async fn goodbye(failure: SecureFailure) {
    match failure {
        SecureFailure::NotOffered(connection) | SecureFailure::Refused { connection, .. } => connection.finish().await,
        SecureFailure::Broken(_)
        | SecureFailure::Injected { .. }
        | SecureFailure::Handshake(_)
        | SecureFailure::AfterHandshake { .. }
        | SecureFailure::Certificate(_) => {}
    }
}

fn refused(failure: &SecureFailure) -> OpenFailed {
    match failure {
        SecureFailure::NotOffered(_) => OpenFailed::because(DeferralReason::TlsNotOffered),
        SecureFailure::Refused { reply, .. } => OpenFailed {
            outcome: AttemptOutcome::Deferred {
                reason: DeferralReason::TlsRefused,
                reply: Some(finish::reply(reply)),
            },
            ..OpenFailed::because(DeferralReason::TlsRefused)
        },
        SecureFailure::Broken(_) | SecureFailure::Injected { .. } | SecureFailure::Handshake(_) => {
            OpenFailed::because(DeferralReason::TlsBroken)
        }
        SecureFailure::AfterHandshake { session, .. } => OpenFailed {
            tls: Some(facts(&session.facts)),
            ..OpenFailed::because(DeferralReason::TlsBroken)
        },
        SecureFailure::Certificate(session) => OpenFailed {
            tls: Some(facts(&session.facts)),
            ..OpenFailed::because(DeferralReason::TlsNotAuthenticated)
        },
    }
}

/// The facts of a session as events carry them.
pub(super) fn facts(facts: &client::TlsFacts) -> TlsFacts {
    let verdict = match facts.verdict {
        client::CertificateVerdict::Valid => CertificateVerdict::Valid,
        client::CertificateVerdict::Expired => CertificateVerdict::Expired,
        client::CertificateVerdict::NotYetValid => CertificateVerdict::NotYetValid,
        client::CertificateVerdict::NameMismatch => CertificateVerdict::NameMismatch,
        client::CertificateVerdict::UnknownIssuer => CertificateVerdict::UnknownIssuer,
        client::CertificateVerdict::SelfSigned => CertificateVerdict::SelfSigned,
        client::CertificateVerdict::Revoked => CertificateVerdict::Revoked,
        client::CertificateVerdict::Other => CertificateVerdict::Other,
    };
    TlsFacts {
        version: facts.version.clone(),
        group: facts.group.clone(),
        cipher: facts.cipher.clone(),
        certificate_sha256: facts.certificate_sha256.clone(),
        verdict,
        level: if verdict == CertificateVerdict::Valid {
            TlsLevel::Authenticated
        } else {
            TlsLevel::Encrypted
        },
    }
}
