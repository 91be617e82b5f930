//! Reads the server's greeting and introduces us, in clear text and again inside TLS.

use super::channel::Channel;
use super::connect::{Connection, Opened};
use super::failure::{Broken, Refusal, Stage};
use super::secure::Ready;
use crate::smtp::wire::{Capabilities, Command, HelloName, Reply, ReplyClass};

/// The state of a connection that has been greeted and still has to choose between TLS and clear text.
#[derive(Debug)]
pub struct Greeted {
    pub(super) name: HelloName,
    pub(super) greeting: Reply,
    pub(super) capabilities: Capabilities,
}

/// Why a server was not ready to talk.
#[derive(Debug, thiserror::Error)]
pub enum GreetFailure {
    /// It said no, in its greeting or to `EHLO` and `HELO`.
    #[error("the server does not want to talk")]
    Refused(#[source] Refusal),
    /// The connection broke.
    #[error("the connection broke before the server was ready")]
    Broken(#[from] Broken),
}

impl Connection<Opened> {
    /// Waits for `220`, sends `EHLO`, and `HELO` where `EHLO` is not known.
    ///
    /// # Errors
    /// [`GreetFailure`]; nothing has been asked of the server, so any address may be tried next.
    pub async fn greet(mut self, name: &HelloName) -> Result<Connection<Greeted>, GreetFailure> {
        self.channel.expect_reply();
        let greeting = self
            .channel
            .reply(Stage::Greeting, self.channel.timeouts().greeting)
            .await?;
        if greeting.code() != 220 {
            // RFC 5321 §3.1: after a 554 greeting, wait for the client's QUIT.
            self.finish().await;
            return Err(GreetFailure::Refused(Refusal {
                stage: Stage::Greeting,
                reply: greeting,
            }));
        }
        let said = say_hello(&mut self.channel, name, Stage::Hello).await;
        match said {
            Ok(capabilities) => {
                let state = Greeted {
                    name: name.clone(),
                    greeting,
                    capabilities,
                };
                Ok(Connection {
                    channel: self.channel,
                    state,
                })
            }
            Err(GreetFailure::Refused(refusal)) => {
                self.finish().await;
                Err(GreetFailure::Refused(refusal))
            }
            Err(broken) => Err(broken),
        }
    }
}

impl Connection<Greeted> {
    /// The reply with which the server opened the dialogue.
    pub fn greeting(&self) -> &Reply {
        &self.state.greeting
    }

    /// What the server offers in clear text; anybody on the way may have changed it.
    pub fn capabilities(&self) -> &Capabilities {
        &self.state.capabilities
    }

    /// Goes on without TLS: the caller has decided that this mail may be read on its way.
    pub fn stay_in_clear(self) -> Connection<Ready> {
        Connection {
            channel: self.channel,
            state: Ready::new(self.state.capabilities, None),
        }
    }
}

pub(super) async fn say_hello(
    channel: &mut Channel,
    name: &HelloName,
    stage: Stage,
) -> Result<Capabilities, GreetFailure> {
    let limit = channel.timeouts().command;
    let reply = channel.ask(stage, &Command::Ehlo(name.clone()), limit).await?;
    match reply.class() {
        ReplyClass::Positive => return Ok(Capabilities::from_ehlo_reply(&reply)),
        // RFC 5321 §3.2: a server that does not know EHLO answers with 5yz; one that is busy would with 4yz.
        ReplyClass::Permanent => {}
        ReplyClass::Transient | ReplyClass::Intermediate => return Err(refused(stage, reply)),
    }
    let reply = channel.ask(stage, &Command::Helo(name.clone()), limit).await?;
    if reply.class() == ReplyClass::Positive {
        Ok(Capabilities::none())
    } else {
        Err(refused(stage, reply))
    }
}

fn refused(stage: Stage, reply: Reply) -> GreetFailure {
    GreetFailure::Refused(Refusal { stage, reply })
}
