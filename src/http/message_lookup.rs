//! Finds a message of an account: what the log says of it, and what people look at.

use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, MessageId};
use sealpost_domain::message::{Message, MessageEvent};
use sealpost_domain::rights::KeyWorld;
use sealpost_domain::{Event, Recorded, StreamId};
use sealpost_projections::activity::ActivityRow;
use sealpost_projections::message_timeline::TimelineEntry;

use super::error_code::ErrorCode;
use super::fault::Fault;
use super::front::Front;
use crate::access::Caller;

/// A message as its stream in the log has it.
pub(super) struct FoundMessage {
    /// Whose it is.
    pub account: AccountId,
    /// Its state.
    pub state: Message,
    /// Events of its stream so far.
    pub sequence: u64,
    /// Where its content lies; `None` for one that was turned away.
    pub content: Option<ContentRef>,
}

/// Whether a key of this world sees the account's mail. All mail is live so far: the test world has none, and keys of the
/// test world lie about on machines that shall not know who is written to.
pub(super) const fn sees_mail(world: KeyWorld) -> bool {
    matches!(world, KeyWorld::Live)
}

/// Reads the id of a message that the caller may ask for.
pub(super) fn read_own_id(caller: &Caller, text: &str) -> Result<MessageId, Fault> {
    if sees_mail(caller.world) {
        read_id(text)
    } else {
        Err(unknown(text))
    }
}

/// Reads the id of a message: 32 hexadecimal digits, with or without hyphens.
pub(super) fn read_id(text: &str) -> Result<MessageId, Fault> {
    text.parse().map_err(|_| unknown(text))
}

/// No message has this id, or it is somebody else's: which of the two is nobody's business.
pub(super) fn unknown(id: &str) -> Fault {
    Fault::from(ErrorCode::UnknownMessage).with_detail(format!("No message exists with the id '{id}'"))
}

/// Reads a message from its stream.
pub(super) async fn find(front: &Front, message: MessageId) -> Result<FoundMessage, Fault> {
    let log = front.log.clone();
    front
        .read_log(move || {
            let stream = log.stream(&StreamId::message(message));
            let stream =
                stream.map_err(|failure| Fault::of_failure(ErrorCode::Unavailable, "reading a message", &failure))?;
            fold(&stream).ok_or_else(|| unknown(&message.to_hex()))
        })
        .await
}

fn fold(stream: &[Recorded]) -> Option<FoundMessage> {
    let account = stream.first()?.account?;
    let mut found = FoundMessage {
        account,
        state: Message::default(),
        sequence: 0,
        content: None,
    };
    for recorded in stream {
        if let Event::Message(event) = &recorded.event {
            found.state.evolve(event);
            if let MessageEvent::MessageAccepted(accepted) = event {
                found.content = Some(accepted.content.clone());
            }
        }
        found.sequence = recorded.sequence;
    }
    Some(found)
}

/// What became of a message of an account, as fresh as what the caller has just done.
pub(super) async fn activity(front: &Front, account: AccountId, message: MessageId) -> Result<ActivityRow, Fault> {
    front.fresh(&front.models.activity_progress).await;
    let queries = front.models.activity.clone();
    front
        .read_for(account, move || {
            queries.get(account, message)?.ok_or_else(|| unknown(&message.to_hex()))
        })
        .await
}

/// What happened to a message of an account.
pub(super) async fn timeline(
    front: &Front,
    account: AccountId,
    message: MessageId,
) -> Result<Vec<TimelineEntry>, Fault> {
    front.fresh(&front.models.timeline_progress).await;
    let queries = front.models.timeline.clone();
    front
        .read_for(account, move || Ok(queries.message(account, message)?))
        .await
}
