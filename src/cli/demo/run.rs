//! Starts the demo's world and server, prints the ready line, and ends in order.

use anyhow::{Context, bail};

use super::ready::Ready;
use super::seed::{Seed, seed};
use super::world::World;
use crate::cli::arguments::DemoArguments;
use crate::cli::control_client::Control;
use crate::cli::serve::Stop;
use crate::config::Config;
use crate::durable_folder;
use crate::serve::{Ports, Server};
use crate::vault::MasterKey;

pub(in crate::cli) async fn demo(arguments: DemoArguments) -> anyhow::Result<()> {
    let stop = Stop::listen()?;
    let data = std::path::absolute(&arguments.data)?;
    durable_folder::make(&data).with_context(|| format!("the folder {} cannot be made", data.display()))?;
    let mut config = Config::in_folder(&data);
    if !config.master_key_path().exists() {
        MasterKey::create(&config.master_key_path()).context("the master key cannot be made")?;
    }
    let world = World::start(&data.join("demo")).await?;
    config.host = "sealpost.demo.test".to_owned();
    config.http.plain = Some(arguments.http);
    config.http.secure = Some(arguments.https);
    config.submission.starttls = vec![arguments.smtp];
    config.routes.clone_from(&world.routes);
    // The demo needs no network, and none of its mail shall leave the machine.
    config.delivery.by_mx = false;
    config.delivery.extra_roots = Some(world.ca.clone());
    let server = Server::start(&config, Ports::default())
        .await
        .context("the server does not start")?;
    let seeded = seed(&Control::of_server(&server.socket())?, &data.join("demo")).await?;
    ready(&config, &server, seeded)?.print(&data.join("demo").join("inbox"))?;
    stop.told().await;
    server.stop().await;
    world.stop().await;
    Ok(())
}

fn ready(config: &Config, server: &Server, seed: Seed) -> anyhow::Result<Ready> {
    let addresses = server.addresses();
    let Some(plain) = addresses.plain else {
        bail!("the plain listener did not start")
    };
    let Some(smtp) = addresses.submission else {
        bail!("the submission listener did not start")
    };
    Ok(Ready {
        console: None,
        api: format!("http://{plain}/api/1.0"),
        v1: format!("http://{plain}/v1"),
        key: seed.key,
        management_key: seed.management_key,
        from: seed.from,
        to: "inbox@tls.demo.test".to_owned(),
        smtp: smtp.to_string(),
        login: seed.login,
        password: seed.password,
        data: config.data.display().to_string(),
        ca: server.authority().display().to_string(),
    })
}
