//! Message content: prepared on the caller's thread, kept by the writers, read back part by part.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

use sealpost_domain::address::AddressToken;
use sealpost_domain::content::{ContentRef, PartRef};
use sealpost_domain::ids::{AccountId, DataKeyId, MessageId, PartId};

use super::boxes::BoxKey;
use super::data_key::KeyScope;
use super::day_pack::path_of_name;
use super::failure::Damage;
// Whoever may see nothing of the vault but this file has to name its failures.
pub use super::failure::VaultFailure;
use super::keyring::Keyring;
use super::pack::{self, HEAD_BYTES, Head, PackDay};
use super::recent_content::Plain;
use super::secret::{SECRET_BYTES, Secret};

/// Effort of compression: above it the processor costs more than the disk saves.
const ZSTD_LEVEL: i32 = 3;
/// Room that is made before anything is read, at most, in bytes.
const ROOM_BYTES_MAX: usize = 32 << 20;
/// No message has more parts.
const PARTS_MAX: usize = 64;

/// The content of one call: what all recipients share, and what each has alone.
pub struct KeepCall {
    /// The account that sends.
    pub account: AccountId,
    /// The day whose pack takes it.
    pub day: PackDay,
    /// The ends of the messages, one for all of them or several; each is kept once. May be empty.
    pub shared: Vec<Vec<u8>>,
    /// Who gets it.
    pub recipients: Vec<KeepRecipient>,
}

/// One recipient's share of a call.
pub struct KeepRecipient {
    /// The message to this recipient. Its content is kept once; a second time fails.
    pub message: MessageId,
    /// Token of the recipient's address.
    pub token: AddressToken,
    /// The beginning of the message.
    pub head: Vec<u8>,
    /// Which of the shared ends is its own, from 0.
    pub end: usize,
}

/// Where one message's content lies, and under whose key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The recipient's data key.
    pub recipient_key: DataKeyId,
    /// Head and shared part, in this order; an empty one is left out, and those of a single recipient are one.
    pub content: ContentRef,
}

/// A call whose parts are compressed and sealed: nothing is left to do but to write.
pub struct Prepared {
    pub(super) day: PackDay,
    /// The records of all parts, one behind the other.
    pub(super) records: Vec<u8>,
    pub(super) messages: Vec<PreparedMessage>,
    /// What goes out when it goes out at once.
    pub(super) plain: Vec<(MessageId, Plain)>,
}

/// One message of a prepared call.
pub(super) struct PreparedMessage {
    pub(super) message: MessageId,
    pub(super) scope: KeyScope,
    pub(super) size_bytes: u64,
    pub(super) parts: Vec<PreparedPart>,
}

/// A sealed part and the key that opens it.
#[derive(Clone)]
pub(super) struct PreparedPart {
    pub(super) part: PartId,
    pub(super) secret: Secret,
    /// Where its record begins in the call's records, in bytes.
    pub(super) start: u64,
    pub(super) length_bytes: u32,
}

impl PreparedMessage {
    /// The keys of the parts in their order: what the wrap holds.
    pub(super) fn part_secrets(&self) -> Zeroizing<Vec<u8>> {
        let mut secrets = Zeroizing::new(Vec::with_capacity(self.parts.len().saturating_mul(SECRET_BYTES)));
        for part in &self.parts {
            secrets.extend_from_slice(part.secret.as_bytes());
        }
        secrets
    }

    /// The reference, once it is known where the call's records begin in their pack.
    pub(super) fn content_ref(&self, pack: &str, offset: u64) -> ContentRef {
        let parts = self.parts.iter().map(|part| PartRef {
            part: part.part,
            pack: pack.to_owned(),
            offset: offset.saturating_add(part.start),
            length_bytes: part.length_bytes,
        });
        ContentRef {
            parts: parts.collect(),
            size_bytes: self.size_bytes,
        }
    }
}

/// What binds a wrap to its place: key, message, parts in their order.
pub(super) fn wrap_bound(key: DataKeyId, message: MessageId, parts: impl Iterator<Item = PartId>) -> Vec<u8> {
    let mut bound = [*key.as_uuid().as_bytes(), *message.as_uuid().as_bytes()].concat();
    for part in parts {
        bound.extend_from_slice(part.as_uuid().as_bytes());
    }
    bound
}

/// Compresses and seals the parts of a call. Takes about 30 µs per part of 10 KiB; call it off the actors' threads.
pub(super) fn prepare(call: KeepCall) -> Result<Prepared, VaultFailure> {
    let mut records = Vec::new();
    let account = call.account;
    let mut users = vec![0_usize; call.shared.len()];
    for recipient in &call.recipients {
        if let Some(users) = users.get_mut(recipient.end) {
            *users = users.saturating_add(1);
        }
    }
    let mut ends = Vec::with_capacity(call.shared.len());
    for (end, users) in call.shared.into_iter().zip(users) {
        let part = if users < 2 || end.is_empty() {
            None
        } else {
            Some(prepare_part(&mut records, &end)?)
        };
        ends.push((Arc::new(end), users, part));
    }
    let mut messages = Vec::with_capacity(call.recipients.len());
    let mut plain = Vec::with_capacity(call.recipients.len());
    for KeepRecipient {
        message,
        token,
        mut head,
        end,
    } in call.recipients
    {
        let Some((shared, users, shared_part)) = ends.get(end) else {
            let what = Damage::Wrap(message);
            return Err(VaultFailure::Corrupt { what });
        };
        let size_bytes = head.len().saturating_add(shared.len()) as u64;
        let mut rest = Arc::clone(shared);
        if *users == 1 {
            // Nobody shares it: one part compresses better and costs one record less.
            head.extend_from_slice(&std::mem::take(&mut rest));
        }
        let own = if head.is_empty() {
            None
        } else {
            Some(prepare_part(&mut records, &head)?)
        };
        messages.push(PreparedMessage {
            message,
            scope: KeyScope::Recipient(account, token),
            size_bytes,
            parts: own.into_iter().chain(shared_part.clone()).collect(),
        });
        plain.push((message, Plain { head, shared: rest }));
    }
    Ok(Prepared {
        day: call.day,
        records,
        messages,
        plain,
    })
}

