//! `sealpost serve`.

use anyhow::Context;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::arguments::Place;
use crate::durable_folder;
use crate::serve::{Addresses, Ports, Server};
use crate::vault::MasterKey;

pub(super) async fn serve(place: &Place, init: bool) -> anyhow::Result<()> {
    let stop = Stop::listen()?;
    let config = place.config()?;
    let master = config.master_key_path();
    if init && !master.exists() {
        durable_folder::make(&config.data).context("the data folder cannot be made")?;
        MasterKey::create(&master).context("the master key cannot be made")?;
        tracing::info!(path = %master.display(), "master key made: keep a copy elsewhere");
    }
    let server = Server::start(&config, Ports::default())
        .await
        .context("the server does not start")?;
    let addresses = server.addresses();
    if let Some(plain) = addresses.plain {
        tracing::info!(address = %plain, "plain HTTP");
    }
    if let Some(secure) = addresses.secure {
        tracing::info!(address = %secure, "HTTPS");
    }
    for (address, cover) in [
        (addresses.submission, "STARTTLS"),
        (addresses.submission_tls, "implicit TLS"),
    ] {
        if let Some(address) = address {
            tracing::info!(%address, cover, "SMTP submission");
        }
    }
    println!("ready {}", ready(&addresses));
    stop.told().await;
    server.stop().await;
    Ok(())
}

/// What programs read that started this one: where it listens. Port 0 of the configuration is a real one here.
fn ready(addresses: &Addresses) -> Value {
    let plain = addresses.plain.map(|address| format!("http://{address}"));
    let base = plain.or_else(|| addresses.secure.map(|address| format!("https://{address}")));
    let below = |path: &str| base.as_ref().map(|base| format!("{base}{path}"));
    let smtp = addresses.submission.or(addresses.submission_tls);
    json!({ "api": below("/api/1.0"), "v1": below("/v1"), "smtp": smtp.map(|address| address.to_string()) })
}

/// Listens for SIGTERM and SIGINT.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Listens from now on: a signal that comes while the server starts ends it in order once it runs.
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until one comes or has come.
    pub(super) async fn told(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping: open attempts may finish");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn the_ready_line_names_the_plain_door_before_the_other() {
        let address = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let line = |plain, secure, submission, submission_tls| {
            ready(&Addresses {
                plain,
                secure,
                submission,
                submission_tls,
                inbound: None,
            })
        };
        assert_eq!(
            line(address(1), address(2), None, None)["api"],
            "http://127.0.0.1:1/api/1.0"
        );
        assert_eq!(line(None, address(2), None, None)["v1"], "https://127.0.0.1:2/v1");
        assert_eq!(line(None, None, None, None)["v1"], Value::Null);
        assert_eq!(line(None, None, address(3), address(4))["smtp"], "127.0.0.1:3");
        assert_eq!(line(None, None, None, address(4))["smtp"], "127.0.0.1:4");
    }
}
