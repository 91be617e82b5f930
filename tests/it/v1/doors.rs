//! The listeners: HTTPS with a certificate of its own making, and plain HTTP on loopback alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::Certificate;
use sealpost::config::Config;
use sealpost::http::ListenFailure;
use sealpost::serve::{Ports, Server, StartFailure};
use sealpost::vault::MasterKey;

use crate::support::http_client;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn folder() -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::in_folder(folder.path());
    MasterKey::create(&config.master_key_path()).unwrap();
    (folder, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_answers_to_whoever_trusts_its_authority_and_to_nobody_else() {
    let (_folder, mut config) = folder();
    config.http.secure = Some(LOOPBACK);
    config.host = "mail.example.org".to_owned();
    let server = Server::start(&config, Ports::default()).await.unwrap();
    let address = server.addresses().secure.unwrap();
    let authority = std::fs::read(server.authority()).unwrap();
    let authority = Certificate::from_pem(&authority).unwrap();
    for (name, roots, trusts) in [
        ("mail.example.org", vec![authority.clone()], true),
        ("localhost", vec![authority.clone()], true),
        ("mail.example.org", vec![], false),
        ("other.example.org", vec![authority], false),
    ] {
        let client = http_client().tls_certs_only(roots).resolve(name, address);
        let url = format!("https://{name}:{}/healthz", address.port());
        let answer = client.build().unwrap().get(&url).send().await;
        assert_eq!(answer.is_ok_and(|answer| answer.status() == 200), trusts, "{name}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_beyond_loopback_is_refused_before_any_door_opens() {
    let (_folder, mut config) = folder();
    config.http.plain = Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let refused = Server::start(&config, Ports::default()).await.err();
    assert!(
        matches!(
            refused,
            Some(StartFailure::Listen(ListenFailure::PlainBeyondLoopback(_)))
        ),
        "{refused:?}"
    );
    config.http.plain = Some(LOOPBACK);
    let server = Server::start(&config, Ports::default()).await.unwrap();
    assert!(server.addresses().plain.is_some(), "the folder is free again");
    server.stop().await;
}
