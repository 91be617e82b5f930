//! A server that ends its dialogues as no good one does: one ending for each connection, in their order.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It takes mail as long as the client likes, and names the recipient in its `250`. Who begins with `hard.` it refuses
    /// for good, `soft.` for now, each by name; after the final dot for `odd.` it says what is no reply, by name too.
    Accept,
    /// It resets the connection instead of answering `DATA`.
    ResetAtData,
    /// It resets the connection while the content comes.
    ResetInContent,
    /// It resets the connection when it has read the final dot.
    ResetAfterDot,
    /// It answers the final dot with what is no reply.
    GarbageAfterDot,
    /// It never says a word.
    Silent,
    /// It greets without an end, a byte a second.
    ByteASecond,
    /// It takes the content and never answers.
    SilentAfterDot,
    /// It never answers `DATA`.
    SilentAtData,
    /// It answers `DATA` with what is no reply.
    GarbageAtData,
    /// It answers the final dot with the first line of a reply, and closes.
    HalfReplyAfterDot,
    /// It answers the final dot with a line of 10 MB.
    HugeReplyAfterDot,
    /// It answers the final dot with line after line, and none is the last.
    EndlessReplyAfterDot,
    /// It answers the final dot with `451`.
    LaterAfterDot,
    /// It greets with what is no reply.
    GarbageGreeting,
    /// It answers `EHLO` with a line of 10 MB.
    HugeReply,
    /// It answers `EHLO` with line after line, and none is the last.
    EndlessReply,
    /// It says nothing in the TLS handshake.
    TlsSilent,
    /// It says in the TLS handshake what is no TLS.
    TlsGarbage,
    /// It closes in the TLS handshake.
    TlsEof,
    /// It says something in clear text behind its `220` to `STARTTLS`.
    TlsInjected,
    /// It refuses `STARTTLS`, as a server does whose key is not that of its certificate.
    TlsRefused,
}

/// A running server; ends when it is dropped.
pub struct RawServer {
    addr: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
    hangs: watch::Sender<bool>,
}

impl RawServer {
    /// Serves every connection with this ending, one that hangs, until [`Self::break_off`].
    pub async fn hanging(ending: Ending) -> Self {
        Self::start(&[ending; 1_000]).await
    }

    /// Resets every connection that hangs, and takes mail from now on.
    pub fn break_off(&self) {
        self.hangs.send_replace(false);
    }

    /// Serves connections with these endings, and accepts on all further ones.
    pub async fn start(endings: &[Ending]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let mut endings: VecDeque<Ending> = endings.iter().copied().collect();
        let into = taken.clone();
        let hangs = watch::Sender::new(true);
        let end_of_hanging = hangs.subscribe();
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut ending = endings.pop_front().unwrap_or(Ending::Accept);
                let (into, mut end) = (into.clone(), end_of_hanging.clone());
                if !*end.borrow() && ending.hangs() {
                    ending = Ending::Accept;
                }
                tokio::spawn(async move {
                    // A client that ends the dialogue is no failure of the server.
                    drop(dialogue(stream, ending, &into, &mut end).await);
                });
            }
        });
        Self {
            addr,
            taken,
            listening,
            hangs,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// What was read up to a final dot, whatever it was answered, dot-stuffed.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Ending {
    const fn hangs(self) -> bool {
        matches!(
            self,
            Self::Silent
                | Self::ByteASecond
                | Self::SilentAfterDot
                | Self::SilentAtData
                | Self::TlsSilent
                | Self::TlsInjected
        )
    }

    const fn offers_tls(self) -> bool {
        matches!(
            self,
            Self::TlsSilent | Self::TlsGarbage | Self::TlsEof | Self::TlsInjected | Self::TlsRefused
        )
    }
}

