//! The master key: its file, and the keys that are derived from it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use sealpost_domain::ids::DataKeyId;

use crate::durable_folder;

use super::failure::{KeyFileFault, VaultFailure};
use super::secret::Secret;

/// What stands before the base64url of the 32 bytes.
const PREFIX: &str = "sealpost-master-key-1:";
/// More than a master key's text has, in bytes.
const TEXT_BYTES_MAX: u64 = 256;

/// The key above all keys. Whoever has it and `keys.db` reads everything; without it nothing is readable.
#[derive(Clone)]
pub struct MasterKey(Secret);

impl MasterKey {
    /// Draws a master key and writes it to a new file of mode 0600, synced with its folder.
    ///
    /// # Errors
    /// [`KeyFileFault::Exists`] when there is a file already: to overwrite a master key is to lose all it protects.
    pub fn create(path: &Path) -> Result<Self, VaultFailure> {
        let key = Self(Secret::draw()?);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => refused(path, KeyFileFault::Exists),
                _ => VaultFailure::io("creating", path)(source),
            })?;
        file.write_all(key.to_text().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(VaultFailure::io("writing", path))?;
        sync_folder_of(path)?;
        Ok(key)
    }

    /// Reads a master key from its file.
    ///
    /// # Errors
    /// [`KeyFileFault::Exposed`] when others than the owner may touch the file, [`KeyFileFault::BadForm`] when it
    /// holds something else.
    pub fn load(path: &Path) -> Result<Self, VaultFailure> {
        let failed = |source| VaultFailure::io("reading", path)(source);
        let file = File::open(path).map_err(failed)?;
        // The mode of the open file, not of the name: the name may lead elsewhere a moment later.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(refused(path, KeyFileFault::Exposed { mode }));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|source| match source.kind() {
                io::ErrorKind::InvalidData => refused(path, KeyFileFault::BadForm),
                _ => failed(source),
            })?;
        Self::parse(&text).ok_or_else(|| refused(path, KeyFileFault::BadForm))
    }

    /// Reads the text form, `sealpost-master-key-1:` and 43 characters of base64url; white space around it is ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim().strip_prefix(PREFIX)?).ok()?);
        Secret::from_slice(&bytes).map(Self)
    }

    fn to_text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_bytes()));
        Zeroizing::new(format!("{PREFIX}{}\n", encoded.as_str()))
    }

    /// The key that wraps one data key and nothing else.
    pub(super) fn wrapping_key(&self, key: DataKeyId) -> Result<Secret, VaultFailure> {
        self.0.derive(b"sealpost/wrap/", key.as_uuid().as_bytes())
    }

    /// The key of the value by which a vault knows its master key.
    pub(super) fn check_key(&self) -> Result<Secret, VaultFailure> {
        self.0.derive(b"sealpost/check/", b"")
    }

    /// The key from which the keyed hashes of recipients' addresses come.
    pub(super) fn address_token_key(&self) -> Result<Secret, VaultFailure> {
        self.0.derive(b"sealpost/address-token/", b"")
    }

    /// The key that signs reverse-paths.
    pub(super) fn return_path_key(&self) -> Result<Secret, VaultFailure> {
        self.0.derive(b"sealpost/return-path/", b"")
    }

    /// The key of the keyed hashes of sign-in addresses.
    pub(super) fn login_token_key(&self) -> Result<Secret, VaultFailure> {
        self.0.derive(b"sealpost/login-token/", b"")
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn refused(path: &Path, fault: KeyFileFault) -> VaultFailure {
    VaultFailure::MasterKeyFile {
        path: path.to_owned(),
        fault,
    }
}

/// A new name is only durable when its folder is synced.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), VaultFailure> {
    durable_folder::sync_folder_of(path).map_err(VaultFailure::io("syncing the folder of", path))
}

/// Makes a folder that only its owner may enter, when there is none.
pub(super) fn make_folder(path: &Path) -> Result<(), VaultFailure> {
    durable_folder::make(path).map_err(VaultFailure::io("creating", path))
}
