//! The vault's door: opened once, cloned freely.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use sealpost_domain::address::{AddressToken, Mailbox};
use sealpost_domain::content::ContentRef;
use sealpost_domain::ids::{AccountId, DataKeyId, EventId, MessageId};
use sealpost_domain::limits::CONTENT_WAITING_KIB_MAX;
use sealpost_domain::personal::HasPersonal;
use sealpost_domain::user::LoginToken;

use super::boxes::BoxKey;
use super::content::{self, KeepCall, Kept, Prepared, Reader};
use super::data_key::KeyScope;
use super::failure::{Damage, VaultFailure};
use super::job::{Answer, Destroy, Destroyed, Job, Keys, Wraps};
use super::keyring::Keyring;
use super::keys_db;
use super::master_key::{MasterKey, make_folder};
use super::pack_writer::{KeepJob, PackWriter, Place};
use super::recent_content::RecentContent;
use super::return_path::ReturnPaths;
use super::seal::{self, SealContext};
use super::tokens::TokenKeys;
use super::writer::Writer;

/// What the check value holds.
const CHECK: &[u8] = b"sealpost vault";

/// Keys, sealed fields and content of one installation. Clones share everything.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    keyring: Arc<Keyring>,
    tokens: TokenKeys,
    return_paths: ReturnPaths,
    reader: Reader,
    recent: RecentContent,
    room: Arc<Semaphore>,
    writers: Mutex<Option<Writers>>,
}

/// The way to the threads that write, until the vault is closed.
struct Writers {
    packs: Sender<KeepJob>,
    keys: Sender<Job>,
    threads: [JoinHandle<()>; 2],
}

