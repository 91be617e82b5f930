//! Takes a letter in, from `DATA` to the answer that is on disk.

use std::io;

use sealpost_domain::limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::refusal::InboundRefusal;
use super::session::{Session, Step};
use crate::actors::{ReportLetter, Taken};
use crate::smtp::server::answers::reply;
use crate::smtp::server::talk::Talk;
use crate::smtp::wire::{ContentFault, Progress, Unstuffer};

/// What of a letter is kept: the report stands at its beginning, and the original behind it.
const KEPT_BYTES_MAX: usize = limits::INBOUND_KEPT_BYTES_MAX as usize;

/// What came after `354`.
enum Read {
    Content(Vec<u8>),
    Not(Step),
}

impl Session<'_> {
    /// `DATA` and what follows it.
    pub(super) async fn data<S>(&mut self, talk: &mut Talk<S>) -> io::Result<Step>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        // RFC 5321 §3.3: without an accepted recipient DATA is refused, also where it was pipelined.
        let Some(to) = self.envelope.take_if(|to| !to.is_empty()) else {
            return Ok(Step::refuse(InboundRefusal::OutOfOrder));
        };
        talk.say(&reply(354, "Go ahead, end with a dot on a line of its own"));
        let deadline = Instant::now() + self.house.settings.dialogue;
        let content = match read(talk, deadline).await? {
            Read::Content(content) => content,
            Read::Not(step) => return Ok(step),
        };
        let letter = ReportLetter {
            to,
            content,
            ip: self.peer,
        };
        // Boxed: a session that waits for its next command is small.
        let taken = Box::pin(self.house.reports.take(letter)).await;
        let result = match taken {
            Ok(Taken::OnRecord) => "on_record",
            Ok(Taken::Known) => "known",
            Ok(Taken::NoReport) => "no_report",
            Err(_) => "not_now",
        };
        metrics::counter!("sealpost_reports_total", "result" => result).increment(1);
        Ok(match taken {
            Ok(Taken::OnRecord | Taken::Known) => Step::Say(reply(250, "2.0.0 Taken")),
            // A person's or a program's answer: a refusal would only be mailed to whoever wrote it.
            Ok(Taken::NoReport) => Step::Say(reply(250, "2.0.0 Taken, and not read by anybody")),
            Err(_) => Step::refuse(InboundRefusal::Unavailable),
        })
    }
}

/// Reads a content to its end, whatever is wrong with it: a client that still writes would not see the answer.
async fn read<S>(talk: &mut Talk<S>, deadline: Instant) -> io::Result<Read>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let before = talk.read_bytes();
    let mut unstuffer = Unstuffer::keeping_beginning(KEPT_BYTES_MAX);
    loop {
        if talk.read_bytes().saturating_sub(before) > limits::INBOUND_CONTENT_BYTES_MAX {
            return Ok(Read::Not(Step::end(InboundRefusal::TooLarge)));
        }
        match timeout_at(deadline, talk.content_step(&mut unstuffer)).await {
            Ok(Ok(Progress::Complete { .. })) => break,
            Ok(Ok(Progress::Incomplete)) => {}
            Ok(Err(error)) if error.kind() != io::ErrorKind::TimedOut => return Err(error),
            Ok(Err(_)) | Err(_) => return Ok(Read::Not(Step::end(InboundRefusal::TimedOut))),
        }
    }
    Ok(match unstuffer.finish() {
        Ok(content) => Read::Content(content),
        Err(ContentFault::BareLineEnd) => Read::Not(Step::refuse(InboundRefusal::BareLineEnd)),
        Err(ContentFault::TooLarge { .. } | ContentFault::NoRoom) => Read::Not(Step::refuse(InboundRefusal::TooLarge)),
    })
}
