//! Logs in at a smarthost (RFC 4954), inside TLS only.

use std::fmt;

use zeroize::Zeroizing;

use super::connect::Connection;
use super::failure::{Broken, Refusal, Stage};
use super::secure::Ready;
use crate::smtp::wire::{Command, Reply, ReplyClass, Secret};

/// What a smarthost knows us by. Redacted in `Debug`; the password is erased from memory when dropped.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

/// Why we are not logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginFailure {
    /// There is no TLS, and a password does not go out in clear text.
    #[error("the connection is not encrypted")]
    InClear,
    /// The server offers neither `PLAIN` nor `LOGIN`.
    #[error("the server offers no mechanism that we know")]
    NoMechanism,
    /// The server said no.
    #[error("the login was refused")]
    Refused(#[source] Refusal),
    /// The connection broke.
    #[error("the connection broke during the login")]
    Broken(#[from] Broken),
}

impl Credentials {
    /// Takes user name and password as the smarthost's operator gave them out.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        }
    }

    // RFC 4616 §2: authorisation identity (none), NUL, user, NUL, password.
    fn plain_response(&self) -> Secret {
        let message = Zeroizing::new(format!("\0{}\0{}", self.user, self.password.as_str()));
        Secret::encode(message.as_bytes())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

impl Connection<Ready> {
    /// Logs in by `PLAIN`, or by `LOGIN` where the server offers only that.
    ///
    /// # Errors
    /// [`LoginFailure`]; no mail was mentioned.
    pub async fn log_in(&mut self, credentials: &Credentials) -> Result<(), LoginFailure> {
        if self.state.session.is_none() {
            return Err(LoginFailure::InClear);
        }
        let offers = |mechanism: &str| {
            self.state
                .capabilities
                .auth_mechanisms()
                .iter()
                .any(|offered| offered == mechanism)
        };
        let reply = if offers("PLAIN") {
            self.log_in_by_plain(credentials).await?
        } else if offers("LOGIN") {
            self.log_in_by_login(credentials).await?
        } else {
            return Err(LoginFailure::NoMechanism);
        };
        match reply.class() {
            ReplyClass::Positive => Ok(()),
            ReplyClass::Transient | ReplyClass::Permanent => Err(refused(reply)),
            ReplyClass::Intermediate => {
                // The server waits for a response that the mechanism does not have.
                self.channel.give_up();
                Err(refused(reply))
            }
        }
    }

    async fn log_in_by_plain(&mut self, credentials: &Credentials) -> Result<Reply, Broken> {
        let command = Command::Auth("PLAIN".to_owned(), Some(credentials.plain_response()));
        let limit = self.channel.timeouts().command;
        self.channel.ask(Stage::Login, &command, limit).await
    }

    // The server asks twice with 334, for the user and for the password; the texts of its questions vary.
    async fn log_in_by_login(&mut self, credentials: &Credentials) -> Result<Reply, Broken> {
        let limit = self.channel.timeouts().command;
        let mut reply = self
            .channel
            .ask(Stage::Login, &Command::Auth("LOGIN".to_owned(), None), limit)
            .await?;
        for answer in [credentials.user.as_bytes(), credentials.password.as_bytes()] {
            if reply.class() != ReplyClass::Intermediate {
                break;
            }
            self.channel.send_secret(Stage::Login, &Secret::encode(answer)).await?;
            reply = self.channel.reply(Stage::Login, limit).await?;
        }
        Ok(reply)
    }
}

fn refused(reply: Reply) -> LoginFailure {
    LoginFailure::Refused(Refusal {
        stage: Stage::Login,
        reply,
    })
}
