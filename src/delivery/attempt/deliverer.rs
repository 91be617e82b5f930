//! Opens sessions: the first three steps of an attempt, in their order.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use sealpost_domain::tls_rule::TlsWant;

use super::transact::SmtpSession;
use super::walk::walk;
use crate::actors::{Attempt, OpenFailed, RoutePlan, Session};
use crate::delivery::letter::LetterWriter;
use crate::smtp::client::{Timeouts, TlsClient};
use crate::smtp::wire::HelloName;

/// How sessions are opened.
pub struct Dialling {
    /// How we call ourselves in `EHLO`.
    pub hello: HelloName,
    /// How long each stage may take.
    pub timeouts: Timeouts,
    /// Trusted roots and ciphers.
    pub tls: TlsClient,
    /// Draws the order of equal hosts and addresses.
    pub seed: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// What all attempts share.
pub struct DelivererConfig {
    /// How sessions are opened.
    pub dialling: Dialling,
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
    async fn open(&self, plan: &RoutePlan, want: TlsWant) -> Result<Box<dyn Session>, OpenFailed> {
        let began = Instant::now();
        let walked = walk(plan, want, &self.0.dialling).await;
        let connect_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        match walked {
            Ok(reached) => Ok(Box::new(SmtpSession::new(reached, self.0.letters.clone(), connect_ms))),
            Err(failed) => Err(OpenFailed { connect_ms, ..failed }),
        }
    }
}
