//! Bad input at every door: a documented error each, nothing on record but what the design asks for, and the next
//! request served.

mod bodies;
mod case;
mod full_disk;
mod keys;
mod mandrill_fields;
mod places;
mod slow_bodies;
mod v1_fields;
mod wire;
