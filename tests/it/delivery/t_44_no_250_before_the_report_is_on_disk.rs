//! A server that brings a report hears `250` when it is on disk, and brings it again when it was not.

use std::sync::Arc;

use crate::log_contract::{Fault, Faults, Gate};
use crate::support::BounceWorld;
use crate::support::report_letters::{bring, notification};

async fn world() -> (BounceWorld, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let gate = faults.clone();
    let wrap =
        Arc::new(move |store| -> Box<dyn sealpost::log::store::Store> { Box::new(Gate::before(store, gate.clone())) });
    (BounceWorld::with(wrap, |_| {}).await, faults)
}

async fn blocking(faults: &Arc<Faults>, wait: impl FnOnce(&Faults) + Send + 'static) {
    let faults = faults.clone();
    tokio::task::spawn_blocking(move || wait(&faults)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_it_is_on_disk() {
    let (world, faults) = world().await;
    let mail = world.taken("ann@inbox.test").await;
    let gone = notification("failed", "5.1.1", "550 5.1.1 no such user");
    faults.shut();
    let (door, to, letter) = (world.door(), mail.reverse_path.clone(), gone.clone());
    let brought = tokio::spawn(async move { bring(door, &to, &letter).await });
    blocking(&faults, Faults::wait_until_one_waits).await;
    assert!(!brought.is_finished(), "it is not on disk");
    faults.open();
    assert_eq!(brought.await.unwrap(), "250 2.0.0 Taken");
    assert_eq!(world.late(&mail.id).await.len(), 1);
    world.sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_come_to_the_disk_is_brought_again() {
    let (world, faults) = world().await;
    let mail = world.taken("ann@inbox.test").await;
    let gone = notification("failed", "5.1.1", "550 5.1.1 no such user");
    faults.set_away(true);
    faults.fail_next(Fault::Before);
    let said = world.bring(&mail.reverse_path, &gone);
    let (said, ()) = tokio::join!(said, async {
        blocking(&faults, |faults| faults.wait_for_begins(2)).await;
        faults.set_away(false);
    });
    assert_eq!(said, "451 4.3.0 Not possible at the moment, try again later");
    assert_eq!(world.late(&mail.id).await, []);
    assert_eq!(
        world.next_send("bob@inbox.test").await["status"],
        "accepted",
        "the log is back"
    );
    assert_eq!(world.bring(&mail.reverse_path, &gone).await, "250 2.0.0 Taken");
    let sealpost = world.sealpost.restart().await;
    let reader = sealpost.server.engine().log().read();
    let stream = sealpost_domain::StreamId::engagement(mail.id.parse().unwrap());
    let late = tokio::task::spawn_blocking(move || reader.stream(&stream).unwrap())
        .await
        .unwrap();
    assert_eq!(late.len(), 1);
    sealpost.stop().await;
}