async fn dialogue(
    stream: TcpStream,
    ending: Ending,
    taken: &Mutex<Vec<String>>,
    end: &mut watch::Receiver<bool>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut talk = BufReader::new(stream);
    if matches!(ending, Ending::Silent | Ending::ByteASecond) {
        return never_greet(talk, ending, end).await;
    }
    if ending == Ending::GarbageGreeting {
        return talk.write_all(b"welcome, stranger\r\n").await;
    }
    talk.write_all(b"220 raw.test\r\n").await?;
    let mut recipient = String::new();
    loop {
        let mut line = String::new();
        if talk.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" if ending == Ending::HugeReply => return huge_reply(&mut talk).await,
            "EHLO" if ending == Ending::EndlessReply => return endless_reply(&mut talk).await,
            "EHLO" if ending.offers_tls() => "250-raw.test\r\n250 STARTTLS\r\n".to_owned(),
            "EHLO" => "250 raw.test\r\n".to_owned(),
            "STAR" if ending == Ending::TlsRefused => "454 4.7.0 not available\r\n".to_owned(),
            "STAR" => return no_tls(&mut talk, ending, end).await,
            "RCPT" => {
                recipient = line[line.find('<').unwrap()..].trim_end().to_owned();
                recipient_reply(&recipient)
            }
            "DATA" if ending == Ending::ResetAtData => return reset(talk),
            "DATA" if ending == Ending::SilentAtData => {
                drop(end.wait_for(|hangs| !hangs).await);
                return reset(talk);
            }
            "DATA" if ending == Ending::GarbageAtData => "this is no reply\r\n".to_owned(),
            "DATA" => {
                talk.write_all(b"354 go on\r\n").await?;
                if ending == Ending::ResetInContent {
                    talk.read_exact(&mut [0; 1_000]).await?;
                    return reset(talk);
                }
                let content = content(&mut talk).await?;
                taken.lock().unwrap().push(content);
                match ending {
                    Ending::ResetAfterDot => return reset(talk),
                    Ending::SilentAfterDot => {
                        drop(end.wait_for(|hangs| !hangs).await);
                        return reset(talk);
                    }
                    Ending::HalfReplyAfterDot => return talk.write_all(b"250-2.0.0 half\r\n").await,
                    Ending::HugeReplyAfterDot => return huge_reply(&mut talk).await,
                    Ending::EndlessReplyAfterDot => return endless_reply(&mut talk).await,
                    Ending::LaterAfterDot => "451 4.3.0 later\r\n".to_owned(),
                    Ending::GarbageAfterDot => "this is no reply\r\n".to_owned(),
                    Ending::Accept if recipient.starts_with("<odd.") => format!("no reply for {recipient}\r\n"),
                    _ => format!("250 2.0.0 ok for {recipient}\r\n"),
                }
            }
            "QUIT" => return talk.write_all(b"221 2.0.0 bye\r\n").await,
            _ => "250 2.0.0 yes\r\n".to_owned(),
        };
        talk.write_all(reply.as_bytes()).await?;
    }
}

/// Says nothing, or a byte a second of a greeting, until it breaks off.
async fn never_greet(
    mut talk: BufReader<TcpStream>,
    ending: Ending,
    end: &mut watch::Receiver<bool>,
) -> std::io::Result<()> {
    if ending == Ending::ByteASecond {
        talk.write_all(b"220-").await?;
    }
    let mut every = tokio::time::interval(Duration::from_secs(1));
    while *end.borrow() {
        tokio::select! {
            _ = every.tick() => if ending == Ending::ByteASecond { talk.write_all(b"x").await? },
            changed = end.changed() => if changed.is_err() { return Ok(()) },
        }
    }
    reset(talk)
}

fn recipient_reply(recipient: &str) -> String {
    match recipient.split('.').next() {
        Some("<hard") => format!("550 5.1.1 {recipient}: no such user\r\n"),
        Some("<soft") => format!("450 4.2.1 {recipient}: come back later\r\n"),
        _ => "250 2.1.5 yes\r\n".to_owned(),
    }
}

/// Everything up to and without the final dot.
async fn content(talk: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut content = Vec::new();
    while !content.ends_with(b"\r\n.\r\n") {
        if talk.read_until(b'\n', &mut content).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    content.truncate(content.len() - 3);
    Ok(String::from_utf8(content).unwrap())
}

fn reset(talk: BufReader<TcpStream>) -> std::io::Result<()> {
    talk.into_inner().set_zero_linger()
}

/// A line of 10 MB.
async fn huge_reply(talk: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let some = [b'x'; 65_536];
    talk.write_all(b"250 ").await?;
    for _ in 0..160 {
        talk.write_all(&some).await?;
    }
    talk.write_all(b"\r\n").await
}

/// Lines until the other side has enough.
async fn endless_reply(talk: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    loop {
        talk.write_all(b"250-and there is more\r\n").await?;
    }
}

/// What comes behind `220`, and is no handshake.
async fn no_tls(
    talk: &mut BufReader<TcpStream>,
    ending: Ending,
    end: &mut watch::Receiver<bool>,
) -> std::io::Result<()> {
    let injected: &[u8] = if ending == Ending::TlsInjected {
        b"220 go\r\n250 injected\r\n"
    } else {
        b"220 go\r\n"
    };
    talk.write_all(injected).await?;
    if matches!(ending, Ending::TlsGarbage | Ending::TlsEof) {
        talk.fill_buf().await?;
    }
    match ending {
        Ending::TlsGarbage => talk.write_all(b"this is no TLS\r\n").await,
        Ending::TlsEof => Ok(()),
        _ => {
            drop(end.wait_for(|hangs| !hangs).await);
            Ok(())
        }
    }
}