fn prepare_part(records: &mut Vec<u8>, plain: &[u8]) -> Result<PreparedPart, VaultFailure> {
    let part = PartId::from_uuid(Uuid::now_v7());
    let secret = Secret::draw()?;
    let key = BoxKey::new(&secret)?;
    let packed = compress(plain)?;
    let start = records.len() as u64;
    let length = pack::append_record(records, part, |out| {
        key.seal_onto(out, part.as_uuid().as_bytes(), &packed)
    })?;
    Ok(PreparedPart {
        part,
        secret,
        start,
        length_bytes: length.ok_or(VaultFailure::TooLarge {
            size_bytes: plain.len(),
        })?,
    })
}

fn compress(plain: &[u8]) -> Result<Vec<u8>, VaultFailure> {
    thread_local! {
        /// Making a compressor costs more than a small message.
        static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR
        .with_borrow_mut(|slot| match slot {
            Some(compressor) => compressor.compress(plain),
            None => slot.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?).compress(plain),
        })
        .map_err(|_| VaultFailure::Cipher { doing: "compressing" })
}

/// Reads content. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    folder: Arc<PathBuf>,
    keyring: Arc<Keyring>,
}

impl Reader {
    pub(super) fn new(folder: PathBuf, keyring: Arc<Keyring>) -> Self {
        Self {
            folder: Arc::new(folder),
            keyring,
        }
    }

    /// Reads, opens and joins the parts of a message. Blocks on the disk.
    ///
    /// # Errors
    /// [`VaultFailure::ContentErased`] when the wrap or the recipient's key is gone, [`VaultFailure::Corrupt`] when a
    /// record is not as it was written.
    pub fn content(&self, message: MessageId, content: &ContentRef) -> Result<Vec<u8>, VaultFailure> {
        let secrets = self.part_secrets(message, content)?;
        let size = usize::try_from(content.size_bytes).unwrap_or(usize::MAX);
        let mut whole = Vec::with_capacity(size.min(ROOM_BYTES_MAX));
        for (part, secret) in content.parts.iter().zip(secrets) {
            // One more than there may be, so that too much is noticed.
            let room = size.saturating_sub(whole.len()).saturating_add(1);
            self.read_part(part, &secret, room, &mut whole)?;
        }
        if whole.len() == size {
            Ok(whole)
        } else {
            Err(VaultFailure::Corrupt {
                what: Damage::Wrap(message),
            })
        }
    }

    fn part_secrets(&self, message: MessageId, content: &ContentRef) -> Result<Vec<Secret>, VaultFailure> {
        let erased = VaultFailure::ContentErased { message };
        let damaged = VaultFailure::Corrupt {
            what: Damage::Wrap(message),
        };
        if content.parts.len() > PARTS_MAX {
            return Err(damaged);
        }
        let Some((id, mut boxed)) = self.keyring.wrap_of(message)? else {
            return Err(erased);
        };
        let Some(key) = self.keyring.by_id(id)? else {
            return Err(erased);
        };
        let bound = wrap_bound(id, message, content.parts.iter().map(|part| part.part));
        let Some(plain) = key.message_key(message)?.open(&bound, &mut boxed) else {
            return Err(damaged);
        };
        let secrets = plain
            .chunks(SECRET_BYTES)
            .map(Secret::from_slice)
            .collect::<Option<Vec<_>>>();
        zeroize::Zeroize::zeroize(plain);
        match secrets {
            Some(secrets) if secrets.len() == content.parts.len() => Ok(secrets),
            _ => Err(damaged),
        }
    }

    fn read_part(&self, part: &PartRef, secret: &Secret, room: usize, out: &mut Vec<u8>) -> Result<(), VaultFailure> {
        let damaged = || VaultFailure::Corrupt {
            what: Damage::Part {
                part: part.part,
                pack: part.pack.clone(),
            },
        };
        let mut record = self.read_record(part, damaged)?;
        let head = Head::read(&record).ok_or_else(damaged)?;
        let boxed = record.get_mut(HEAD_BYTES..).ok_or_else(damaged)?;
        if head.part() != part.part || boxed.len() != head.box_bytes() {
            return Err(damaged());
        }
        let packed = BoxKey::new(secret)?
            .open(part.part.as_uuid().as_bytes(), boxed)
            .ok_or_else(damaged)?;
        let limit = room as u64;
        zstd::stream::read::Decoder::with_buffer(&*packed)
            .and_then(|decoder| decoder.take(limit).read_to_end(out))
            .map(drop)
            .map_err(|_| damaged())
    }

    fn read_record(&self, part: &PartRef, damaged: impl Fn() -> VaultFailure) -> Result<Vec<u8>, VaultFailure> {
        if !pack::is_pack_name(&part.pack) {
            return Err(VaultFailure::Corrupt { what: Damage::PackName });
        }
        let path = path_of_name(&self.folder, &part.pack);
        let file = File::open(&path).map_err(VaultFailure::io("opening", &path))?;
        let mut record = vec![0; usize::try_from(part.length_bytes).unwrap_or_default()];
        file.read_exact_at(&mut record, part.offset)
            .map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => damaged(),
                _ => VaultFailure::io("reading", &path)(source),
            })?;
        Ok(record)
    }
}
