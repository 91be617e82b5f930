//! Listens, holds a bounded number of dialogues at a time, and stops them all.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::ProtocolVersion;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::answers::{self, reply};
use super::deposit::Deposit;
use super::personality::{Offer, Pace, Personality};
use super::session::{End, Session};
use super::talk::Talk;
use crate::smtp::wire::{ForwardPath, ReversePath};

const DIALOGUES_MAX: usize = 200;
const GREYLIST_ENTRIES_MAX: usize = 10_000;
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// How long a listener rests after an error such as "too many open files", instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A receiving SMTP server.
pub struct Receiver;

/// A receiver at work. Dropping it ends all its dialogues at once.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    listening: JoinHandle<()>,
}

/// What all dialogues of one receiver share.
pub(super) struct House {
    pub(super) personality: Personality,
    pub(super) sink: Arc<dyn Deposit>,
    greylist: Mutex<HashSet<(ReversePath, ForwardPath)>>,
}

impl Receiver {
    /// Listens on the address (port 0 chooses a free one) and hands every message to the sink.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(listen: SocketAddr, personality: Personality, sink: Arc<dyn Deposit>) -> io::Result<Running> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let house = Arc::new(House {
            personality,
            sink,
            greylist: Mutex::new(HashSet::new()),
        });
        Ok(Running {
            addr,
            listening: tokio::spawn(listen_on(listener, house)),
        })
    }
}

impl Running {
    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening and ends all dialogues; returns when they have ended.
    pub async fn stop(mut self) {
        self.listening.abort();
        if (&mut self.listening).await.is_err_and(|error| error.is_panic()) {
            tracing::error!(listener.addr = %self.addr, "receiver had panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl House {
    /// Whether this pair is seen for the first time. A full list starts again empty: senders then wait once more.
    pub(super) fn is_first_try(&self, reverse_path: &ReversePath, forward_path: &ForwardPath) -> bool {
        let mut seen = self.greylist.lock();
        if seen.len() >= GREYLIST_ENTRIES_MAX {
            seen.clear();
        }
        seen.insert((reverse_path.clone(), forward_path.clone()))
    }
}

async fn listen_on(listener: TcpListener, house: Arc<House>) {
    let mut dialogues = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if dialogues.len() < DIALOGUES_MAX => {
                    dialogues.spawn(receive(stream, Arc::clone(&house)));
                }
                Ok((stream, _)) => turn_away(stream).await,
                Err(error) => {
                    tracing::warn!(error = %error, "connection could not be accepted");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            },
            Some(ended) = dialogues.join_next() => {
                if ended.is_err_and(|error| error.is_panic()) {
                    tracing::error!("a dialogue panicked");
                }
            }
        }
    }
}

async fn turn_away(stream: TcpStream) {
    let mut talk = Talk::new(stream);
    talk.say(&answers::too_busy());
    // The reply fits into an empty socket buffer, so this does not hold up the listener.
    if talk.flush().await.is_err() {
        tracing::debug!("client had gone before it could be turned away");
    }
}

async fn receive(stream: TcpStream, house: Arc<House>) {
    if let Err(error) = dialogue(stream, &house).await {
        tracing::debug!(error = %error, "dialogue ended early");
    }
}

async fn dialogue(stream: TcpStream, house: &House) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut talk = Talk::new(stream);
    if house.personality.pace == Pace::Hang {
        return talk.ignore_all().await;
    }
    talk.say(&reply(
        220,
        &format!("{} ESMTP Sealpost", house.personality.greeting_name),
    ));
    match Session::new(house, None).converse(&mut talk).await? {
        End::Closed => talk.shut_down().await,
        End::StartTls => encrypted_dialogue(talk, house).await,
    }
}

async fn encrypted_dialogue(mut talk: Talk<TcpStream>, house: &House) -> io::Result<()> {
    if house.personality.starttls == Offer::BreakHandshake {
        // Answered only after the ClientHello: earlier it would look as if injected into the clear text.
        talk.ignore_some().await?;
        talk.write_raw(b"this is no TLS\r\n").await?;
        return talk.ignore_all().await;
    }
    // Commands that came with STARTTLS in one packet would count as said inside TLS (CVE-2011-0411).
    let (Some(config), false) = (&house.personality.tls, talk.has_unread()) else {
        return talk.shut_down().await;
    };
    let accepting = TlsAcceptor::from(Arc::clone(config)).accept(talk.into_stream());
    let stream = timeout(HANDSHAKE_MAX, accepting)
        .await
        .map_err(|_| io::ErrorKind::TimedOut)??;
    let version = version_name(&stream);
    let mut talk = Talk::new(stream);
    Session::new(house, Some(version)).converse(&mut talk).await?;
    talk.shut_down().await
}

fn version_name(stream: &TlsStream<TcpStream>) -> String {
    match stream.get_ref().1.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}
