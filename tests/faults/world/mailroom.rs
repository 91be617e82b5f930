//! The server that the program mails to. It lives on when the program dies, and remembers what it took and which
//! connections it had.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sealpost::smtp::server::{Deposit, Personality, Received, Receiver, Running};
use sealpost_domain::ids::MessageId;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::chance::Chance;
use crate::judge::{Acknowledged, Taken};

/// A receiver behind a door that counts.
pub struct Mailroom {
    inbox: Arc<Inbox>,
    connections: Connections,
    addr: SocketAddr,
    door: JoinHandle<()>,
    _receiver: Running,
}

/// When each connection ended, if it has.
type Connections = Arc<Mutex<Vec<Option<Instant>>>>;

/// How fast the server takes mail.
#[derive(Debug, Clone)]
pub enum Pace {
    /// At once.
    Prompt,
    /// Each message takes a time of chance up to `most`, and others wait behind it.
    Slow { most: Duration, chance: Chance },
}

impl Pace {
    fn delay(&mut self) -> Duration {
        match self {
            Self::Prompt => Duration::ZERO,
            Self::Slow { most, chance } => {
                most.mul_f64(f64::from(u16::try_from(chance.within(0..1_000)).unwrap()) / 1e3)
            }
        }
    }
}

/// What came, in order.
pub struct Inbox {
    taken: Mutex<Vec<Taken>>,
    pace: Mutex<Pace>,
}

impl Inbox {
    /// The first messages of these that have not come, at most so many.
    pub fn awaited(&self, told: &[Acknowledged], count: usize) -> Vec<MessageId> {
        let taken = self.taken.lock().unwrap();
        let come: HashSet<&str> = taken.iter().map(|taken| taken.recipient.as_str()).collect();
        let awaited = told.iter().filter(|told| !come.contains(told.recipient.as_str()));
        awaited.take(count).map(|told| told.message).collect()
    }
}

#[async_trait]
impl Deposit for Inbox {
    async fn deposit(&self, received: Received) -> io::Result<()> {
        let message_id_header = message_id_header(&received.content).unwrap();
        let each = received.forward_paths.iter().map(|path| Taken {
            message_id_header: message_id_header.clone(),
            recipient: path.as_str().to_owned(),
        });
        self.taken.lock().unwrap().extend(each);
        // Taken, and not yet answered.
        let delay = self.pace.lock().unwrap().delay();
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

impl Mailroom {
    /// Begins on a free port of loopback.
    pub async fn start(pace: Pace) -> Self {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let inbox = Arc::new(Inbox {
            taken: Mutex::default(),
            pace: Mutex::new(pace),
        });
        let receiver = Receiver::start(local, Personality::plain("sink.test"), inbox.clone())
            .await
            .unwrap();
        let listener = TcpListener::bind(local).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Connections::default();
        let door = tokio::spawn(pass_on(listener, receiver.addr(), connections.clone()));
        Self {
            inbox,
            connections,
            addr,
            door,
            _receiver: receiver,
        }
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections that had not ended before this moment.
    pub fn open_since(&self, moment: Instant) -> usize {
        let connections = self.connections.lock().unwrap();
        connections
            .iter()
            .filter(|ended| ended.is_none_or(|ended| ended >= moment))
            .count()
    }

    /// All that it took, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.inbox.taken.lock().unwrap().clone()
    }

    /// What it takes, for somebody who looks on.
    pub const fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }
}

impl Drop for Mailroom {
    fn drop(&mut self) {
        self.door.abort();
    }
}

async fn pass_on(listener: TcpListener, to: SocketAddr, connections: Connections) {
    loop {
        let (mut outside, _) = listener.accept().await.unwrap();
        let number = {
            let mut all = connections.lock().unwrap();
            all.push(None);
            all.len() - 1
        };
        let connections = connections.clone();
        tokio::spawn(async move {
            let mut inside = TcpStream::connect(to).await.unwrap();
            // How it ends does not matter: a killed program resets its connections.
            drop(copy_bidirectional(&mut outside, &mut inside).await);
            connections.lock().unwrap()[number] = Some(Instant::now());
        });
    }
}

fn message_id_header(content: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content);
    let head = text.split("\r\n\r\n").next()?;
    let line = head.split("\r\n").find_map(|line| line.strip_prefix("Message-ID:"))?;
    Some(line.trim().to_owned())
}
