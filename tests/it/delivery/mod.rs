//! Mail through the engine: accepted, on record, delivered, found again.

mod t_01_one_mail;
mod t_02_refusals_and_retries;
mod t_03_freeze_and_thaw;
