//! Given/when/then of the gate.

use std::collections::BTreeMap;

use cqrs_es::test::TestFramework;

use super::*;
use crate::instant::Instant;

fn counts(count: u64) -> BTreeMap<StrangerRefusal, u64> {
    BTreeMap::from([(StrangerRefusal::UnknownKey, count)])
}

fn count(count: u64) -> GateCommand {
    GateCommand::CountRefusals {
        counts: counts(count),
        from: Instant::from_millis(0),
        to: Instant::from_millis(60_000),
    }
}

#[test]
fn what_was_counted_is_recorded() {
    TestFramework::<Gate>::with(())
        .given_no_previous_events()
        .when(count(3))
        .then_expect_events(vec![GateEvent::RefusalsCounted {
            counts: counts(3),
            from: Instant::from_millis(0),
            to: Instant::from_millis(60_000),
        }]);
}

#[test]
fn nothing_is_not_recorded() {
    TestFramework::<Gate>::with(())
        .given_no_previous_events()
        .when(count(0))
        .then_expect_error(GateRefusal::NothingCounted);
}

#[test]
fn the_sum_stops_at_its_end() {
    let event = GateEvent::RefusalsCounted {
        counts: BTreeMap::from([
            (StrangerRefusal::UnknownKey, u64::MAX),
            (StrangerRefusal::UnknownUser, 1),
        ]),
        from: Instant::from_millis(0),
        to: Instant::from_millis(1),
    };
    TestFramework::<Gate>::with(())
        .given(vec![event])
        .when(count(3))
        .inspect_result()
        .unwrap();
}
