//! Reads command lines and content from one stream and collects replies, so that pipelined commands get one write.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::smtp::wire::{Progress, Reply, Unstuffer};

/// RFC 5321 §4.5.3.1.4 allows 512 octets and lets extensions add to it; ours add less than this.
const LINE_LENGTH_BYTES_MAX: usize = 2_048;
/// RFC 4954 §4: a response of a login has at most 12,288 octets besides its CRLF.
const RESPONSE_LENGTH_BYTES_MAX: usize = 12_290;
/// RFC 5321 §4.5.3.2.7: a server waits at least five minutes for the next command.
const IDLE_MAX: Duration = Duration::from_secs(300);
const READ_LENGTH_BYTES: usize = 16 * 1_024;
/// Replies beyond this are written before the next command is looked at: whoever sends commands without reading their
/// replies is not read any further.
const REPLIES_LENGTH_BYTES_MAX: usize = 4 * 1_024;

/// What came from the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A command line without its CRLF.
    Complete(Vec<u8>),
    /// A line that is too long, does not end with CRLF, or holds a CR or a NUL; what follows cannot be trusted to be a
    /// command.
    Faulty,
    /// The client has closed the connection.
    Closed,
}

pub(super) struct Talk<S> {
    stream: S,
    unread: Vec<u8>,
    replies: Vec<u8>,
    idle_max: Duration,
    read_bytes: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            replies: Vec::new(),
            idle_max: IDLE_MAX,
            read_bytes: 0,
        }
    }

    /// Gives up a read or a write that takes longer, from now on.
    pub(super) fn wait_at_most(&mut self, idle_max: Duration) {
        self.idle_max = idle_max;
    }

    /// Puts a reply in line; it is written before the next read.
    pub(super) fn say(&mut self, reply: &Reply) {
        reply.encode_into(&mut self.replies);
    }

    /// Writes the replies that are in line.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.replies.is_empty() {
            return Ok(());
        }
        let replies = std::mem::take(&mut self.replies);
        let writing = async {
            self.stream.write_all(&replies).await?;
            self.stream.flush().await
        };
        within(self.idle_max, writing).await
    }

    /// The next command line.
    pub(super) async fn line(&mut self) -> io::Result<Line> {
        self.line_of(LINE_LENGTH_BYTES_MAX).await
    }

    /// The next response of a login, which may be longer than a command.
    pub(super) async fn response(&mut self) -> io::Result<Line> {
        self.line_of(RESPONSE_LENGTH_BYTES_MAX).await
    }

    async fn line_of(&mut self, length_bytes_max: usize) -> io::Result<Line> {
        if self.replies.len() > REPLIES_LENGTH_BYTES_MAX {
            self.flush().await?;
        }
        loop {
            let window = self.unread.get(..length_bytes_max).unwrap_or(&self.unread);
            match memchr::memchr(b'\n', window) {
                Some(end) => {
                    let line: Vec<u8> = self.unread.drain(..=end).collect();
                    self.forget_what_is_read();
                    // A bare CR or LF must not end a command: the client that sent it may have meant it as text.
                    let line = line.strip_suffix(b"\r\n").filter(|line| !has_control(line));
                    return Ok(line.map_or(Line::Faulty, |line| Line::Complete(line.to_vec())));
                }
                None if window.len() == length_bytes_max => return Ok(Line::Faulty),
                None if self.read_more().await? == 0 => return Ok(Line::Closed),
                None => {}
            }
        }
    }

    /// Hands over what has come of the content after `354`, and reads more unless that was its end.
    pub(super) async fn content_step(&mut self, unstuffer: &mut Unstuffer) -> io::Result<Progress> {
        match unstuffer.push(&self.unread) {
            Progress::Complete { taken_bytes } => {
                self.unread.drain(..taken_bytes);
                self.forget_what_is_read();
                return Ok(Progress::Complete { taken_bytes });
            }
            Progress::Incomplete => self.unread.clear(),
        }
        if self.read_more().await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Progress::Incomplete)
    }

    /// Whether the client has sent more than it was asked for, as far as has been read.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Count of all bytes that were read so far.
    pub(super) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Writes bytes as they are, for receivers that behave badly.
    pub(super) async fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush().await?;
        within(self.idle_max, self.stream.write_all(bytes)).await
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
        within(self.idle_max, self.stream.shutdown()).await
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        self.flush().await?;
        let (stream, unread) = (&mut self.stream, &mut self.unread);
        // The space to read into stands on the stack of one poll: whoever waits for a silent client holds none.
        let reading = poll_fn(|context| {
            let mut space = [MaybeUninit::<u8>::uninit(); READ_LENGTH_BYTES];
            let mut space = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut space))?;
            unread.extend_from_slice(space.filled());
            Poll::Ready(Ok(space.filled().len()))
        });
        let count = within(self.idle_max, reading).await?;
        self.read_bytes = self.read_bytes.saturating_add(count as u64);
        Ok(count)
    }

    /// Gives the memory back that the lines so far took.
    fn forget_what_is_read(&mut self) {
        if self.unread.is_empty() {
            self.unread = Vec::new();
        }
    }
}

