//! Sends commands and reads replies over one stream, within time limits, and keeps count of the replies still owed.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::failure::{Broken, Cause, Stage};
use super::stream::Stream;
use super::timeouts::Timeouts;
use super::transcript::{Direction, Recorder};
use crate::smtp::wire::{Command, Reply, ReplyParser, Secret};

pub(super) struct Channel {
    stream: Stream,
    replies: ReplyParser,
    recorder: Recorder,
    timeouts: Timeouts,
    /// Replies that the server owes us. Raised before a write begins and lowered when a reply is complete, so that a
    /// dialogue that failed, or whose future was dropped halfway, leaves it above zero and the channel unusable.
    replies_owed: usize,
}

impl Channel {
    pub(super) fn new(stream: Stream, timeouts: Timeouts, recorder: Recorder) -> Self {
        Self {
            stream,
            replies: ReplyParser::new(),
            recorder,
            timeouts,
            replies_owed: 0,
        }
    }

    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Whether a command may be sent: nothing is owed, and nothing unasked has been read so far.
    pub(super) fn is_in_step(&self) -> bool {
        self.replies_owed == 0 && self.replies.pending_bytes() == 0
    }

    /// Makes every later use fail.
    pub(super) fn give_up(&mut self) {
        self.replies_owed = usize::MAX;
    }

    /// Announces that the server owes a reply to what is about to be written.
    pub(super) fn expect_reply(&mut self) {
        self.replies_owed = self.replies_owed.saturating_add(1);
    }

    /// Writes the commands in one piece.
    pub(super) async fn send(&mut self, stage: Stage, commands: &[&Command]) -> Result<(), Broken> {
        self.must_be_in_step(stage)?;
        let mut lines = Vec::with_capacity(128 * commands.len());
        for command in commands {
            command.encode_into(&mut lines);
            self.expect_reply();
            self.recorder.note(Direction::Sent, command.to_string());
        }
        self.write(stage, &[lines.as_slice()], self.timeouts.command).await
    }

    /// Writes one response of an authentication exchange.
    pub(super) async fn send_secret(&mut self, stage: Stage, secret: &Secret) -> Result<(), Broken> {
        self.must_be_in_step(stage)?;
        self.expect_reply();
        self.recorder.note(Direction::Sent, "<secret>");
        self.write(stage, &[secret.as_wire().as_bytes(), b"\r\n"], self.timeouts.command)
            .await
    }

    // A reply that comes before its command would be taken for the answer to the next one, and every answer after it
    // for the answer to another question. That is how a recipient's refusal is read as a content's acceptance.
    fn must_be_in_step(&self, stage: Stage) -> Result<(), Broken> {
        let byte_count = self.replies.pending_bytes();
        match (self.replies_owed, byte_count) {
            (0, 0) => Ok(()),
            (0, _) => Err(Broken {
                stage,
                cause: Cause::Unasked { byte_count },
            }),
            _ => Err(Broken {
                stage,
                cause: Cause::OutOfStep,
            }),
        }
    }

    /// Reads one complete reply; the limit is for the whole of it, so that a server cannot drip it byte by byte.
    pub(super) async fn reply(&mut self, stage: Stage, limit: Duration) -> Result<Reply, Broken> {
        let reply = within(limit, self.read_reply())
            .await
            .map_err(|cause| Broken { stage, cause })?;
        self.replies_owed = self.replies_owed.saturating_sub(1);
        record(&self.recorder, &reply);
        if reply.closes_connection() {
            self.give_up();
        }
        Ok(reply)
    }

    /// Sends one command and reads its reply.
    pub(super) async fn ask(&mut self, stage: Stage, command: &Command, limit: Duration) -> Result<Reply, Broken> {
        self.send(stage, &[command]).await?;
        self.reply(stage, limit).await
    }

    async fn read_reply(&mut self) -> Result<Reply, Cause> {
        loop {
            if let Some(reply) = self.replies.next_reply().map_err(Cause::Unreadable)? {
                return Ok(reply);
            }
            let buffer = self.replies.buffer();
            buffer.reserve(1_024);
            if self.stream.read_buf(buffer).await.map_err(Cause::Io)? == 0 {
                return Err(Cause::Closed);
            }
        }
    }

    /// Writes the slices in order; the limit is for each step forward.
    pub(super) async fn write(&mut self, stage: Stage, slices: &[&[u8]], limit: Duration) -> Result<(), Broken> {
        let mut slices: Vec<io::IoSlice<'_>> = slices.iter().map(|slice| io::IoSlice::new(slice)).collect();
        let mut rest = slices.as_mut_slice();
        io::IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let step = async { self.stream.write_vectored(rest).await.map_err(Cause::Io) };
            let written_bytes = within(limit, step).await.map_err(|cause| Broken { stage, cause })?;
            if written_bytes == 0 {
                return Err(Broken {
                    stage,
                    cause: Cause::Closed,
                });
            }
            io::IoSlice::advance_slices(&mut rest, written_bytes);
        }
        let flush = async { self.stream.flush().await.map_err(Cause::Io) };
        within(limit, flush).await.map_err(|cause| Broken { stage, cause })
    }

    /// Looks, without waiting, whether the server has closed or said something that it was not asked for.
    pub(super) async fn early_input(&mut self) -> Option<Cause> {
        match self.replies.pending_bytes() {
            0 => self.look().await,
            byte_count => Some(Cause::Unasked { byte_count }),
        }
    }

    async fn look(&mut self) -> Option<Cause> {
        let mut space = [0; 512];
        let mut buffer = ReadBuf::new(&mut space);
        let seen = poll_fn(|cx| match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Ready(None),
            Poll::Ready(result) => Poll::Ready(Some(result)),
        });
        match seen.await {
            None => None,
            Some(Err(source)) => Some(Cause::Io(source)),
            Some(Ok(())) if buffer.filled().is_empty() => Some(Cause::Closed),
            Some(Ok(())) => {
                self.replies.push(buffer.filled());
                Some(Cause::Unasked {
                    byte_count: self.replies.pending_bytes(),
                })
            }
        }
    }

    /// A refusal that the server sent before it was its turn, if one has already arrived.
    pub(super) async fn last_words(&mut self) -> Option<Reply> {
        self.look().await;
        let reply = self.replies.next_reply().ok().flatten()?;
        record(&self.recorder, &reply);
        Some(reply)
    }

    /// Count of bytes that came after the last reply.
    pub(super) fn pending_bytes(&self) -> usize {
        self.replies.pending_bytes()
    }

    /// Takes the channel apart, to put TLS around its stream.
    pub(super) fn into_parts(self) -> (Stream, Timeouts, Recorder) {
        (self.stream, self.timeouts, self.recorder)
    }

    /// Ends the stream in an orderly way.
    pub(super) async fn shut_down(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

fn record(recorder: &Recorder, reply: &Reply) {
    let mut lines = Vec::new();
    reply.encode_into(&mut lines);
    for line in String::from_utf8_lossy(&lines).lines() {
        recorder.note(Direction::Received, line);
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    timeout(limit, work).await.unwrap_or(Err(Cause::TimedOut { limit }))
}
