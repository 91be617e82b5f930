//! Holds the wire form of every event to the files under `wire/`: what was stored once is read for ever.
//!
//! `wire/<stream>/<event>.<version>.json` holds one sample with its personal fields sealed, `….erased.json` the same
//! with its keys destroyed, other endings name another shape of the event. `UPDATE_GOLDEN=1` writes the files anew; the
//! file of an older version is never written again and stays readable; run once more without it. Start at `samples/mod.rs`.

#[cfg(test)]
mod promises;
#[cfg(test)]
mod samples;
