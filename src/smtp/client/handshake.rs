//! Performs one TLS handshake and names how it failed.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, Error, PeerIncompatible};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::NameCheck;
use super::tls_client::{TlsClient, TlsOrder, TlsSession};
use std::time::Duration;

/// A handshake that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("the TLS handshake failed: {fault}")]
pub struct HandshakeFailure {
    /// How it failed.
    pub fault: HandshakeFault,
    /// The error behind it; none for a time limit.
    #[source]
    pub source: Option<io::Error>,
}

/// How a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFault {
    /// The server knows only TLS 1.1 or older.
    #[error("the server speaks only versions before TLS 1.2")]
    OldVersion,
    /// The server gave up and said why.
    #[error("the server sent the alert {description}")]
    Alert {
        /// The alert by its registered name.
        description: String,
    },
    /// What came was no TLS.
    #[error("the server sent bytes that are no TLS")]
    Garbage,
    /// TLS, but against its rules, or with nothing in common with us.
    #[error("the server broke the rules of TLS or has no algorithm in common with us")]
    Misbehaved,
    /// The certificate cannot be read, or the handshake is not signed with its key.
    #[error("the handshake does not match the certificate")]
    Certificate,
    /// The connection was closed or reset.
    #[error("the connection was closed")]
    Closed,
    /// Not finished within the limit.
    #[error("it was not finished within {limit_ms} ms")]
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The operating system, or our own configuration.
    #[error("input or output failed")]
    Io,
}

pub(super) async fn perform(
    stream: TcpStream,
    tls: &TlsClient,
    order: &TlsOrder,
    limit: Duration,
) -> Result<(Box<TlsStream<TcpStream>>, TlsSession), HandshakeFailure> {
    let peer_name = order.peer_name.trim_end_matches('.');
    let (name, name_check) = server_name(peer_name, &stream).map_err(failure)?;
    let (config, verifier) = tls
        .prepare(order.hello, name_check)
        .map_err(|error| failure(io::Error::other(error)))?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let Ok(connected) = timeout(limit, connecting).await else {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        return Err(HandshakeFailure {
            fault: HandshakeFault::TimedOut { limit_ms },
            source: None,
        });
    };
    let stream = connected.map_err(failure)?;
    let session = TlsSession::of(stream.get_ref().1, verifier.verdict(), peer_name);
    Ok((Box::new(stream), session))
}

// An MX that is no host name gets a handshake all the same, by its address and without SNI, but never a valid verdict.
fn server_name(peer_name: &str, stream: &TcpStream) -> io::Result<(ServerName<'static>, NameCheck)> {
    match ServerName::try_from(peer_name.to_owned()) {
        Ok(name) => Ok((name, NameCheck::Possible)),
        Err(_) => Ok((ServerName::from(stream.peer_addr()?.ip()), NameCheck::Impossible)),
    }
}

fn failure(source: io::Error) -> HandshakeFailure {
    let tls_error = source.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let fault = match tls_error {
        Some(error) => fault_of(error),
        None => match source.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => HandshakeFault::Closed,
            _ => HandshakeFault::Io,
        },
    };
    HandshakeFailure {
        fault,
        source: Some(source),
    }
}

fn fault_of(error: &Error) -> HandshakeFault {
    match error {
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => HandshakeFault::OldVersion,
        Error::AlertReceived(description) => HandshakeFault::Alert {
            description: format!("{description:?}"),
        },
        Error::InvalidMessage(_) => HandshakeFault::Garbage,
        Error::InvalidCertificate(_) => HandshakeFault::Certificate,
        Error::General(_) => HandshakeFault::Io,
        _ => HandshakeFault::Misbehaved,
    }
}
