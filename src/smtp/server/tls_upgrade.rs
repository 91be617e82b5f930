//! Turns a connection into an encrypted one, as the server: at once, or after `STARTTLS`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ProtocolVersion, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::talk::Talk;

const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// After `STARTTLS` was answered with 220. `None` when bytes had come behind the command: they would count as said inside
/// TLS (CVE-2011-0411), so that the connection is to be closed.
pub(super) async fn upgrade(
    talk: Talk<TcpStream>,
    config: &Arc<ServerConfig>,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    if talk.has_unread() {
        return Ok(None);
    }
    handshake(talk.into_stream(), config).await.map(Some)
}

/// The handshake as the server.
pub(super) async fn handshake(stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    let accepting = TlsAcceptor::from(Arc::clone(config)).accept(stream);
    timeout(HANDSHAKE_MAX, accepting)
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}

/// `TLSv1.3` or `TLSv1.2`.
pub(super) fn version_name(stream: &TlsStream<TcpStream>) -> String {
    match stream.get_ref().1.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}
