//! Gives each recipient of a call a message, and each of those its copy where a copy is wanted.

use std::collections::BTreeMap;

use sealpost_domain::address::Mailbox;
use sealpost_domain::ids::MessageId;
use sealpost_domain::limits::RECIPIENTS_PER_CALL_MAX;
use thiserror::Error;

use super::recipient::Planned;
use crate::actors::OwnShare;
use crate::clock::draw_uuid;
use crate::compose::{Address, Audience, Recipient, RecipientKind, parse_mailbox};

/// One recipient as the caller wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The address, byte for byte: callers find their answer by it.
    pub given: String,
    /// The display name.
    pub name: Option<String>,
    /// How it is shown.
    pub kind: RecipientKind,
}

/// Why nobody gets a copy, and with that nobody anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CopyRefusal {
    /// The address for copies is none.
    #[error("is no mail address")]
    NoAddress,
    /// The copies are messages too, and together they are more than a call may have.
    #[error("makes more than {RECIPIENTS_PER_CALL_MAX} messages, as each recipient's has a copy")]
    TooMany,
}

/// The messages of a call.
pub struct Addressed {
    /// All of them: the recipients in the order of the call, then the copies.
    pub planned: Vec<Planned>,
    /// Those whose address is one, in the same order.
    pub to: Vec<Recipient>,
    /// How many of `planned` the caller named.
    pub answered: usize,
}

impl Addressed {
    /// Draws the messages of a call. Metadata of one recipient is found by the address in lower case.
    #[must_use]
    pub fn of(addressees: Vec<Addressee>, own_metadata: &BTreeMap<String, BTreeMap<String, String>>) -> Self {
        let mut planned = Vec::with_capacity(addressees.len());
        let mut to = Vec::with_capacity(addressees.len());
        for Addressee { given, name, kind } in addressees {
            let id = draw_uuid();
            let parsed = parse_mailbox(&given);
            let refusal = parsed.as_ref().err().copied();
            let metadata = if own_metadata.is_empty() {
                BTreeMap::new()
            } else {
                own_metadata.get(&given.to_lowercase()).cloned().unwrap_or_default()
            };
            to.extend(parsed.ok().map(|mailbox| Recipient {
                id,
                address: address(name, &mailbox),
                kind,
                copy_of: None,
            }));
            planned.push(Planned {
                message: MessageId::from_uuid(id),
                given,
                refusal,
                own: OwnShare {
                    metadata,
                    ..OwnShare::default()
                },
            });
        }
        Self {
            answered: planned.len(),
            planned,
            to,
        }
    }

    /// Adds a copy of each recipient's message; of one where all recipients get the same.
    ///
    /// # Errors
    /// As [`CopyRefusal`] says.
    pub fn copy_to(mut self, given: &str, audience: Audience) -> Result<Self, CopyRefusal> {
        let mailbox = parse_mailbox(given).map_err(|_| CopyRefusal::NoAddress)?;
        let originals = match audience {
            Audience::OwnCopies => self.to.len(),
            Audience::AllVisible => self.to.len().min(1),
        };
        if self.planned.len().saturating_add(originals) as u64 > RECIPIENTS_PER_CALL_MAX {
            return Err(CopyRefusal::TooMany);
        }
        let mut copies = Vec::with_capacity(originals);
        for original in self.to.iter().take(originals) {
            let id = draw_uuid();
            let of = MessageId::from_uuid(original.id);
            let metadata = self.planned.iter().find(|one| one.message == of);
            let metadata = metadata.map(|one| one.own.metadata.clone()).unwrap_or_default();
            self.planned.push(Planned {
                message: MessageId::from_uuid(id),
                given: given.to_owned(),
                refusal: None,
                own: OwnShare {
                    metadata,
                    subject: None,
                    copy_of: Some(of),
                },
            });
            copies.push(Recipient {
                id,
                address: address(None, &mailbox),
                kind: RecipientKind::Bcc,
                copy_of: Some(original.address.clone()),
            });
        }
        self.to.extend(copies);
        Ok(self)
    }
}

fn address(name: Option<String>, mailbox: &Mailbox) -> Address {
    Address {
        name: name.filter(|name| !name.is_empty()),
        mailbox: mailbox.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(given: &[&str]) -> Addressed {
        let addressee = |given: &&str| Addressee {
            given: (*given).to_owned(),
            name: None,
            kind: RecipientKind::To,
        };
        let own = BTreeMap::from([(
            "ann@example.org".to_owned(),
            BTreeMap::from([("n".to_owned(), "1".to_owned())]),
        )]);
        Addressed::of(given.iter().map(addressee).collect(), &own)
    }

    #[test]
    fn each_message_has_a_copy_that_is_turned_away_with_it() {
        let call = addressed(&["Ann@Example.org", "nobody", "bob@example.org"]);
        let call = call.copy_to("boss@example.org", Audience::OwnCopies).unwrap();
        assert_eq!((call.answered, call.planned.len(), call.to.len()), (3, 5, 4));
        assert_eq!(call.planned[3].own.copy_of, Some(call.planned[0].message));
        assert_eq!(call.planned[4].own.copy_of, Some(call.planned[2].message));
        assert_eq!(call.planned[0].own.metadata["n"], "1", "the case does not matter");
        assert_eq!(
            call.planned[3].own.metadata["n"], "1",
            "a copy is marked as its original"
        );
        let copy = &call.to[2];
        assert_eq!(copy.address.mailbox, "boss@example.org");
        assert_eq!(copy.named().mailbox, "Ann@example.org", "it looks as its original");
        assert!(copy.kind == RecipientKind::Bcc);
    }

    #[test]
    fn a_message_that_all_see_is_copied_once() {
        let call = addressed(&["ann@example.org", "bob@example.org"]);
        let call = call.copy_to("boss@example.org", Audience::AllVisible).unwrap();
        assert_eq!(call.planned.len(), 3);
    }

    #[test]
    fn copies_count_as_the_messages_that_they_are() {
        let too_many = addressed(&["ann@example.org"; 501]).copy_to("boss@example.org", Audience::OwnCopies);
        assert_eq!(too_many.err(), Some(CopyRefusal::TooMany));
        let most = addressed(&["ann@example.org"; 500]).copy_to("boss@example.org", Audience::OwnCopies);
        assert!(most.is_ok());
        let none = addressed(&["ann@example.org"]).copy_to("boss", Audience::OwnCopies);
        assert_eq!(none.err(), Some(CopyRefusal::NoAddress));
    }
}
