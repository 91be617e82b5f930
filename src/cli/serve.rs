//! `sealpost serve`.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::Place;
use crate::durable_folder;
use crate::serve::{Ports, Server};
use crate::vault::MasterKey;

pub(super) async fn serve(place: &Place, init: bool) -> anyhow::Result<()> {
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
    until_told_to_stop().await?;
    server.stop().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn until_told_to_stop() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: open attempts may finish");
    Ok(())
}
