//! Opens the submission server's listeners, and holds what all of its sessions share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::ServerConfig;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::guard::{Guard, Place};
use super::reply_code::ReplyCode;
use super::session::{End, Ground, Session};
use super::settings::{Cover, Listener, LoginInClear, SubmissionSettings};
use crate::access::Gate;
use crate::intake::MailDesk;
use crate::smtp::server::listening::{Closing, Host, Open, bind, listen_on};
use crate::smtp::server::talk::Talk;
use crate::smtp::server::tls_upgrade::{handshake, upgrade};
use crate::smtp::wire::Reply;

/// What the server is given.
pub struct SubmissionParts {
    /// Lets keys in.
    pub gate: Gate,
    /// Where mail is taken in.
    pub desk: MailDesk,
    /// Certificate and key.
    pub tls: Arc<ServerConfig>,
}

/// Why the server does not open.
#[derive(Debug, Error)]
pub enum SubmissionFailure {
    /// The address is taken, or not ours.
    #[error("the address {address} cannot be listened on")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// The open listeners. Dropping it ends all sessions at once.
#[derive(Debug)]
pub struct Submission {
    listeners: Vec<Listener>,
    tasks: Vec<JoinHandle<()>>,
    open: Open,
}

/// What all sessions share.
pub(super) struct House {
    pub(super) settings: SubmissionSettings,
    pub(super) gate: Gate,
    pub(super) desk: MailDesk,
    tls: Arc<ServerConfig>,
    guard: Arc<Guard>,
}

impl Submission {
    /// Listens. Must be called on a tokio runtime, which holds the sessions.
    ///
    /// # Errors
    /// [`SubmissionFailure::Bind`]; then nothing listens.
    pub fn open(settings: SubmissionSettings, parts: SubmissionParts) -> Result<Self, SubmissionFailure> {
        let mut bound = Vec::with_capacity(settings.listeners.len());
        for Listener { address, cover } in &settings.listeners {
            let listener = bind_one(*address)?;
            bound.push((listener, *cover));
        }
        let (open, drain) = (Open::new(), settings.drain);
        let house = Arc::new(House {
            guard: Guard::new(settings.connections),
            settings,
            gate: parts.gate,
            desk: parts.desk,
            tls: parts.tls,
        });
        let (mut listeners, mut tasks) = (Vec::new(), Vec::new());
        for ((listener, address), cover) in bound {
            let door = Arc::new(Door {
                house: Arc::clone(&house),
                cover,
                closing: open.closing(),
            });
            listeners.push(Listener { address, cover });
            tasks.push(tokio::spawn(listen_on(listener, door, open.closing(), drain)));
        }
        Ok(Self { listeners, tasks, open })
    }

    /// Where it listens, with the ports that were picked, in the order of the settings.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Takes no more connections, lets transactions that were begun come to their answer, and ends.
    pub async fn close(mut self) {
        self.open = Open::new();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "the task of a submission listener broke");
            }
        }
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn bind_one(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SubmissionFailure> {
    bind(address).map_err(|source| SubmissionFailure::Bind { address, source })
}

/// One listener's side of the dialogues.
struct Door {
    house: Arc<House>,
    cover: Cover,
    closing: Closing,
}

#[async_trait]
impl Host for Door {
    type Place = Place;

    fn place(&self, peer: SocketAddr, _held: usize) -> Result<Place, Option<Reply>> {
        self.house.guard.place(peer.ip()).ok_or_else(|| {
            metrics::counter!("sealpost_submission_turned_away_total").increment(1);
            // Inside TLS it could be said only after a handshake, which is what there is no room for.
            (self.cover == Cover::StartTls).then(|| ReplyCode::TooManyConnections.reply())
        })
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Place) {
        if let Err(error) = self.dialogue(stream, peer, place).await {
            tracing::debug!(error = %error, "submission session ended early");
        }
    }
}

impl Door {
    async fn dialogue(&self, stream: TcpStream, peer: SocketAddr, place: Place) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let peer = peer.ip().to_canonical();
        if self.cover == Cover::Implicit {
            let talk = Talk::new(handshake(stream, &self.house.tls).await?);
            return self
                .converse_in(talk, Session::new(&self.house, peer, Ground::Tls, place))
                .await;
        }
        let ground = match self.house.settings.login_in_clear {
            LoginInClear::Loopback if peer.is_loopback() => Ground::Loopback,
            LoginInClear::Loopback | LoginInClear::Never => Ground::Clear,
        };
        let mut talk = Talk::new(stream);
        let mut session = Session::new(&self.house, peer, ground, place);
        session.greet(&mut talk);
        match session.converse(&mut talk, self.closing.clone()).await? {
            End::Closed => talk.shut_down().await,
            End::StartTls => {
                let Some(stream) = upgrade(talk, &self.house.tls).await? else {
                    return Ok(());
                };
                // RFC 3207 §4.2: what was said before counts for nothing.
                let session = Session::new(&self.house, peer, Ground::Tls, session.into_place());
                self.converse_on(Talk::new(stream), session).await
            }
        }
    }

    async fn converse_in<S>(&self, mut talk: Talk<S>, session: Session<'_>) -> io::Result<()>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    {
        session.greet(&mut talk);
        self.converse_on(talk, session).await
    }

    async fn converse_on<S>(&self, mut talk: Talk<S>, mut session: Session<'_>) -> io::Result<()>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    {
        session.converse(&mut talk, self.closing.clone()).await?;
        talk.shut_down().await
    }
}
