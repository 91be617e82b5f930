//! What the writer of `keys.db` is asked, and where its answers go.

use tokio::sync::oneshot;

use sealpost_domain::ids::{DataKeyId, MessageId};

use super::content::PreparedMessage;
use super::data_key::KeyScope;
use super::failure::VaultFailure;

/// Where an answer goes.
pub type Answer<T> = oneshot::Sender<Result<T, VaultFailure>>;

/// What the writer is asked.
pub enum Job {
    /// One key per scope, drawn where there is none.
    Keys(Keys),
    /// The part keys of messages.
    Wraps(Wraps),
    /// The end of a data key, or of one message's content.
    Destroy(Destroy),
}

/// Asks for one key per scope.
pub struct Keys {
    /// Whose.
    pub scopes: Vec<KeyScope>,
    /// Filled by the writer, in the same order.
    pub ids: Vec<DataKeyId>,
    /// Where they go.
    pub answer: Answer<Vec<DataKeyId>>,
}

/// The messages of one call, whose part keys are to be wrapped.
pub struct Wraps {
    /// The messages.
    pub messages: Vec<PreparedMessage>,
    /// The keys that wrap them, filled by the writer in the order of the messages.
    pub keys: Vec<DataKeyId>,
    /// Where both go.
    pub answer: Answer<Wrapped>,
}

/// Messages whose part keys are wrapped, and the keys that did it, in their order.
pub type Wrapped = (Vec<PreparedMessage>, Vec<DataKeyId>);

/// Asks for the end of something.
pub struct Destroy {
    /// Of what.
    pub what: Destroyed,
    /// Told when nothing of it is left in the files.
    pub answer: Answer<()>,
}

/// What can be destroyed.
#[derive(Debug, Clone, Copy)]
pub enum Destroyed {
    /// A data key, and with it all that it sealed.
    Key(DataKeyId),
    /// The part keys of a message, and with them its content.
    Content(MessageId),
}

impl Job {
    /// Rows that it writes, about.
    pub fn rows(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.scopes.len(),
            Self::Wraps(wraps) => wraps.messages.len(),
            Self::Destroy(_) => 1,
        }
    }

    /// Answers with what the writer filled in.
    pub fn succeed(self) {
        match self {
            Self::Keys(keys) => tell(keys.answer, Ok(keys.ids)),
            Self::Wraps(wraps) => tell(wraps.answer, Ok((wraps.messages, wraps.keys))),
            Self::Destroy(destroy) => tell(destroy.answer, Ok(())),
        }
    }

    /// Answers that nothing of it is durable.
    pub fn fail(self, failure: &VaultFailure) {
        let failure = failure.clone();
        match self {
            Self::Keys(keys) => tell(keys.answer, Err(failure)),
            Self::Wraps(wraps) => tell(wraps.answer, Err(failure)),
            Self::Destroy(destroy) => tell(destroy.answer, Err(failure)),
        }
    }
}

/// Nobody listens when the caller gave up waiting: what was written stays, and that is no failure.
pub fn tell<T>(answer: Answer<T>, result: Result<T, VaultFailure>) {
    drop(answer.send(result));
}
