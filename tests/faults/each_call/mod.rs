//! One fault at each of the calls in turn by which one accept, its delivery and an orderly end change the disk: the disk
//! refuses it, the program is killed at it, the machine loses its power at it.
//!
//! Start at `trial.rs`.

mod bench;
mod point;
mod trial;

use bench::Bench;
use trial::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_call_brings_no_false_answer_and_nothing_is_lost() {
    Bench::new().await.run(Fault::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_call_loses_nothing() {
    Bench::new().await.run(Fault::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_loss_at_any_call_loses_nothing() {
    Bench::new().await.run(Fault::PowerLost).await;
}
