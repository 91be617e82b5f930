//! Runs several commands in a row, in one write where the server takes that (RFC 2920).

use std::time::Duration;

use super::channel::Channel;
use super::failure::{Broken, Cause, Refusal, Stage};
use crate::smtp::wire::{Command, Reply, ReplyClass};

/// How commands are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// All in one write, then all replies.
    Pipelined,
    /// Each after the reply to the one before; none after a refusal.
    OneByOne,
}

/// The replies that came, in the order of the commands, and what ended their row early.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    replies: Vec<(Stage, Reply)>,
    broken: Option<Broken>,
}

impl Exchange {
    pub(super) async fn run(channel: &mut Channel, steps: &[(Stage, Command)], pace: Pace) -> Self {
        let mut exchange = Self::default();
        let result = match pace {
            Pace::Pipelined => exchange.pipelined(channel, steps).await,
            Pace::OneByOne => exchange.one_by_one(channel, steps).await,
        };
        exchange.broken = result.err();
        if exchange
            .replies
            .iter()
            .any(|(stage, reply)| answer(*stage, reply) == Answer::Meaningless)
        {
            channel.give_up();
        }
        exchange
    }

    async fn pipelined(&mut self, channel: &mut Channel, steps: &[(Stage, Command)]) -> Result<(), Broken> {
        let commands: Vec<&Command> = steps.iter().map(|(_, command)| command).collect();
        let first = steps.first().map_or(Stage::Mail, |(stage, _)| *stage);
        channel.send(first, &commands).await?;
        for (stage, _) in steps {
            let limit = limit(channel, *stage);
            let reply = channel.reply(*stage, limit).await?;
            let closes = reply.closes_connection();
            self.replies.push((*stage, reply));
            if closes {
                break;
            }
        }
        Ok(())
    }

    async fn one_by_one(&mut self, channel: &mut Channel, steps: &[(Stage, Command)]) -> Result<(), Broken> {
        for (stage, command) in steps {
            let limit = limit(channel, *stage);
            let reply = channel.ask(*stage, command, limit).await?;
            let accepted = answer(*stage, &reply) == Answer::Yes;
            self.replies.push((*stage, reply));
            if !accepted {
                break;
            }
        }
        Ok(())
    }

    /// The reply to one of the commands, if it came.
    pub(super) fn reply_to(&self, stage: Stage) -> Option<&Reply> {
        self.replies
            .iter()
            .find(|(answered, _)| *answered == stage)
            .map(|(_, reply)| reply)
    }

    pub(super) fn accepted(&self, stage: Stage) -> bool {
        self.reply_to(stage)
            .is_some_and(|reply| answer(stage, reply) == Answer::Yes)
    }

    /// The first step that was not accepted. What comes after it, even the end of the connection, follows from it.
    pub(super) fn first_refusal(&self) -> Option<Refusal> {
        let refused = self
            .replies
            .iter()
            .find(|(stage, reply)| answer(*stage, reply) != Answer::Yes);
        refused.map(|(stage, reply)| Refusal {
            stage: *stage,
            reply: reply.clone(),
        })
    }

    /// What ended the row, where no refusal did.
    pub(super) fn into_broken(self, stage: Stage) -> Broken {
        self.broken.unwrap_or(Broken {
            stage,
            cause: Cause::OutOfStep,
        })
    }
}

/// What a reply means at its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// A code that says neither: the server may now wait for something else than we think.
    Meaningless,
}

pub(super) fn answer(stage: Stage, reply: &Reply) -> Answer {
    match (reply.class(), stage) {
        (ReplyClass::Transient | ReplyClass::Permanent, _) => Answer::No,
        (ReplyClass::Intermediate, Stage::Data) if reply.code() == 354 => Answer::Yes,
        (ReplyClass::Positive, Stage::Data) | (ReplyClass::Intermediate, _) => Answer::Meaningless,
        (ReplyClass::Positive, _) => Answer::Yes,
    }
}

fn limit(channel: &Channel, stage: Stage) -> Duration {
    if stage == Stage::Data {
        channel.timeouts().data
    } else {
        channel.timeouts().command
    }
}
