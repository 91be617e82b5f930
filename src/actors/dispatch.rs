//! A message on its way: what the queue holds between an accept and its last outcome.

use std::time::Duration;

use sealpost_domain::address::{DomainName, Mailbox};
use sealpost_domain::ids::{AccountId, AttemptId, MessageId};
use sealpost_domain::message::{Message, TlsLevel};
use sealpost_domain::tls_rule::{AccountTls, MailAge, TlsNeed, TlsWant};
use sealpost_domain::{Instant, Personal};

use super::attempt::Job;

/// How long a message waits after the first time that the right to send could not be asked for.
const PUT_OFF_FIRST: Duration = Duration::from_secs(1);
/// How long it waits at most.
const PUT_OFF_MAX: Duration = Duration::from_secs(300);

/// A message that waits for an attempt, or is in one. Carries its stream's state and sequence, so that nobody loads the
/// stream to ask for the right to send.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub account: AccountId,
    /// The envelope's forward-path.
    pub recipient: Mailbox,
    /// The envelope's reverse-path.
    pub reverse_path: Mailbox,
    /// State of the stream.
    pub state: Message,
    /// Events of the stream so far.
    pub sequence: u64,
    /// How often in a row the right to send could not be asked for.
    pub refused_starts: u32,
}

impl Dispatch {
    /// Puts the next attempt off, longer each time: whoever cannot be asked now is not to be asked at every turn, and no
    /// server is to hear of a message at every turn that is never sent.
    pub(super) fn put_off(&mut self, now: Instant) {
        let factor = 1_u32.checked_shl(self.refused_starts).unwrap_or(u32::MAX);
        self.refused_starts = self.refused_starts.saturating_add(1);
        self.wait_until(now.plus(PUT_OFF_FIRST.saturating_mul(factor).min(PUT_OFF_MAX)));
    }

    /// Is not due before `at`.
    pub(super) fn wait_until(&mut self, at: Instant) {
        self.state.due_at = Some(self.state.due_at.map_or(at, |due| due.max(at)));
    }

    /// The recipient's domain.
    #[must_use]
    pub fn domain(&self) -> DomainName {
        self.recipient.domain()
    }

    /// When the next attempt is due; at once when the state names no time.
    #[must_use]
    pub fn due_at(&self) -> Instant {
        self.state.due_at.unwrap_or(Instant::from_millis(0))
    }

    /// The job of an attempt; `None` for a message that was never accepted.
    #[must_use]
    pub fn job(&self, attempt_id: AttemptId, want: TlsWant) -> Option<Job> {
        Some(Job {
            attempt_id,
            message: self.message,
            account: self.account,
            recipient: self.recipient.clone(),
            reverse_path: self.reverse_path.clone(),
            order: self.state.order.clone()?,
            want,
        })
    }

    /// What it wants of a session now, of an account with this choice and by a route with this demand.
    #[must_use]
    pub fn want(&self, account: AccountTls, route: TlsLevel, now: Instant) -> TlsWant {
        let order = self.state.order.as_ref();
        let message = order.map_or(TlsLevel::Plain, |order| order.tls_required);
        TlsWant {
            need: TlsNeed::strictest(account, message, route),
            age: order.map_or(MailAge::Young, |order| {
                MailAge::of(order.accepted_at, now, self.state.deferrals)
            }),
        }
    }

    /// The recipient's address as an event carries it.
    #[must_use]
    pub fn personal_recipient(&self) -> Personal<String> {
        Personal::Known(self.recipient.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use sealpost_domain::ids::MessageId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_whose_start_is_refused_waits_twice_as_long_each_time_up_to_five_minutes() {
        let mailbox = Mailbox::parse("ann@example.org").unwrap();
        let mut dispatch = Dispatch {
            message: MessageId::from_uuid(Uuid::nil()),
            account: AccountId::from_uuid(Uuid::nil()),
            recipient: mailbox.clone(),
            reverse_path: mailbox,
            state: Message::default(),
            sequence: 1,
            refused_starts: 0,
        };
        let mut now = Instant::from_millis(0);
        let mut waits = Vec::new();
        for _ in 0..40 {
            dispatch.put_off(now);
            waits.push(dispatch.due_at().since(now).as_secs());
            now = dispatch.due_at();
        }
        assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(waits[10..].iter().all(|wait| *wait == 300), "{waits:?}");
        dispatch.wait_until(Instant::from_millis(0));
        assert_eq!(dispatch.due_at(), now, "what is due later stays so");
    }
}
