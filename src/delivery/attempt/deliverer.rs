//! Opens sessions: the first three steps of an attempt, in their order.

use std::time::Instant;

use async_trait::async_trait;

use super::transact::SmtpSession;
use super::{connect, greet, secure};
use crate::actors::{Attempt, OpenFailed, Route, Session};
use crate::delivery::letter::LetterWriter;
use crate::smtp::client::{Timeouts, TlsClient};
use crate::smtp::wire::HelloName;

/// What all attempts share.
pub struct DelivererConfig {
    /// How we call ourselves in `EHLO`.
    pub hello: HelloName,
    /// How long each stage may take.
    pub timeouts: Timeouts,
    /// Trusted roots and ciphers.
    pub tls: TlsClient,
    /// Writes what goes out.
    pub letters: LetterWriter,
}

/// Delivers by SMTP along routes.
pub struct Deliverer(DelivererConfig);

impl Deliverer {
    /// A deliverer.
    #[must_use]
    pub const fn new(config: DelivererConfig) -> Self {
        Self(config)
    }
}

#[async_trait]
impl Attempt for Deliverer {
    async fn open(&self, route: &Route) -> Result<Box<dyn Session>, OpenFailed> {
        let began = Instant::now();
        let config = &self.0;
        let opened = async {
            let (peer, connection) = connect::connect(route, &config.timeouts).await?;
            let greeted = greet::greet(connection, &config.hello)
                .await
                .map_err(|failed| failed.at(peer))?;
            let ready = secure::secure(greeted, route, &config.tls)
                .await
                .map_err(|failed| failed.at(peer))?;
            Ok::<_, OpenFailed>((peer, ready))
        };
        let elapsed_ms = || u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        match opened.await {
            Ok((peer, ready)) => Ok(Box::new(SmtpSession::new(
                ready,
                peer,
                &route.host,
                config.letters.clone(),
                elapsed_ms(),
            ))),
            Err(failed) => Err(OpenFailed {
                connect_ms: elapsed_ms(),
                ..failed
            }),
        }
    }
}
