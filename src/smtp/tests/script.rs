//! A server that follows a script line by line, for everything that a well-behaved server never does.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// One step of a script.
pub(super) enum Step {
    /// Writes bytes as they are.
    Say(&'static str),
    /// Writes bytes that are no text.
    SayBytes(Vec<u8>),
    /// Reads one line, which must start like this.
    Hear(&'static str),
    /// Reads up to and with CRLF, dot, CRLF.
    HearContent,
    /// Reads at least this many bytes, whatever they are.
    HearBytes(usize),
    /// Performs a TLS handshake as the server.
    Tls(Arc<ServerConfig>),
    /// Resets the connection.
    Reset,
    /// Waits until the client closes.
    Hold,
}

/// A running script; joins to the lines that were heard.
pub(super) struct Script {
    pub(super) addr: SocketAddr,
    heard: JoinHandle<Vec<String>>,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

struct Actor {
    clear: Option<TcpStream>,
    tls: Option<Box<dyn Duplex>>,
    unread: Vec<u8>,
    heard: Vec<String>,
}

impl Script {
    /// Serves one connection.
    pub(super) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut actor = Actor {
                clear: Some(stream),
                tls: None,
                unread: Vec::new(),
                heard: Vec::new(),
            };
            for step in steps {
                actor.perform(step).await;
            }
            actor.heard
        });
        Self { addr, heard }
    }

    /// Waits for the end of the script; the lines it heard.
    pub(super) async fn heard(self) -> Vec<String> {
        self.heard.await.unwrap()
    }
}

impl Actor {
    async fn perform(&mut self, step: Step) {
        match step {
            Step::Say(text) => self.stream().write_all(text.as_bytes()).await.unwrap(),
            Step::SayBytes(bytes) => self.stream().write_all(&bytes).await.unwrap(),
            Step::Hear(start) => {
                let line = self.until(b"\n").await;
                assert!(line.starts_with(start), "heard {line:?} instead of {start:?}");
                self.heard.push(line.trim_end().to_owned());
            }
            Step::HearContent => {
                let content = self.until(b"\r\n.\r\n").await;
                self.heard.push(content);
            }
            Step::HearBytes(count) => {
                while self.unread.len() < count && self.read().await > 0 {}
                self.unread.clear();
            }
            Step::Tls(config) => {
                let clear = self.clear.take().unwrap();
                if let Ok(stream) = TlsAcceptor::from(config).accept(clear).await {
                    self.tls = Some(Box::new(stream));
                }
            }
            Step::Reset => self.clear.take().unwrap().set_zero_linger().unwrap(),
            Step::Hold => {
                while self.tls.is_some() || self.clear.is_some() {
                    if self.read().await == 0 {
                        break;
                    }
                }
            }
        }
    }

    fn stream(&mut self) -> &mut dyn Duplex {
        match (&mut self.tls, &mut self.clear) {
            (Some(stream), _) => stream.as_mut(),
            (None, Some(stream)) => stream,
            (None, None) => panic!("the script goes on after the connection has ended"),
        }
    }

    async fn read(&mut self) -> usize {
        let mut space = [0; 4_096];
        let count = self.stream().read(&mut space).await.unwrap_or(0);
        self.unread.extend_from_slice(&space[..count]);
        count
    }

    async fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(start) = memchr::memmem::find(&self.unread, end) {
                let taken: Vec<u8> = self.unread.drain(..start + end.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            assert!(
                self.read().await > 0,
                "the client closed; unread: {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        }
    }
}
