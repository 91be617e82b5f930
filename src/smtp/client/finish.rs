//! Says goodbye, without letting anything depend on the answer.

use tokio::time::timeout;

use super::channel::Channel;
use super::connect::Connection;
use super::failure::Stage;
use crate::smtp::wire::Command;

impl<S> Connection<S> {
    /// Sends `QUIT` and ends TLS in order, both within `timeouts.quit`; then closes. A connection that is out of step is
    /// closed at once.
    pub async fn finish(mut self) {
        let limit = self.channel.timeouts().quit;
        if self.channel.is_in_step() && timeout(limit, say_goodbye(&mut self.channel)).await.is_err() {
            tracing::debug!(limit_ms = limit.as_millis(), "server did not answer QUIT in time");
        }
    }
}

async fn say_goodbye(channel: &mut Channel) {
    let limit = channel.timeouts().quit;
    let answered = channel.ask(Stage::Quit, &Command::Quit, limit).await.is_ok();
    let closed = channel.shut_down().await.is_ok();
    tracing::trace!(answered, closed, "dialogue ended");
}
