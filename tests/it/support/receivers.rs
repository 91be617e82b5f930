//! Receiving servers on loopback, and the routes that lead to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sealpost::config::{Config, RouteConfig};
use sealpost::smtp::server::{Personality, Receiver, Running};

use super::Inbox;

/// Starts a receiver for each domain, and puts its route into the configuration.
pub async fn start_receivers(config: &mut Config, domains: Vec<(&str, Personality, Arc<Inbox>)>) -> Vec<Running> {
    let mut receivers = Vec::new();
    for (domain, personality, inbox) in domains {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let receiver = Receiver::start(listen, personality, inbox).await.unwrap();
        config
            .routes
            .push(RouteConfig::to(domain, "127.0.0.1", receiver.addr().port()));
        receivers.push(receiver);
    }
    receivers
}
