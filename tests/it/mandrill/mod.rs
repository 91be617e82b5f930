//! Mandrill's API through its doors, by the official client and by hand.

mod answers;
mod keys;
mod merging;
mod official_client;
mod python_client;
mod raw;
mod search;
mod versions;
