//! Keyed hashes of addresses: they find a person in an index that does not hold the address.

use std::fmt::Write;

use aws_lc_rs::hmac;

use sealpost_domain::address::{AddressToken, Mailbox};
use sealpost_domain::ids::AccountId;
use sealpost_domain::user::LoginToken;

use super::failure::VaultFailure;
use super::master_key::MasterKey;

/// The two keys of the hashes. They follow from the master key, so that a token outlives `keys.db`.
pub struct TokenKeys {
    address: hmac::Key,
    login: hmac::Key,
}

impl TokenKeys {
    /// Derives them.
    pub fn new(master: &MasterKey) -> Result<Self, VaultFailure> {
        Ok(Self {
            address: hmac::Key::new(hmac::HMAC_SHA256, master.address_token_key()?.as_bytes()),
            login: hmac::Key::new(hmac::HMAC_SHA256, master.login_token_key()?.as_bytes()),
        })
    }

    /// Token of a recipient's address: another one in each account, so that accounts cannot be joined by it.
    pub fn address(&self, account: AccountId, mailbox: &Mailbox) -> AddressToken {
        let of_account = hmac::sign(&self.address, account.as_uuid().as_bytes());
        let of_account = hmac::Key::new(hmac::HMAC_SHA256, of_account.as_ref());
        let tag = hmac::sign(&of_account, mailbox.folded().as_bytes());
        // HMAC-SHA-256 has 32 bytes, so that the first 16 are always there.
        AddressToken::from_mac(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// Token of a sign-in address.
    pub fn login(&self, mailbox: &Mailbox) -> LoginToken {
        let tag = hmac::sign(&self.login, mailbox.folded().as_bytes());
        let mut hex = String::with_capacity(64);
        for byte in tag.as_ref() {
            // Writing to a String cannot fail.
            write!(hex, "{byte:02x}").unwrap_or_default();
        }
        LoginToken::from_hex(hex)
    }
}