impl Vault {
    /// Opens the vault in a folder, or makes one there: `keys.db`, and `content/` with the packs.
    ///
    /// # Errors
    /// [`VaultFailure::WrongMasterKey`] when it was made with another master key; [`Damage::KeysGone`] when packs lie
    /// there without the keys that open them.
    pub fn open(folder: &Path, master: &MasterKey) -> Result<Self, VaultFailure> {
        let packs = folder.join("content");
        let path = folder.join("keys.db");
        make_folder(folder)?;
        make_folder(&packs)?;
        let db = keys_db::open_writer(&path)?;
        check_master(&db, master, &packs)?;
        let keyring = Arc::new(Keyring::new(&path, master.clone()));
        let writer = Writer::new(&path, Arc::clone(&keyring), db);
        let (keys, key_jobs) = channel();
        let (pack_jobs_in, pack_jobs) = channel();
        let pack_writer = PackWriter::new(packs.clone());
        let start = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let started = Builder::new().name(name.to_owned()).spawn(work);
            started.map_err(VaultFailure::io("starting the threads of", folder))
        };
        let threads = [
            start("vault-keys", Box::new(move || writer.run(&key_jobs)))?,
            start("vault-content", Box::new(move || pack_writer.run(&pack_jobs)))?,
        ];
        Ok(Self {
            inner: Arc::new(Inner {
                tokens: TokenKeys::new(master)?,
                return_paths: ReturnPaths::new(master)?,
                reader: Reader::new(packs, Arc::clone(&keyring)),
                recent: RecentContent::default(),
                keyring,
                room: Arc::new(Semaphore::new(CONTENT_WAITING_KIB_MAX as usize)),
                writers: Mutex::new(Some(Writers {
                    packs: pack_jobs_in,
                    keys,
                    threads,
                })),
            }),
        })
    }

    /// Token of a recipient's address, the same for ever within an account.
    #[must_use]
    pub fn address_token(&self, account: AccountId, mailbox: &Mailbox) -> AddressToken {
        self.inner.tokens.address(account, mailbox)
    }

    /// Signs and reads reverse-paths.
    #[must_use]
    pub fn return_paths(&self) -> ReturnPaths {
        self.inner.return_paths.clone()
    }

    /// Token of a sign-in address.
    #[must_use]
    pub fn login_token(&self, mailbox: &Mailbox) -> LoginToken {
        self.inner.tokens.login(mailbox)
    }

    /// Returns one key per scope, in the same order; draws those that are not there. Durable when it returns.
    ///
    /// # Errors
    /// When `keys.db` cannot be written: none of the new keys counts then.
    pub async fn ensure_keys(&self, scopes: Vec<KeyScope>) -> Result<Vec<DataKeyId>, VaultFailure> {
        let remembered = scopes
            .iter()
            .map(|scope| self.inner.keyring.remembered(&scope.to_bytes()));
        if let Some(keys) = remembered.collect::<Option<Vec<_>>>() {
            return Ok(keys.iter().map(|key| key.id).collect());
        }
        let ids = Vec::with_capacity(scopes.len());
        self.ask(|answer| Job::Keys(Keys { scopes, ids, answer })).await
    }

    /// Seals the known fields: each under the key of the person whom it concerns, bound to key, event and field.
    ///
    /// # Errors
    /// [`VaultFailure::KeyMissing`] when a key was destroyed or never drawn. What was sealed so far stays sealed, and
    /// the same call may be made again.
    pub fn seal(&self, what: &mut dyn HasPersonal, context: &SealContext) -> Result<(), VaultFailure> {
        seal::seal(&self.inner.keyring, what, context)
    }

    /// Opens the sealed fields of an event. What cannot be opened, because its key is gone or it was tampered with,
    /// becomes erased.
    ///
    /// # Errors
    /// Only when `keys.db` cannot be read: whether a key is gone is then unknown, and what is sealed stays sealed.
    pub fn open_fields(&self, what: &mut dyn HasPersonal, event_id: EventId) -> Result<(), VaultFailure> {
        seal::open(&self.inner.keyring, what, event_id)
    }

    /// Compresses and seals the content of a call. Takes some 100 µs per 10 KiB: call it off the actors' threads.
    ///
    /// # Errors
    /// [`VaultFailure::TooLarge`].
    pub fn prepare(&self, call: KeepCall) -> Result<Prepared, VaultFailure> {
        content::prepare(call)
    }

    /// Writes prepared content and its keys, both at once: nothing names them before both are on disk. Returns one entry per
    /// recipient, in their order; durable then.
    ///
    /// # Errors
    /// When the disk does not do it. Nothing of the call counts then; what is left of it on disk nobody names, and content
    /// without keys nobody can open.
    pub async fn store(&self, prepared: Prepared) -> Result<Vec<Kept>, VaultFailure> {
        let Prepared {
            day,
            records,
            messages,
            plain,
        } = prepared;
        let kib = (records.len() as u64 >> 10).clamp(1, CONTENT_WAITING_KIB_MAX);
        let share = u32::try_from(kib).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.inner.room).acquire_many_owned(share).await;
        let room = room.map_err(|_| VaultFailure::Closed)?;
        let ticket = self.inner.recent.ticket();
        let (answer, placed) = oneshot::channel();
        let content = KeepJob {
            day,
            records,
            answer,
            room,
        };
        let (answer, wrapped) = oneshot::channel();
        let keys = Vec::with_capacity(messages.len());
        let wraps = Job::Wraps(Wraps { messages, keys, answer });
        match &*self.inner.writers.lock() {
            Some(writers) => {
                writers.packs.send(content).map_err(|_| VaultFailure::Closed)?;
                writers.keys.send(wraps).map_err(|_| VaultFailure::Closed)?;
            }
            None => return Err(VaultFailure::Closed),
        }
        let (placed, wrapped) = tokio::join!(placed, wrapped);
        let Place { pack, offset } = placed.unwrap_or(Err(VaultFailure::Closed))?;
        let (messages, keys) = wrapped.unwrap_or(Err(VaultFailure::Closed))?;
        self.inner.recent.admit(ticket, plain);
        let kept = messages.iter().zip(keys).map(|(message, recipient_key)| Kept {
            recipient_key,
            content: message.content_ref(&pack, offset),
        });
        Ok(kept.collect())
    }

    /// [`Self::prepare`] and [`Self::store`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub async fn keep(&self, call: KeepCall) -> Result<Vec<Kept>, VaultFailure> {
        self.store(self.prepare(call)?).await
    }

    /// Reads the content of a message. Blocks on the disk.
    ///
    /// # Errors
    /// As [`Reader::content`].
    pub fn content(&self, message: MessageId, content: &ContentRef) -> Result<Vec<u8>, VaultFailure> {
        self.inner.reader.content(message, content)
    }

    /// The content of a message that was kept just now, once: `None` when it is not in memory, or no longer. What is durable
    /// and was not destroyed is here alone.
    #[must_use]
    pub fn take_recent(&self, message: MessageId) -> Option<Vec<u8>> {
        self.inner.recent.take(message)
    }

    /// The reading half of the content store, for those who may see nothing else of the vault.
    #[must_use]
    pub fn content_reader(&self) -> Reader {
        self.inner.reader.clone()
    }

    /// Destroys a data key: all that it sealed reads as erased from then on. The event that says so is committed
    /// before. May be repeated.
    ///
    /// # Errors
    /// When `keys.db` or its write-ahead log could not be overwritten: repeat it.
    pub async fn destroy_key(&self, key: DataKeyId) -> Result<(), VaultFailure> {
        self.inner.recent.forget_all();
        let what = Destroyed::Key(key);
        self.ask(|answer| Job::Destroy(Destroy { what, answer })).await
    }

    /// Erases the content of one message by destroying its part keys. May be repeated.
    ///
    /// # Errors
    /// As [`Self::destroy_key`].
    pub async fn erase_content(&self, message: MessageId) -> Result<(), VaultFailure> {
        self.inner.recent.forget_all();
        let what = Destroyed::Content(message);
        self.ask(|answer| Job::Destroy(Destroy { what, answer })).await
    }

    /// Writes what waits, answers it, and ends both threads. Reading goes on.
    pub fn close(&self) {
        self.inner.close();
    }

    /// The data keys, for a test that looks for them where they must not be.
    #[cfg(test)]
    pub(super) fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, VaultFailure> {
        let (answer, answered) = oneshot::channel();
        match &*self.inner.writers.lock() {
            Some(writers) => writers.keys.send(job(answer)).map_err(|_| VaultFailure::Closed)?,
            None => return Err(VaultFailure::Closed),
        }
        answered.await.unwrap_or(Err(VaultFailure::Closed))
    }
}

impl Inner {
    fn close(&self) {
        let Some(Writers { packs, keys, threads }) = self.writers.lock().take() else {
            return;
        };
        drop((packs, keys));
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread.name = name, "a thread of the vault had panicked");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn has_files(folder: &Path) -> Result<bool, VaultFailure> {
    let mut entries = std::fs::read_dir(folder).map_err(VaultFailure::io("reading", folder))?;
    Ok(entries.next().is_some())
}

/// Tells another master key apart; a new vault takes the one it is given. A vault is new when nothing was kept in it.
fn check_master(db: &rusqlite::Connection, master: &MasterKey, packs: &Path) -> Result<(), VaultFailure> {
    let key = BoxKey::new(&master.check_key()?)?;
    match keys_db::master_check(db)? {
        None if has_files(packs)? => Err(VaultFailure::Corrupt { what: Damage::KeysGone }),
        None => keys_db::insert_master_check(db, &key.seal(CHECK, CHECK)?),
        Some(mut boxed) => match key.open(CHECK, &mut boxed) {
            Some(_) => Ok(()),
            None => Err(VaultFailure::WrongMasterKey),
        },
    }
}
