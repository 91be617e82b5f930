//! Listens, holds a bounded number of dialogues at a time, and stops them all.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::answers::{self, reply};
use super::deposit::Deposit;
use super::listening::{Host, Open, listen_on};
use super::personality::{Offer, Pace, Personality};
use super::session::{End, Session};
use super::talk::Talk;
use super::tls_upgrade::{upgrade, version_name};
use crate::smtp::wire::{ForwardPath, Reply, ReversePath};

const DIALOGUES_MAX: usize = 200;
const GREYLIST_ENTRIES_MAX: usize = 10_000;

/// A receiving SMTP server.
pub struct Receiver;

/// A receiver at work. Dropping it ends all its dialogues at once.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    listening: JoinHandle<()>,
    // Dialogues go on as long as it is there.
    _open: Open,
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
        let open = Open::new();
        let listening = listen_on(listener, house, open.closing(), Duration::ZERO);
        Ok(Running {
            addr,
            listening: tokio::spawn(listening),
            _open: open,
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

#[async_trait]
impl Host for House {
    type Place = ();

    fn place(&self, _peer: SocketAddr, held: usize) -> Result<(), Option<Reply>> {
        if held < DIALOGUES_MAX {
            Ok(())
        } else {
            Err(Some(answers::too_busy()))
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, _peer: SocketAddr, _place: ()) {
        if let Err(error) = dialogue(stream, &self).await {
            tracing::debug!(error = %error, "dialogue ended early");
        }
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
    let Some(config) = &house.personality.tls else {
        return talk.shut_down().await;
    };
    let Some(stream) = upgrade(talk, config).await? else {
        return Ok(());
    };
    let version = version_name(&stream);
    let mut talk = Talk::new(stream);
    Session::new(house, Some(version)).converse(&mut talk).await?;
    talk.shut_down().await
}
