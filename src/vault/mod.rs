//! Holds what is secret: data keys, sealed fields, message content.
//!
//! A master key wraps random data keys, one per recipient, user and account; a data key seals the personal fields of
//! events and wraps the keys of content parts. Destroying a data key erases what it sealed, everywhere and at once.
//! Never happens here: deciding who may see what, reading a clock, writing an event.
//!
//! | file | holds |
//! |---|---|
//! | `handle` | [`Vault`], the door |
//! | `master_key`, `secret`, `boxes`, `tokens` | the master key, what is derived from it, the cipher, keyed hashes |
//! | `data_key`, `keyring`, `keys_db` | data keys: made, found, stored |
//! | `seal` | personal fields of events, to and fro |
//! | `content`, `pack`, `day_pack` | content parts and the files that hold them |
//! | `recent_content` | what was kept just now, in memory |
//! | `job`, `writer`, `pack_writer` | the two threads that write, each with one sync per group, and what they are asked |

mod boxes;
pub mod content;
mod data_key;
mod day_pack;
mod failure;
mod handle;
mod job;
mod keyring;
mod keys_db;
mod master_key;
mod nonce;
mod pack;
mod pack_writer;
mod recent_content;
mod return_path;
mod seal;
mod secret;
#[cfg(test)]
mod tests;
mod tokens;
mod writer;

pub use content::{KeepCall, KeepRecipient, Kept, Prepared};
pub use data_key::KeyScope;
pub use failure::{Damage, FailureClass, KeyFileFault, MissingKey, VaultFailure};
pub use handle::Vault;
pub use master_key::MasterKey;
pub use pack::PackDay;
pub use return_path::ReturnPaths;
pub use seal::SealContext;