fn has_control(line: &[u8]) -> bool {
    memchr::memchr2(b'\r', b'\0', line).is_some()
}

async fn within<T>(idle_max: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(idle_max, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_bare_cr_or_a_nul_makes_a_line_faulty() {
        for line in [&b"NOOP\rNOOP\r\n"[..], b"NOOP \0\r\n", b"NOOP\n", b"\r\r\n"] {
            let (mut client, server) = duplex(100);
            client.write_all(line).await.unwrap();
            assert_eq!(Talk::new(server).line().await.unwrap(), Line::Faulty, "{line:?}");
        }
    }

    #[tokio::test]
    async fn a_waiting_talk_holds_no_memory_for_lines() {
        let (mut client, server) = duplex(30_000);
        client.write_all(&b"NOOP\r\n".repeat(1_000)).await.unwrap();
        let mut talk = Talk::new(server);
        for _ in 0..1_000 {
            assert_eq!(talk.line().await.unwrap(), Line::Complete(b"NOOP".to_vec()));
        }
        assert_eq!((talk.unread.capacity(), talk.replies.capacity()), (0, 0));
    }

    #[tokio::test]
    async fn who_does_not_read_replies_is_not_read() {
        let (mut client, server) = duplex(1_000);
        let serving = tokio::spawn(async move {
            let mut talk = Talk::new(server);
            let mut longest = 0;
            while let Line::Complete(_) = talk.line().await? {
                talk.say(&Reply::new(
                    250,
                    vec!["2.0.0 Here I am, and I am as long as a reply may be".to_owned()],
                ));
                longest = longest.max(talk.replies.len());
            }
            Ok::<_, io::Error>(longest)
        });
        let said = b"NOOP\r\n".repeat(10_000);
        let mut written = 0;
        // Neither side goes on: the server waits for its replies to be read, and takes no further command.
        while let Ok(count) = timeout(Duration::from_millis(200), client.write(said.get(written..).unwrap())).await {
            written += count.unwrap();
        }
        assert!(written < 50_000, "{written} bytes were read ahead of their replies");
        let (mut reading, mut writing) = tokio::io::split(client);
        let rest = said.get(written..).unwrap().to_vec();
        let writing = tokio::spawn(async move {
            writing.write_all(&rest).await.unwrap();
            writing.shutdown().await.unwrap();
        });
        let mut heard = Vec::new();
        reading.read_to_end(&mut heard).await.unwrap();
        writing.await.unwrap();
        assert_eq!(memchr::memchr_iter(b'\n', &heard).count(), 10_000);
        assert!(serving.await.unwrap().unwrap() <= REPLIES_LENGTH_BYTES_MAX + 100);
    }
}
