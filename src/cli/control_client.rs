//! Speaks to the control socket of the server that runs on a folder; where none runs, opens the folder for the command
//! alone and speaks to that. No mail goes out of a folder that is open for a command.

use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde_json::Value;
use thiserror::Error;

use super::arguments::Place;
use crate::actors::Outgoing;
use crate::config::HttpConfig;
use crate::serve::{Ports, Server};

/// The server says no.
#[derive(Debug, Error)]
#[error("{text}")]
pub(super) struct Refused {
    /// The error's code, as `docs/errors.md` lists it.
    pub code: String,
    text: String,
}

impl Refused {
    /// Whether it is this error.
    pub(super) fn is(failure: &anyhow::Error, code: &str) -> bool {
        failure
            .downcast_ref::<Self>()
            .is_some_and(|refused| refused.code == code)
    }
}

/// A way to a control socket.
pub(super) struct Control {
    client: Client,
    own: Option<Server>,
    json: bool,
}

impl Control {
    /// Finds the socket of the place.
    pub(super) async fn reach(place: &Place) -> anyhow::Result<Self> {
        let socket = place.socket()?;
        let own = if UnixStream::connect(&socket).is_ok() {
            None
        } else {
            let mut config = place.config()?;
            if !config.master_key_path().exists() {
                bail!(
                    "{} holds no data yet: run `sealpost serve --init` or `sealpost demo`",
                    config.data.display()
                );
            }
            config.http = HttpConfig::default();
            let ports = Ports {
                outgoing: Outgoing::Rests,
                ..Ports::default()
            };
            let own = Server::start(&config, ports).await;
            Some(own.context("the folder cannot be opened")?)
        };
        Ok(Self {
            client: client(&socket)?,
            own,
            json: place.json,
        })
    }

    /// A way to a socket that a server of this process serves.
    pub(super) fn of_server(socket: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            client: client(socket)?,
            own: None,
            json: false,
        })
    }

    /// Asks; a refusal becomes an error with the server's sentence.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self.client.request(method, format!("http://localhost{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.context("the control socket does not answer")?;
        let status = response.status();
        let answer: Value = response
            .json()
            .await
            .context("the control socket's answer cannot be read")?;
        if status.is_success() {
            return Ok(answer);
        }
        let say = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (title, detail) = (say("title"), say("detail"));
        // Where there is no more to say than the title, the detail repeats it.
        let text = if detail == title {
            title
        } else {
            format!("{title} {detail}")
        };
        Err(Refused {
            code: say("code"),
            text,
        }
        .into())
    }

    /// Asks, prints the answer as JSON or as `text` puts it, and ends.
    pub(super) async fn command(
        self,
        method: Method,
        path: &str,
        body: Option<Value>,
        text: impl FnOnce(&Value) -> String,
    ) -> anyhow::Result<()> {
        let answered = self.ask(method, path, body.as_ref()).await;
        if let Ok(answer) = &answered {
            if self.json {
                println!("{}", serde_json::to_string_pretty(answer)?);
            } else {
                println!("{}", text(answer));
            }
        }
        self.end().await;
        answered.map(|_| ())
    }

    /// Closes the folder that was opened for the command.
    pub(super) async fn end(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

fn client(socket: &Path) -> anyhow::Result<Client> {
    Client::builder()
        .unix_socket(socket)
        .build()
        .context("no client for the control socket")
}
