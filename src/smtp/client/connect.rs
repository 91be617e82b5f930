//! Opens the TCP connection of a dialogue.

use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::channel::Channel;
use super::failure::{Broken, Cause, Stage};
use super::stream::Stream;
use super::timeouts::Timeouts;
use super::transcript::{Direction, Recorder};

/// One connection to one server; `S` is how far its dialogue has come and holds what was learned on the way.
pub struct Connection<S> {
    pub(super) channel: Channel,
    pub(super) state: S,
}

/// The state of a connection whose greeting has not been read.
#[derive(Debug)]
pub struct Opened;

/// Where to connect, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Address and port of the server.
    pub peer: SocketAddr,
    /// The local address to use; `None` leaves the choice to the system. Of the same family as the peer.
    pub source: Option<IpAddr>,
}

impl From<SocketAddr> for Route {
    fn from(peer: SocketAddr) -> Self {
        Self { peer, source: None }
    }
}

impl Connection<Opened> {
    /// Connects. The recorder gets every line of the dialogue; keep a clone of it to read them.
    ///
    /// # Errors
    /// [`Broken`] at [`Stage::Connect`]: refused, unreachable, or not within `timeouts.connect`.
    pub async fn open(route: impl Into<Route>, timeouts: &Timeouts, recorder: Recorder) -> Result<Self, Broken> {
        let route = route.into();
        let broken = |cause| Broken {
            stage: Stage::Connect,
            cause,
        };
        let limit = timeouts.connect;
        let connected = timeout(limit, connect(route))
            .await
            .map_err(|_| broken(Cause::TimedOut { limit }))?;
        let stream = connected.map_err(|source| broken(Cause::Io(source)))?;
        recorder.note(Direction::Event, format!("connected to {}", route.peer));
        Ok(Self {
            channel: Channel::new(Stream::Clear(stream), *timeouts, recorder),
            state: Opened,
        })
    }
}

impl<S> Connection<S> {
    /// The recorder that was given to [`Connection::open`].
    pub fn recorder(&self) -> &Recorder {
        self.channel.recorder()
    }
}

async fn connect(route: Route) -> std::io::Result<TcpStream> {
    let socket = if route.peer.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = route.source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    // A dialogue is many small writes that each wait for an answer; Nagle's algorithm would hold them back.
    socket.set_nodelay(true)?;
    socket.connect(route.peer).await
}

impl<S: std::fmt::Debug> std::fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
