//! What the tests share: a sink that keeps messages, time limits, and short ways to open a dialogue.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::certificates::NAME;
use crate::smtp::client::{
    ClientHello, Connection, Envelope, Greeted, Ready, Recorder, Timeouts, TlsDemand, TlsOrder, TransactionOutcome,
};
use crate::smtp::server::{Deposit, Personality, Received, Receiver, Running};
use crate::smtp::wire::{ForwardPath, HelloName, MailParameters, ReversePath, StuffedContent};

pub(super) const CONTENT: &[u8] = b"Subject: hello\r\n\r\n.a dot\r\nbye\r\n";

/// Keeps what is deposited, or fails on demand.
#[derive(Default)]
pub(super) struct Mailroom {
    pub(super) received: Mutex<Vec<Received>>,
    pub(super) full: bool,
}

#[async_trait]
impl Deposit for Mailroom {
    async fn deposit(&self, received: Received) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.received.lock().push(received);
        Ok(())
    }
}

pub(super) async fn receiver(personality: Personality) -> (Running, Arc<Mailroom>) {
    let mailroom = Arc::new(Mailroom::default());
    let sink = Arc::<Mailroom>::clone(&mailroom);
    let running = Receiver::start("127.0.0.1:0".parse().unwrap(), personality, sink)
        .await
        .unwrap();
    (running, mailroom)
}

/// Long enough for a loaded machine; a test that waits for a limit sets that one limit lower.
pub(super) fn timeouts() -> Timeouts {
    let limit = Duration::from_secs(20);
    Timeouts {
        connect: limit,
        greeting: limit,
        command: limit,
        handshake: limit,
        data: limit,
        final_dot: limit,
        quit: limit,
    }
}

pub(super) fn soon() -> Duration {
    Duration::from_millis(150)
}

pub(super) fn name() -> HelloName {
    HelloName::parse("client.test").unwrap()
}

pub(super) async fn greeted_with(addr: SocketAddr, timeouts: &Timeouts) -> Connection<Greeted> {
    let opened = Connection::open(addr, timeouts, Recorder::new()).await.unwrap();
    opened.greet(&name()).await.unwrap()
}

pub(super) async fn greeted(addr: SocketAddr) -> Connection<Greeted> {
    greeted_with(addr, &timeouts()).await
}

pub(super) async fn ready(addr: SocketAddr) -> Connection<Ready> {
    greeted(addr).await.stay_in_clear()
}

pub(super) fn order(demand: TlsDemand) -> TlsOrder {
    TlsOrder {
        peer_name: NAME.to_owned(),
        demand,
        hello: ClientHello::PostQuantum,
    }
}

pub(super) fn envelope(recipient: &str) -> Envelope {
    Envelope {
        reverse_path: ReversePath::parse("bounce@sender.test").unwrap(),
        forward_path: ForwardPath::parse(recipient).unwrap(),
        needs: MailParameters {
            size_bytes: Some(CONTENT.len() as u64),
            ..MailParameters::default()
        },
    }
}

/// Sends [`CONTENT`] with a pause between envelope and content.
pub(super) async fn send(connection: &mut Connection<Ready>, recipient: &str) -> TransactionOutcome {
    let content = StuffedContent::new(&[CONTENT]).unwrap();
    match connection.mail_rcpt(&envelope(recipient)).await {
        Ok(transaction) => transaction.data(&content).await,
        Err(failure) => failure.into(),
    }
}

/// Sends [`CONTENT`] in one go, as on a kept connection.
pub(super) async fn send_at_once(connection: &mut Connection<Ready>, recipient: &str) -> TransactionOutcome {
    let content = StuffedContent::new(&[CONTENT]).unwrap();
    connection.mail_rcpt_data(&envelope(recipient), &content).await
}
