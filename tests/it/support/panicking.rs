//! Attempts that panic for marked recipients.

use std::sync::Arc;

use async_trait::async_trait;
use sealpost::actors::{Attempt, Grant, Job, OpenFailed, Report, Reuse, RoutePlan, Session};
use sealpost::serve::WrapAttempt;
use sealpost_domain::message::TlsFacts;
use sealpost_domain::tls_rule::{ClearReason, TlsFailed, TlsWant};

/// Panics before the right to send for a local part that begins with `panics-before`, and after the message was handed
/// over for one that begins with `panics-after`.
pub struct PanickingAttempts(Arc<dyn Attempt>);

struct PanickingSession(Box<dyn Session>);

impl PanickingAttempts {
    /// Puts itself before an engine's deliverer.
    pub fn wrap() -> WrapAttempt {
        Arc::new(|attempt| Arc::new(Self(attempt)))
    }
}

#[async_trait]
impl Attempt for PanickingAttempts {
    async fn open(&self, plan: &RoutePlan, want: TlsWant) -> Result<Box<dyn Session>, OpenFailed> {
        let session = self.0.open(plan, want).await?;
        Ok(Box::new(PanickingSession(session)))
    }
}

#[async_trait]
impl Session for PanickingSession {
    async fn deliver(&mut self, job: &Job, grant: &mut Grant) -> (Report, Reuse) {
        let recipient = job.recipient.as_str();
        assert!(!recipient.starts_with("panics-before"), "a marked recipient");
        let delivered = self.0.deliver(job, grant).await;
        assert!(!recipient.starts_with("panics-after"), "a marked recipient");
        delivered
    }

    async fn is_usable(&mut self) -> bool {
        self.0.is_usable().await
    }

    fn host(&self) -> &str {
        self.0.host()
    }

    fn peer(&self) -> String {
        self.0.peer()
    }

    fn tls(&self) -> Option<TlsFacts> {
        self.0.tls()
    }

    fn clear(&self) -> Option<ClearReason> {
        self.0.clear()
    }

    fn passed_over(&self) -> &[TlsFailed] {
        self.0.passed_over()
    }

    async fn close(self: Box<Self>) {
        self.0.close().await;
    }
}
