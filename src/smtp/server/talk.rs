//! Reads command lines and content from one stream and collects replies, so that pipelined commands get one write.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::smtp::wire::{ContentFault, Progress, Reply, Unstuffer};

/// RFC 5321 §4.5.3.1.4 allows 512 octets and lets extensions add to it; ours add less than this.
const LINE_LENGTH_BYTES_MAX: usize = 2_048;
/// RFC 5321 §4.5.3.2.7: a server waits at least five minutes for the next command.
const IDLE_MAX: Duration = Duration::from_secs(300);
const READ_LENGTH_BYTES: usize = 16 * 1_024;

/// What came from the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A command line without its CRLF.
    Complete(Vec<u8>),
    /// A line that is too long or does not end with CRLF; what follows cannot be trusted to be a command.
    Faulty,
    /// The client has closed the connection.
    Closed,
}

pub(super) struct Talk<S> {
    stream: S,
    unread: Vec<u8>,
    replies: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// Puts a reply in line; it is written before the next read.
    pub(super) fn say(&mut self, reply: &Reply) {
        reply.encode_into(&mut self.replies);
    }

    /// Writes the replies that are in line.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let replies = std::mem::take(&mut self.replies);
        within(async {
            self.stream.write_all(&replies).await?;
            self.stream.flush().await
        })
        .await
    }

    /// The next command line.
    pub(super) async fn line(&mut self) -> io::Result<Line> {
        loop {
            let window = self.unread.get(..LINE_LENGTH_BYTES_MAX).unwrap_or(&self.unread);
            match memchr::memchr(b'\n', window) {
                Some(end) => {
                    let line: Vec<u8> = self.unread.drain(..=end).collect();
                    // A bare LF must not end a command: the client that sent it may have meant it as text.
                    return Ok(line
                        .strip_suffix(b"\r\n")
                        .map_or(Line::Faulty, |line| Line::Complete(line.to_vec())));
                }
                None if window.len() == LINE_LENGTH_BYTES_MAX => return Ok(Line::Faulty),
                None if self.read_more().await? == 0 => return Ok(Line::Closed),
                None => {}
            }
        }
    }

    /// The content after `354`, to its end.
    pub(super) async fn content(&mut self, limit_bytes: usize) -> io::Result<Result<Vec<u8>, ContentFault>> {
        let mut unstuffer = Unstuffer::new(limit_bytes);
        loop {
            match unstuffer.push(&self.unread) {
                Progress::Complete { taken_bytes } => {
                    self.unread.drain(..taken_bytes);
                    return Ok(unstuffer.finish());
                }
                Progress::Incomplete => self.unread.clear(),
            }
            if self.read_more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Whether the client has sent more than it was asked for, as far as has been read.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Writes bytes as they are, for receivers that behave badly.
    pub(super) async fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush().await?;
        within(self.stream.write_all(bytes)).await
    }

    /// Reads without answering until the client has had enough. Closing with unread bytes would reset the connection,
    /// and with it what the client has not read yet.
    pub(super) async fn ignore_all(&mut self) -> io::Result<()> {
        while self.ignore_some().await? > 0 {}
        Ok(())
    }

    /// Reads once without answering; the count of bytes.
    pub(super) async fn ignore_some(&mut self) -> io::Result<usize> {
        self.unread.clear();
        self.read_more().await
    }

    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    pub(super) async fn shut_down(&mut self) -> io::Result<()> {
        self.flush().await?;
        within(self.stream.shutdown()).await
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        self.flush().await?;
        self.unread.reserve(READ_LENGTH_BYTES);
        within(self.stream.read_buf(&mut self.unread)).await
    }
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(IDLE_MAX, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
