//! Step three: TLS as the message wants it, with the certificate's verdict on record, or the one step that the rule of the
//! domain (`tls_rule`) allows after a failure.
//!
//! Where TLS is offered and does not work out, going on in clear text is what a man in the middle would want: this step
//! does so only where the rule says it, and the reason goes with the session.

use sealpost_domain::message::{AttemptOutcome, CertificateVerdict, DeferralReason, TlsFacts, TlsLevel};
use sealpost_domain::tls_rule::{ClearReason, Hello, Step, Taint, TlsFailure, TlsNeed, TlsWant};

use super::{finish, greet};
use crate::actors::OpenFailed;
use crate::smtp::client::{
    self, ClientHello, Connection, GreetFailure, Greeted, HandshakeFault, Opened, Ready, SecureFailure, TlsClient,
    TlsFailureClass, TlsOrder,
};
use crate::smtp::wire::HelloName;

/// How one try at TLS is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try<'a> {
    /// Name of the host.
    pub(super) host: &'a str,
    /// What the message wants.
    pub(super) want: TlsWant,
    /// With which ClientHello.
    pub(super) hello: Hello,
    /// What the attempt has seen so far.
    pub(super) before: Taint,
}

/// A session that may carry the message.
#[derive(Debug)]
pub(super) struct Secured {
    pub(super) connection: Connection<Ready>,
    /// Why it is in clear text; `None` where it is not.
    pub(super) clear: Option<ClearReason>,
}

/// A try that came to no session.
pub(super) struct Fell {
    /// What the message is told, where nothing better follows.
    pub(super) failed: OpenFailed,
    /// How TLS failed.
    pub(super) failure: TlsFailure,
}

impl Fell {
    /// A failure that says nothing of TLS.
    pub(super) const fn unready(failed: OpenFailed) -> Self {
        Self {
            failed,
            failure: TlsFailure::Unready,
        }
    }
}

/// `STARTTLS`, or clear text on this very connection where the rule allows that.
pub(super) async fn secure(greeted: Connection<Greeted>, this: Try<'_>, tls: &TlsClient) -> Result<Secured, Fell> {
    let failure = match greeted.secure(tls, &this.order()).await {
        Ok(connection) => {
            return Ok(Secured {
                connection,
                clear: None,
            });
        }
        Err(failure) => failure,
    };
    let step = this.want.after(class(&failure), this.hello, this.before);
    match (failure, step) {
        (
            SecureFailure::NotOffered(connection) | SecureFailure::Refused { connection, .. },
            Step::StayInClear(reason),
        ) => Ok(Secured {
            connection: connection.stay_in_clear(),
            clear: Some(reason),
        }),
        (failure, _) => Err(fell(this.host, failure).await),
    }
}

/// TLS before a word is said; the greeting comes inside it.
pub(super) async fn greet_in_tls(
    opened: Connection<Opened>,
    name: &HelloName,
    this: Try<'_>,
    tls: &TlsClient,
) -> Result<Secured, Fell> {
    match opened.greet_in_tls(name, tls, &this.order()).await {
        Ok(connection) => Ok(Secured {
            connection,
            clear: None,
        }),
        Err(failure) => Err(fell(this.host, failure).await),
    }
}

impl Try<'_> {
    fn order(&self) -> TlsOrder {
        TlsOrder {
            peer_name: self.host.to_owned(),
            demand: match self.want.need {
                TlsNeed::Immediate | TlsNeed::Opportunistic => client::TlsDemand::Opportunistic,
                TlsNeed::Encrypted => client::TlsDemand::Encrypted,
                TlsNeed::Authenticated => client::TlsDemand::Authenticated,
            },
            hello: match self.hello {
                Hello::Full => ClientHello::PostQuantum,
                Hello::Reduced => ClientHello::Reduced,
            },
        }
    }
}

async fn fell(host: &str, failure: SecureFailure) -> Fell {
    let class = class(&failure);
    tracing::info!(route.host = %host, class = class.code(), error = %failure, "no TLS");
    let failed = refused(&failure);
    goodbye(failure).await;
    Fell { failed, failure: class }
}

/// The class that the rule acts upon.
fn class(failure: &SecureFailure) -> TlsFailure {
    match (failure.class(), failure) {
        (TlsFailureClass::NotOffered, _) => TlsFailure::NotOffered,
        (TlsFailureClass::RefusedTransiently, _) => TlsFailure::RefusedTransiently,
        (TlsFailureClass::RefusedPermanently, _) => TlsFailure::RefusedPermanently,
        (TlsFailureClass::Handshake, SecureFailure::Handshake(handshake))
            if handshake.fault == HandshakeFault::OldVersion =>
        {
            TlsFailure::OldVersion
        }
        (TlsFailureClass::Handshake, _) => TlsFailure::Handshake,
        (TlsFailureClass::Injected, _) => TlsFailure::Injected,
        // A reply that came inside TLS shows that TLS works: the server does not want to talk.
        (
            TlsFailureClass::AfterHandshake,
            SecureFailure::AfterHandshake {
                failure: GreetFailure::Refused(_),
                ..
            },
        ) => TlsFailure::Unready,
        (TlsFailureClass::AfterHandshake, _) => TlsFailure::AfterHandshake,
        (TlsFailureClass::Identity, _) => TlsFailure::Identity,
    }
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
        SecureFailure::AfterHandshake { session, failure } => OpenFailed {
            tls: Some(facts(&session.facts)),
            ..match failure {
                GreetFailure::Refused(_) => greet::refused(failure),
                GreetFailure::Broken(_) => OpenFailed::because(DeferralReason::TlsBroken),
            }
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
