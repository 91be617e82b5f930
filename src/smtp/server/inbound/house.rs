//! Opens the listeners for reports, and holds what all of their dialogues share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::ServerConfig;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::guard::{Guard, Place};
use super::refusal::InboundRefusal;
use super::session::{End, Ground, Session};
use super::settings::InboundSettings;
use crate::access::Strangers;
use crate::actors::Reports;
use crate::smtp::server::listening::{Closing, Host, Open, bind, listen_on};
use crate::smtp::server::talk::Talk;
use crate::smtp::server::tls_upgrade::upgrade;
use crate::smtp::wire::Reply;

/// What the server is given.
pub struct InboundParts {
    /// Who takes what is reported.
    pub reports: Arc<dyn Reports>,
    /// Where recipients are counted that were never signed here.
    pub strangers: Strangers,
    /// Certificate and key; without them there is no STARTTLS.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Why the server does not open.
#[derive(Debug, Error)]
pub enum InboundFailure {
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

/// The open listeners. Dropping it ends all dialogues at once.
#[derive(Debug)]
pub struct Inbound {
    addresses: Vec<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
    open: Open,
}

/// What all dialogues share.
pub(super) struct House {
    pub(super) settings: InboundSettings,
    pub(super) reports: Arc<dyn Reports>,
    pub(super) strangers: Strangers,
    pub(super) tls: Option<Arc<ServerConfig>>,
    guard: Arc<Guard>,
}

impl Inbound {
    /// Listens. Must be called on a tokio runtime, which holds the dialogues.
    ///
    /// # Errors
    /// [`InboundFailure::Bind`]; then nothing listens.
    pub fn open(settings: InboundSettings, parts: InboundParts) -> Result<Self, InboundFailure> {
        let mut bound = Vec::with_capacity(settings.listen.len());
        for address in &settings.listen {
            let failed = |source| InboundFailure::Bind {
                address: *address,
                source,
            };
            bound.push(bind(*address).map_err(failed)?);
        }
        let (open, drain) = (Open::new(), settings.drain);
        let house = Arc::new(House {
            settings,
            reports: parts.reports,
            strangers: parts.strangers,
            tls: parts.tls,
            guard: Arc::new(Guard::default()),
        });
        let (mut addresses, mut tasks) = (Vec::new(), Vec::new());
        for (listener, address) in bound {
            let door = Arc::new(Door {
                house: Arc::clone(&house),
                closing: open.closing(),
            });
            addresses.push(address);
            tasks.push(tokio::spawn(listen_on(listener, door, open.closing(), drain)));
        }
        Ok(Self { addresses, tasks, open })
    }

    /// Where it listens, with the ports that were picked, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes no more connections, lets letters that were begun come to their answer, and ends.
    pub async fn close(mut self) {
        self.open = Open::new();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "the task of a listener for reports broke");
            }
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// One listener's side of the dialogues.
struct Door {
    house: Arc<House>,
    closing: Closing,
}

#[async_trait]
impl Host for Door {
    type Place = Place;

    fn place(&self, peer: SocketAddr, _held: usize) -> Result<Place, Option<Reply>> {
        let place = self.house.guard.place(peer.ip());
        place.ok_or_else(|| Some(InboundRefusal::TooManyConnections.reply()))
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Place) {
        if let Err(error) = self.dialogue(stream, peer, place).await {
            tracing::debug!(error = %error, "a dialogue on reports ended early");
        }
    }
}

impl Door {
    async fn dialogue(&self, stream: TcpStream, peer: SocketAddr, place: Place) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let peer = peer.ip().to_canonical();
        let mut talk = Talk::new(stream);
        let mut session = Session::new(&self.house, peer, Ground::Clear, place);
        session.greet(&mut talk);
        if session.converse(&mut talk, self.closing.clone()).await? == End::Closed {
            return talk.shut_down().await;
        }
        let Some(config) = &self.house.tls else {
            return talk.shut_down().await;
        };
        let Some(stream) = upgrade(talk, config).await? else {
            return Ok(());
        };
        // RFC 3207 §4.2: what was said before counts for nothing.
        let mut talk = Talk::new(stream);
        let mut session = Session::new(&self.house, peer, Ground::Tls, session.into_place());
        session.converse(&mut talk, self.closing.clone()).await?;
        talk.shut_down().await
    }
}
