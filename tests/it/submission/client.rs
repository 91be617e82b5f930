//! A client that says what a test wants it to, byte by byte, in clear or inside TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(30);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One connection.
pub struct Client {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// A whole reply; its lines are joined by line feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard(pub String);

impl Heard {
    /// Checks how it begins.
    #[track_caller]
    pub fn starts(&self, beginning: &str) {
        assert!(
            self.0.starts_with(beginning),
            "{beginning:?} is not the beginning of {:?}",
            self.0
        );
    }

    /// The ids that a `250` after `DATA` names.
    pub fn ids(&self) -> Vec<String> {
        self.starts("250 2.0.0 Taken as ");
        let words = self.0.split([' ', ';']);
        words.filter(|word| word.len() == 32).map(str::to_owned).collect()
    }
}

impl Client {
    /// Connects, and hears the greeting.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::silent(address).await;
        client.heard().await.starts("220 mail.example.org ESMTP ");
        client
    }

    /// Connects, and listens to nothing yet.
    pub async fn silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: Box::new(stream),
            unread: Vec::new(),
        }
    }

    /// Connects with TLS from the first byte, and hears the greeting.
    pub async fn connect_tls(address: SocketAddr, authority: &Path) -> Self {
        let mut client = Self::silent(address).await.into_tls(authority).await;
        client.heard().await.starts("220 ");
        client
    }

    /// `STARTTLS` and the handshake.
    pub async fn start_tls(mut self, authority: &Path) -> Self {
        self.say("STARTTLS").await.starts("220 2.0.0 ");
        self.into_tls(authority).await
    }

    async fn into_tls(self, authority: &Path) -> Self {
        assert!(self.unread.is_empty());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, self.stream)
            .await
            .unwrap();
        Self {
            stream: Box::new(stream),
            unread: Vec::new(),
        }
    }

    /// Sends a line and hears the reply.
    pub async fn say(&mut self, line: &str) -> Heard {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.heard().await
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends bytes for as long as the server takes them.
    pub async fn send_if_taken(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes).await);
        drop(self.stream.flush().await);
    }

    /// The next reply.
    pub async fn heard(&mut self) -> Heard {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await.expect("a reply, not the end of the connection");
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if is_last {
                return Heard(lines.join("\n"));
            }
        }
    }

    /// The next reply of one line, or the end of the connection.
    pub async fn heard_if_any(&mut self) -> Option<Heard> {
        self.line().await.map(Heard)
    }

    /// The codes of all replies to the end of the connection.
    pub async fn codes_to_the_end(&mut self) -> Vec<u16> {
        let mut codes = Vec::new();
        while let Some(line) = self.line().await {
            if line.as_bytes().get(3) == Some(&b' ') {
                codes.push(line[..3].parse().unwrap());
            }
        }
        codes
    }

    /// Ends its side, and waits until the server has ended its own.
    pub async fn closes(mut self) {
        self.stream.shutdown().await.unwrap();
        self.is_closed().await;
    }

    /// Checks that the server has closed the connection.
    pub async fn is_closed(&mut self) {
        assert_eq!(self.line().await, None);
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned());
            }
            let mut space = [0; 4_096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut space)).await;
            // A reset says as well that nothing more comes.
            let count = read.expect("the server answers in time").unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.unread.extend_from_slice(&space[..count]);
        }
    }

    /// Introduces itself; what the server offers.
    pub async fn ehlo(&mut self) -> Vec<String> {
        let heard = self.say("EHLO client.test").await;
        heard.starts("250");
        heard.0.lines().skip(1).map(|line| line[4..].to_owned()).collect()
    }

    /// Logs in by PLAIN.
    pub async fn log_in(&mut self, key: &str) -> Heard {
        self.say(&format!("AUTH PLAIN {}", plain(key))).await
    }

    /// Sends a message from `shop@example.org`; the answer to its end.
    pub async fn submit(&mut self, recipients: &[&str], content: &[u8]) -> Heard {
        self.say("MAIL FROM:<shop@example.org>").await.starts("250 2.1.0 ");
        for recipient in recipients {
            self.say(&format!("RCPT TO:<{recipient}>")).await.starts("250 2.1.5 ");
        }
        self.content(content).await
    }

    /// `DATA` with a content whose lines are right already.
    pub async fn content(&mut self, content: &[u8]) -> Heard {
        self.say("DATA").await.starts("354 ");
        self.send_if_taken(&[content, b".\r\n"].concat()).await;
        self.heard().await
    }
}

/// The response of PLAIN, in base64.
pub fn plain(key: &str) -> String {
    STANDARD.encode(format!("\0anybody\0{key}"))
}
