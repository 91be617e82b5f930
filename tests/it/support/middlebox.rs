//! A box on the way between us and a mail host, which meddles with TLS and notes what it sees go by unprotected.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the box does to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// Nothing.
    None,
    /// It takes `STARTTLS` out of the reply to `EHLO`.
    StripsStartTls,
    /// It answers `STARTTLS` itself, with this code.
    RefusesStartTls(u16),
    /// It says more behind the 220.
    InjectsBehind220,
    /// It answers the ClientHello with what is no TLS.
    BreaksHandshake,
    /// It lets no ClientHello through that is longer than 1,460 bytes.
    DropsLargeHello,
    /// It closes the connection when the handshake has come to its end.
    ClosesAfterHandshake,
}

/// What went by.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Connections.
    pub connections: usize,
    /// Lines of the client in clear text.
    pub lines: Vec<String>,
    /// Lengths of the first records that clients sent after `STARTTLS`, in bytes with their heads.
    pub hello_bytes: Vec<usize>,
}

impl Seen {
    /// How many transactions began in clear text.
    pub fn clear_mails(&self) -> usize {
        self.lines.iter().filter(|line| line.starts_with("MAIL FROM")).count()
    }
}

/// A running box; ends when it is dropped.
pub struct Middlebox {
    addr: SocketAddr,
    meddling: Arc<Mutex<Meddling>>,
    seen: Arc<Mutex<Seen>>,
    listening: JoinHandle<()>,
}

impl Middlebox {
    /// Listens, and leads each connection to the host.
    pub async fn start(listen: SocketAddr, host: SocketAddr, meddling: Meddling) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (meddling, seen) = (Arc::new(Mutex::new(meddling)), Arc::new(Mutex::new(Seen::default())));
        let (does, notes) = (meddling.clone(), seen.clone());
        let listening = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                notes.lock().unwrap().connections += 1;
                let (does, notes) = (*does.lock().unwrap(), notes.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(host).await?;
                    lead(client, server, does, &notes).await
                });
            }
        });
        Self {
            addr,
            meddling,
            seen,
            listening,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Does something else from the next connection on.
    pub fn change(&self, meddling: Meddling) {
        *self.meddling.lock().unwrap() = meddling;
    }

    /// What went by so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Middlebox {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn lead(client: TcpStream, server: TcpStream, does: Meddling, seen: &Mutex<Seen>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    client.write_all(reply(&mut server).await?.as_bytes()).await?;
    // EHLO and its reply.
    pass_line(&mut client, &mut server, seen).await?;
    let mut offer = reply(&mut server).await?;
    if does == Meddling::StripsStartTls {
        offer = offer.replace("STARTTLS", "XXXXXXXX");
    }
    client.write_all(offer.as_bytes()).await?;
    let mut line = line(&mut client, seen).await?;
    while line.starts_with("STARTTLS") {
        match does {
            Meddling::RefusesStartTls(code) => {
                let no = format!("{code} {}.7.0 TLS not available\r\n", code / 100);
                client.write_all(no.as_bytes()).await?;
                line = self::line(&mut client, seen).await?;
            }
            Meddling::InjectsBehind220 => {
                client.write_all(b"220 go\r\n250-injected\r\n250 SIZE\r\n").await?;
                return drain(client).await;
            }
            _ => {
                server.write_all(line.as_bytes()).await?;
                client.write_all(reply(&mut server).await?.as_bytes()).await?;
                return in_tls(client, server, does, seen).await;
            }
        }
    }
    in_clear(client, server, line, seen).await
}

/// The handshake and all that comes after it.
async fn in_tls(
    mut client: BufReader<TcpStream>,
    mut server: BufReader<TcpStream>,
    does: Meddling,
    seen: &Mutex<Seen>,
) -> std::io::Result<()> {
    let mut hello = vec![0; 5];
    client.read_exact(&mut hello).await?;
    let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
    hello.resize(5 + length, 0);
    client.read_exact(&mut hello[5..]).await?;
    seen.lock().unwrap().hello_bytes.push(hello.len());
    match does {
        Meddling::BreaksHandshake => {
            client.write_all(b"this is no TLS\r\n").await?;
            return drain(client).await;
        }
        Meddling::DropsLargeHello if hello.len() > 1_460 => return drain(client).await,
        _ => server.write_all(&hello).await?,
    }
    if does == Meddling::ClosesAfterHandshake {
        // The server's flight goes through; what the client then says is behind its end of the handshake.
        let (mut from, mut to) = (server.into_inner().into_split(), client.into_inner().into_split());
        let forth = async { tokio::io::copy(&mut from.0, &mut to.1).await };
        let mut first = [0; 1];
        tokio::select! {
            copied = forth => drop(copied?),
            read = to.0.read(&mut first) => drop(read?),
        }
        return Ok(());
    }
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// A dialogue without TLS, from this line of the client on.
async fn in_clear(
    client: BufReader<TcpStream>,
    server: BufReader<TcpStream>,
    first: String,
    seen: &Mutex<Seen>,
) -> std::io::Result<()> {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (from_client, mut to_client) = tokio::io::split(client);
    let mut from_client = BufReader::new(from_client);
    let forth = async {
        let mut line = first;
        while !line.is_empty() {
            to_server.write_all(line.as_bytes()).await?;
            line = self::line(&mut from_client, seen).await?;
        }
        to_server.shutdown().await
    };
    let back = async {
        tokio::io::copy(&mut from_server, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::try_join!(forth, back).map(|_| ())
}

async fn pass_line(
    client: &mut BufReader<TcpStream>,
    server: &mut BufReader<TcpStream>,
    seen: &Mutex<Seen>,
) -> std::io::Result<()> {
    let line = line(client, seen).await?;
    server.write_all(line.as_bytes()).await
}

/// The client's next line, noted; empty at its end.
async fn line(client: &mut (impl AsyncBufReadExt + Unpin), seen: &Mutex<Seen>) -> std::io::Result<String> {
    let mut line = String::new();
    client.read_line(&mut line).await?;
    if !line.is_empty() {
        seen.lock().unwrap().lines.push(line.trim_end().to_owned());
    }
    Ok(line)
}

/// A whole reply of the server.
async fn reply(server: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut reply = String::new();
    loop {
        let start = reply.len();
        if server.read_line(&mut reply).await? == 0 || reply.as_bytes().get(start + 3) != Some(&b'-') {
            return Ok(reply);
        }
    }
}

/// Reads on without an answer: closing with unread bytes would reset the connection, and with it what was said last.
async fn drain(mut client: BufReader<TcpStream>) -> std::io::Result<()> {
    let mut rest = [0; 1_024];
    while client.read(&mut rest).await? > 0 {}
    Ok(())
}
