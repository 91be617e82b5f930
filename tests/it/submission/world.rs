//! The whole program with submission listeners, and short ways to ask it.

use std::net::{Ipv4Addr, SocketAddr};

use sealpost::config::Config;

use super::client::Client;
use crate::support::{Sealpost, spawn_sealpost_with};

/// Any free port of loopback.
pub const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The program with a listener of each kind.
pub async fn spawn() -> Sealpost {
    spawn_with(|_| {}).await
}

/// The same with another configuration.
pub async fn spawn_with(configure: impl FnOnce(&mut Config)) -> Sealpost {
    spawn_sealpost_with(|config| {
        config.host = "mail.example.org".to_owned();
        config.submission.starttls = vec![FREE];
        config.submission.implicit_tls = vec![FREE];
        configure(config);
    })
    .await
}

/// A client of the listener that begins in clear.
pub async fn client(sealpost: &Sealpost) -> Client {
    Client::connect(sealpost.server.addresses().submission.unwrap()).await
}

/// A client that has logged in with this key.
pub async fn logged_in(sealpost: &Sealpost, key: &str) -> Client {
    let mut client = client(sealpost).await;
    client.ehlo().await;
    client.log_in(key).await.starts("235 2.7.0 ");
    client
}

/// A short message with these headers besides.
pub fn message(headers: &str) -> String {
    format!("From: Shop <shop@example.org>\r\nTo: ann@inbox.test\r\nSubject: Your order\r\n{headers}\r\nThank you.\r\n")
}
