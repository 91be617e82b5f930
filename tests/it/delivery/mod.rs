//! Mail through the engine: accepted, on record, delivered, found again.

mod t_01_one_mail;
mod t_02_refusals_and_retries;
mod t_03_freeze_and_thaw;
mod t_04_a_panic_stays_with_its_own;
mod t_05_what_an_actor_decided_outlives_it;
mod t_06_one_order_for_revocation_freeze_and_use;
mod t_07_no_decision_rests_on_what_did_not_come_true;
mod t_08_a_projection_never_acts;
mod t_09_what_the_log_did_not_say;
mod t_10_who_may_change_an_account;
mod t_11_a_real_postfix_takes_it;
mod t_12_a_loss_after_the_final_dot_is_in_doubt;
mod t_13_one_hangs_and_nineteen_do_not_notice;
mod t_20_names_lead_to_mail_hosts;
