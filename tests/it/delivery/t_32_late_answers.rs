//! Every way to lose an answer, before the final dot and after it: only what is lost after it is in doubt, and the
//! account's policy says whether it is sent again, by the receiver's own count.

use std::fmt::Write as _;
use std::time::Duration;

use sealpost::actors::Manage;
use sealpost::config::{Config, RouteConfig};
use sealpost::serve::Ports;
use sealpost::smtp::client::Timeouts;
use sealpost_domain::Event;
use sealpost_domain::account::AccountCommand;
use sealpost_domain::ids::MessageId;
use sealpost_domain::message::{DeferralReason, InDoubtCause, InDoubtPolicy, MessageEvent};

use crate::support::{Ending, RawServer, Rig, RigOptions};

/// What the first attempt comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    InDoubt(InDoubtCause),
    Deferred(DeferralReason),
}

use Expected::{Deferred, InDoubt};

const CASES: [(Ending, Expected); 13] = [
    (Ending::GarbageGreeting, Deferred(DeferralReason::ProtocolError)),
    (Ending::HugeReply, Deferred(DeferralReason::ProtocolError)),
    (Ending::EndlessReply, Deferred(DeferralReason::ProtocolError)),
    (Ending::ResetAtData, Deferred(DeferralReason::ConnectionLost)),
    (Ending::SilentAtData, Deferred(DeferralReason::ConnectionLost)),
    (Ending::GarbageAtData, Deferred(DeferralReason::ProtocolError)),
    (Ending::LaterAfterDot, Deferred(DeferralReason::Reply)),
    (Ending::ResetAfterDot, InDoubt(InDoubtCause::ConnectionLost)),
    (Ending::HalfReplyAfterDot, InDoubt(InDoubtCause::ConnectionLost)),
    (Ending::SilentAfterDot, InDoubt(InDoubtCause::TimedOut)),
    (Ending::GarbageAfterDot, InDoubt(InDoubtCause::UnreadableReply)),
    (Ending::HugeReplyAfterDot, InDoubt(InDoubtCause::UnreadableReply)),
    (Ending::EndlessReplyAfterDot, InDoubt(InDoubtCause::UnreadableReply)),
];

struct World {
    rig: Rig,
    servers: Vec<RawServer>,
}

impl World {
    /// A server for each case; its first connection ends in that way, all others go well.
    async fn start(policy: InDoubtPolicy) -> Self {
        let mut servers = Vec::new();
        for (ending, _) in CASES {
            servers.push(RawServer::start(&[ending]).await);
        }
        let ports: Vec<u16> = servers.iter().map(RawServer::port).collect();
        let configure = move |config: &mut Config| {
            for (number, port) in ports.iter().enumerate() {
                let route = RouteConfig::to(&format!("case{number}.test"), "127.0.0.1", *port);
                config.routes.push(route);
            }
        };
        let short = Duration::from_secs(1);
        let timeouts = Timeouts {
            data: short,
            final_dot: short,
            ..Timeouts::default()
        };
        let options = RigOptions {
            ports: Ports {
                timeouts,
                ..Ports::default()
            },
            configure: Box::new(configure),
        };
        let rig = Rig::with(Vec::new(), options).await;
        let change = AccountCommand::ChangeInDoubtPolicy { policy };
        if policy == InDoubtPolicy::Hold {
            rig.manage(rig.account, Manage::Account(change)).await.unwrap();
        }
        Self { rig, servers }
    }

    /// Sends one message for each case, and waits until its first attempt has ended.
    async fn send(&self) -> Vec<MessageId> {
        let to: Vec<String> = (0..CASES.len())
            .map(|number| format!("ann@case{number}.test"))
            .collect();
        let messages = self.rig.send_each(self.rig.account, self.rig.key, &to).await;
        self.rig
            .until_log("each first attempt has ended", |events| {
                let ends = ["DeliveryInDoubt", "DeliveryDeferred"];
                let ended = events.iter().filter(|one| ends.contains(&&*one.event.event_type()));
                ended.count() == CASES.len()
            })
            .await;
        messages
    }

    async fn first_end(&self, message: MessageId) -> Expected {
        let stream = self.rig.stream(message).await;
        let end = stream.into_iter().find_map(|recorded| match recorded.event {
            Event::Message(MessageEvent::DeliveryInDoubt { cause, .. }) => Some(InDoubt(cause)),
            Event::Message(MessageEvent::DeliveryDeferred { reason, .. }) => Some(Deferred(reason)),
            _ => None,
        });
        end.unwrap()
    }

    /// The mail that the server of a case has taken.
    fn taken(&self, number: usize) -> Vec<String> {
        self.servers[number].taken()
    }

    /// Moves on until so many messages are delivered.
    async fn delivered(&self, count: usize) {
        self.rig
            .drive_until_log("they are delivered", Duration::from_secs(70), |events| {
                let delivered = events.iter().filter(|one| one.event.event_type() == "MessageDelivered");
                delivered.count() == count
            })
            .await;
    }
}

fn message_id(content: &str) -> &str {
    let line = content
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
    line.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_after_the_final_dot_is_in_doubt_and_sent_again_and_nothing_else_is() {
    let world = World::start(InDoubtPolicy::Resend).await;
    let messages = world.send().await;
    world.delivered(CASES.len()).await;
    let mut table = "answer | first attempt | taken by the receiver\n".to_owned();
    for (number, ((ending, expected), message)) in CASES.into_iter().zip(messages).enumerate() {
        let taken = world.taken(number);
        writeln!(table, "{ending:?} | {expected:?} | {}", taken.len()).unwrap();
        assert_eq!(world.first_end(message).await, expected, "{ending:?}");
        let history = world.rig.history(message).await;
        let times = match (expected, ending) {
            // It says so again for as long as the connection is kept.
            (_, Ending::LaterAfterDot) => history.iter().filter(|event| *event == "DeliveryStarted").count(),
            (InDoubt(_), _) => 2,
            _ => 1,
        };
        assert_eq!(taken.len(), times, "{ending:?}: {history:?}");
        assert!(
            taken.iter().all(|one| message_id(one) == message_id(&taken[0])),
            "{ending:?}"
        );
    }
    println!("{table}");
    world.rig.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_after_the_final_dot_is_held_where_the_account_says_so() {
    let world = World::start(InDoubtPolicy::Hold).await;
    let messages = world.send().await;
    let in_doubt = CASES
        .iter()
        .filter(|(_, expected)| matches!(expected, InDoubt(_)))
        .count();
    world.delivered(CASES.len() - in_doubt).await;
    world.rig.clock.advance(Duration::from_secs(40_000));
    let later = world.rig.send(&["ben@case0.test"]).await.unwrap()[0].message;
    world.rig.until(later, "MessageDelivered").await;
    for (number, ((ending, expected), message)) in CASES.into_iter().zip(messages).enumerate() {
        let history = world.rig.history(message).await;
        let times = world.taken(number).len() - usize::from(number == 0);
        match expected {
            InDoubt(_) => {
                assert_eq!(
                    history,
                    ["MessageAccepted", "DeliveryStarted", "DeliveryInDoubt"],
                    "{ending:?}"
                );
                assert_eq!(times, 1, "{ending:?}");
            }
            Deferred(_) => assert_eq!(history.last().unwrap(), "MessageDelivered", "{ending:?}"),
        }
    }
    let head = world.rig.engine.log().read().head();
    assert!(world.rig.engine.projected(head, Duration::from_secs(20)));
    assert_eq!(
        world.rig.engine.spool().counts().unwrap().held,
        u64::try_from(in_doubt).unwrap()
    );
    world.rig.engine.stop().await;
}
