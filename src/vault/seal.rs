//! Seals and opens the personal fields of an event.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use sealpost_domain::ids::{AccountId, DataKeyId, EventId};
use sealpost_domain::personal::{HasPersonal, PersonalField, PersonalVisitor, Sealed, Subject};

use super::boxes::BoxKey;
use super::data_key::{DataKey, KeyScope};
use super::failure::{MissingKey, VaultFailure};
use super::keyring::Keyring;

/// Whose keys seal an event's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext {
    /// The account that the event concerns.
    pub account: Option<AccountId>,
    /// The key of the recipient whom it concerns.
    pub recipient_key: Option<DataKeyId>,
    /// The event, bound into every box.
    pub event_id: EventId,
}

/// Seals what is known. On failure what was sealed so far stays sealed; the same call may be made again.
pub fn seal(keyring: &Keyring, what: &mut dyn HasPersonal, context: &SealContext) -> Result<(), VaultFailure> {
    let mut visitor = Sealing {
        keyring,
        context,
        keys: Vec::new(),
        failure: None,
    };
    what.visit_personal(&mut visitor);
    visitor.failure.map_or(Ok(()), Err)
}

struct Sealing<'a> {
    keyring: &'a Keyring,
    context: &'a SealContext,
    /// The keys of this event so far, by whose they are: an event has few.
    keys: Vec<(Subject, DataKeyId, BoxKey)>,
    failure: Option<VaultFailure>,
}

impl PersonalVisitor for Sealing<'_> {
    fn field(&mut self, name: &'static str, subject: Subject, field: &mut dyn PersonalField) {
        if self.failure.is_some() {
            return;
        }
        let Some(plain) = field.plain().map(Zeroizing::new) else {
            return;
        };
        match self.seal(name, subject, &plain) {
            Ok(Some(sealed)) => field.seal(sealed),
            Ok(None) => {
                // Nobody's key would seal it, and in clear it must not be stored.
                tracing::error!(event.id = %self.context.event_id, field = name, "a personal field belongs to no account: it is erased");
                field.erase();
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
}

impl Sealing<'_> {
    fn seal(&mut self, name: &str, subject: Subject, plain: &[u8]) -> Result<Option<Sealed>, VaultFailure> {
        let at = match self.keys.iter().position(|(of, ..)| *of == subject) {
            Some(at) => at,
            None => {
                let Some(key) = self.key_of(subject)? else {
                    return Ok(None);
                };
                self.keys.push((subject, key.id, key.event_key(self.context.event_id)?));
                self.keys.len().saturating_sub(1)
            }
        };
        let Some((_, id, key)) = self.keys.get(at) else {
            return Ok(None);
        };
        let boxed = key.seal(&bound(*id, self.context.event_id, name), plain)?;
        Ok(Some(Sealed::new(*id, &URL_SAFE_NO_PAD.encode(boxed))))
    }

    /// `None` when the event concerns no account at all.
    fn key_of(&self, subject: Subject) -> Result<Option<Arc<DataKey>>, VaultFailure> {
        let (scope, which) = match (subject, self.context.recipient_key, self.context.account) {
            (Subject::Recipient, Some(id), _) => {
                let which = MissingKey::Key(id);
                let key = self.keyring.by_id(id)?.ok_or(VaultFailure::KeyMissing { which })?;
                return Ok(Some(key));
            }
            (Subject::User(user), ..) => (KeyScope::User(user), MissingKey::User(user)),
            // A recipient whose address is none has no token, hence no key of its own: the account's serves.
            (Subject::Recipient | Subject::Account, _, Some(account)) => {
                (KeyScope::Account(account), MissingKey::Account(account))
            }
            (Subject::Recipient | Subject::Account, _, None) => return Ok(None),
        };
        let key = self.keyring.by_scope(&scope.to_bytes())?;
        key.map(Some).ok_or(VaultFailure::KeyMissing { which })
    }
}

/// Opens what is sealed; erases what cannot be opened. Fails only when `keys.db` cannot be read: what is still sealed
/// then stays sealed.
pub fn open(keyring: &Keyring, what: &mut dyn HasPersonal, event_id: EventId) -> Result<(), VaultFailure> {
    let mut visitor = Opening {
        keyring,
        event_id,
        keys: Vec::new(),
        failure: None,
    };
    what.visit_personal(&mut visitor);
    visitor.failure.map_or(Ok(()), Err)
}

struct Opening<'a> {
    keyring: &'a Keyring,
    event_id: EventId,
    /// The keys of this event so far; `None` is one that is gone.
    keys: Vec<(DataKeyId, Option<BoxKey>)>,
    failure: Option<VaultFailure>,
}

impl PersonalVisitor for Opening<'_> {
    fn field(&mut self, name: &'static str, _: Subject, field: &mut dyn PersonalField) {
        if self.failure.is_some() {
            return;
        }
        let Some(sealed) = field.sealed().cloned() else {
            return;
        };
        match self.open(name, &sealed, field) {
            Ok(Opened::Known) => {}
            Ok(Opened::KeyGone) => field.erase(),
            Ok(Opened::Damaged) => {
                tracing::error!(event.id = %self.event_id, field = name, "a sealed field is not as it was sealed: it is shown as erased");
                field.erase();
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
}

enum Opened {
    Known,
    KeyGone,
    Damaged,
}

impl Opening<'_> {
    fn open(&mut self, name: &str, sealed: &Sealed, field: &mut dyn PersonalField) -> Result<Opened, VaultFailure> {
        let Some(id) = sealed.key() else {
            return Ok(Opened::Damaged);
        };
        let Ok(boxed) = URL_SAFE_NO_PAD.decode(sealed.boxed()) else {
            return Ok(Opened::Damaged);
        };
        let mut boxed = Zeroizing::new(boxed);
        if !self.keys.iter().any(|(of, _)| *of == id) {
            let key = match self.keyring.by_id(id) {
                // One damaged key must not stop the readers of everything else.
                Err(VaultFailure::Corrupt { .. }) => return Ok(Opened::Damaged),
                other => other?,
            };
            let key = key.map(|key| key.event_key(self.event_id)).transpose()?;
            self.keys.push((id, key));
        }
        let key = self.keys.iter().find(|(of, _)| *of == id);
        let Some(key) = key.and_then(|(_, key)| key.as_ref()) else {
            return Ok(Opened::KeyGone);
        };
        let plain = key.open(&bound(id, self.event_id, name), &mut boxed);
        Ok(match plain.map(|plain| field.open(plain)) {
            Some(Ok(())) => Opened::Known,
            Some(Err(_)) | None => Opened::Damaged,
        })
    }
}

/// What binds a box to its place. Ids have a fixed length, so that no two places look alike.
fn bound(key: DataKeyId, event: EventId, name: &str) -> Vec<u8> {
    [
        key.as_uuid().as_bytes().as_slice(),
        event.as_uuid().as_bytes(),
        name.as_bytes(),
    ]
    .concat()
}
