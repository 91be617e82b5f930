//! Writes the content after `354` and draws the line between "cannot have it" and "may have it".

use super::connect::Connection;
use super::exchange::{Answer, answer};
use super::failure::{Broken, Cause, Refusal, Stage};
use super::secure::Ready;
use super::transact::{OpenTransaction, TransactionOutcome};
use super::transcript::Direction;
use crate::smtp::wire::{FINAL_DOT, Reply, StuffedContent};

/// Up to this size content and final dot go out in one write, which saves a packet. A larger content is written first,
/// so that a connection lost on the way leaves no doubt.
const ONE_WRITE_LENGTH_BYTES_MAX: usize = 16 * 1_024;

impl Connection<Ready> {
    /// Goes on from the reply to `DATA`.
    pub(super) async fn content_after(&mut self, reply: Reply, content: &StuffedContent<'_>) -> TransactionOutcome {
        match answer(Stage::Data, &reply) {
            Answer::Yes => self.send_content(content).await,
            Answer::No => refused(Stage::Data, reply),
            Answer::Meaningless => {
                self.channel.give_up();
                refused(Stage::Data, reply)
            }
        }
    }

    async fn send_content(&mut self, content: &StuffedContent<'_>) -> TransactionOutcome {
        self.channel.expect_reply();
        self.channel
            .recorder()
            .note(Direction::Sent, format!("<{} bytes>", content.content_length_bytes()));
        let mut slices: Vec<&[u8]> = content.segments().collect();
        let limit = self.channel.timeouts().data;
        if content.wire_length_bytes() > ONE_WRITE_LENGTH_BYTES_MAX {
            if let Err(broken) = self.channel.write(Stage::Content, &slices, limit).await {
                return self.lost_in_content(broken).await;
            }
            slices.clear();
        }
        // The last look before there is no way back: a server that has gone by now cannot have the message.
        if let Some(cause) = self.channel.early_input().await {
            return self
                .lost_in_content(Broken {
                    stage: Stage::Content,
                    cause,
                })
                .await;
        }
        slices.push(FINAL_DOT);
        self.channel.recorder().note(Direction::Sent, ".");
        // Doubt begins here. The write below holds the final dot, and how much of it has left before it fails nobody
        // can say for certain.
        if let Err(broken) = self.channel.write(Stage::FinalDot, &slices, limit).await {
            return self.lost_after_final_dot(broken);
        }
        match self
            .channel
            .reply(Stage::FinalDot, self.channel.timeouts().final_dot)
            .await
        {
            Ok(reply) => self.conclude(reply),
            Err(broken) => self.lost_after_final_dot(broken),
        }
    }

    fn conclude(&mut self, reply: Reply) -> TransactionOutcome {
        match answer(Stage::FinalDot, &reply) {
            Answer::Yes => {
                self.state.transaction = OpenTransaction::None;
                TransactionOutcome::Accepted(reply)
            }
            Answer::No => {
                self.state.transaction = OpenTransaction::None;
                TransactionOutcome::RefusedAfterData(Refusal {
                    stage: Stage::FinalDot,
                    reply,
                })
            }
            Answer::Meaningless => {
                let cause = Cause::Meaningless { code: reply.code() };
                self.lost_after_final_dot(Broken {
                    stage: Stage::FinalDot,
                    cause,
                })
            }
        }
    }

    // A server that does not want the content often says so and hangs up; its words are worth more than the reset.
    async fn lost_in_content(&mut self, broken: Broken) -> TransactionOutcome {
        let last_words = self.channel.last_words().await;
        self.channel.give_up();
        match last_words {
            Some(reply) if answer(Stage::Content, &reply) == Answer::No => refused(Stage::Content, reply),
            _ => TransactionOutcome::NotSent(broken),
        }
    }

    fn lost_after_final_dot(&mut self, broken: Broken) -> TransactionOutcome {
        self.channel.give_up();
        TransactionOutcome::InDoubt(broken)
    }

    /// RFC 2920 §3.1: a server may answer `354` to a pipelined `DATA` although it has refused every recipient. It then
    /// waits for a content, and gets none.
    pub(super) async fn end_empty_content(&mut self) {
        self.channel.expect_reply();
        self.channel.recorder().note(Direction::Sent, ".");
        let limit = self.channel.timeouts().command;
        let ended = match self.channel.write(Stage::FinalDot, &[FINAL_DOT], limit).await {
            Ok(()) => self.channel.reply(Stage::FinalDot, limit).await.map(|_| ()),
            Err(broken) => Err(broken),
        };
        if ended.is_err() {
            self.channel.give_up();
        }
    }
}

fn refused(stage: Stage, reply: Reply) -> TransactionOutcome {
    TransactionOutcome::RefusedAtData(Refusal { stage, reply })
}
