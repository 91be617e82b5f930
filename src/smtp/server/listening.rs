//! Accepts connections and holds their dialogues: so many at a time, all of them ended with the listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::talk::Talk;
use crate::smtp::wire::Reply;

/// How long a listener rests after an error such as "too many open files", instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Connections that may wait to be accepted: with fewer, a burst of clients waits a second and more for the next try of
/// each.
const BACKLOG: u32 = 4_096;

/// Listens on an address; port 0 picks a free one, which is given back.
pub(super) fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A server that is started again takes its port although old connections still close.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let picked = listener.local_addr()?;
    Ok((listener, picked))
}

/// Who answers connections.
#[async_trait]
pub(super) trait Host: Send + Sync + 'static {
    /// What a dialogue holds while it lasts.
    type Place: Send;

    /// Whether one more is taken while so many are held; otherwise what it is told, if anything.
    fn place(&self, peer: SocketAddr, held: usize) -> Result<Self::Place, Option<Reply>>;

    /// Holds the dialogue.
    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Self::Place);
}

/// Tells dialogues that they are to end. Clones hear the same.
#[derive(Clone, Debug)]
pub(super) struct Closing(watch::Receiver<()>);

/// Whoever holds this keeps the dialogues going; dropping it tells them to end.
#[derive(Debug)]
pub(super) struct Open(watch::Sender<()>);

impl Open {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn closing(&self) -> Closing {
        Closing(self.0.subscribe())
    }
}

impl Closing {
    /// Returns when dialogues are to end.
    pub(super) async fn told(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Listens until it is told to end; then dialogues have so long to come to theirs.
pub(super) async fn listen_on<H: Host>(listener: TcpListener, host: Arc<H>, mut closing: Closing, drain: Duration) {
    let mut dialogues = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => take(accepted, &host, &mut dialogues).await,
            Some(ended) = dialogues.join_next() => report(ended),
            () = closing.told() => break,
        }
    }
    drop(listener);
    let drained = tokio::time::timeout(drain, async {
        while let Some(ended) = dialogues.join_next().await {
            report(ended);
        }
    });
    if drained.await.is_err() {
        tracing::warn!(dialogues.count = dialogues.len(), "dialogues are cut off");
    }
}

async fn take<H: Host>(accepted: io::Result<(TcpStream, SocketAddr)>, host: &Arc<H>, dialogues: &mut JoinSet<()>) {
    match accepted {
        Ok((stream, peer)) => match host.place(peer, dialogues.len()) {
            Ok(place) => drop(dialogues.spawn(Arc::clone(host).converse(stream, peer, place))),
            Err(Some(reply)) => turn_away(stream, &reply).await,
            Err(None) => {}
        },
        Err(error) => {
            tracing::warn!(error = %error, "connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
        }
    }
}

async fn turn_away(stream: TcpStream, reply: &Reply) {
    let mut talk = Talk::new(stream);
    talk.say(reply);
    // The reply fits into an empty socket buffer, so this does not hold up the listener.
    if talk.flush().await.is_err() {
        tracing::debug!("client had gone before it could be turned away");
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a dialogue panicked");
    }
}
