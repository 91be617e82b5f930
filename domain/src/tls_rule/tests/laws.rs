//! Laws that hold for every walk, whatever the hosts do: where clear text is forbidden there is none.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;
use crate::message::TlsLevel;

/// What a host does at a try; `None` is a session in TLS at the level that was wanted.
type Try = Option<TlsFailure>;

/// How a walk ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    InTls,
    InClear(ClearReason),
    Deferred,
}

/// What a walk did, in order: each try at a host, with its ClientHello and what failed.
#[derive(Debug, Default)]
struct Seen {
    tries: Vec<(usize, Hello, Try)>,
    taint: Taint,
}

/// Walks over hosts as the deliverer does. Each host answers its first try and its second.
fn walk(want: TlsWant, hosts: &[(Try, Try)]) -> (End, Seen) {
    let mut seen = Seen::default();
    let mut failed = Vec::new();
    for (n, (first, second)) in hosts.iter().enumerate() {
        let mut hello = Hello::Full;
        loop {
            let outcome = if hello == Hello::Full { *first } else { *second };
            seen.tries.push((n, hello, outcome));
            let Some(failure) = outcome else {
                return (End::InTls, seen);
            };
            let step = want.after(failure, hello, seen.taint);
            seen.taint = seen.taint.max(failure.taint());
            failed.push(failure);
            match step {
                Step::StayInClear(reason) => return (End::InClear(reason), seen),
                Step::Reduced => hello = Hello::Reduced,
                Step::NextHost => break,
            }
        }
    }
    let clear = failed.iter().find_map(|failure| want.clear(*failure, seen.taint));
    (clear.map_or(End::Deferred, End::InClear), seen)
}

fn failure(need: TlsNeed) -> impl Strategy<Value = Try> {
    // Only who demands an identity can miss it.
    let possible: Vec<TlsFailure> = TlsFailure::ALL
        .into_iter()
        .filter(|failure| *failure != TlsFailure::Identity || need == TlsNeed::Authenticated)
        .collect();
    proptest::option::weighted(0.9, select(possible))
}

fn case() -> impl Strategy<Value = (TlsWant, Vec<(Try, Try)>)> {
    let want = (
        select(TlsNeed::ALL.to_vec()),
        select(vec![MailAge::Young, MailAge::Aged]),
    );
    want.prop_flat_map(|(need, age)| {
        let hosts = vec((failure(need), failure(need)), 1..6);
        hosts.prop_map(move |hosts| (TlsWant { need, age }, hosts))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_strict_message_never_goes_in_clear((want, hosts) in case()) {
        let (end, _) = walk(want, &hosts);
        if matches!(end, End::InClear(_)) {
            prop_assert!(want.need.allows_clear());
            prop_assert_eq!(want.need.least(), TlsLevel::Plain);
        }
    }

    #[test]
    fn young_mail_never_goes_in_clear_after_a_failed_handshake((want, hosts) in case()) {
        let (end, seen) = walk(want, &hosts);
        if seen.taint == Taint::Handshake && want.age == MailAge::Young {
            prop_assert!(!matches!(end, End::InClear(_)), "{:?}", seen);
        }
        if seen.taint == Taint::Refused && want.age == MailAge::Young && want.need != TlsNeed::Immediate {
            prop_assert!(!matches!(end, End::InClear(_)), "{:?}", seen);
        }
    }

    #[test]
    fn a_host_that_gives_tls_is_never_passed_by_for_clear_text((want, hosts) in case()) {
        let (end, seen) = walk(want, &hosts);
        // A host without TLS at all ends the walk only where nothing has failed before.
        if let End::InClear(_) = end && seen.taint != Taint::None && want.need != TlsNeed::Immediate {
            prop_assert!(hosts.iter().all(|(first, _)| first.is_some()), "{:?}", seen);
        }
    }

    #[test]
    fn every_failed_handshake_is_tried_once_more_and_no_more((want, hosts) in case()) {
        let (_, seen) = walk(want, &hosts);
        for n in 0..hosts.len() {
            let tries: Vec<_> = seen.tries.iter().filter(|(host, ..)| *host == n).collect();
            prop_assert!(tries.len() <= 2);
            if let Some((_, _, Some(failure))) = tries.first() {
                prop_assert_eq!(tries.len() == 2, failure.taint() == Taint::Handshake);
            }
            if let Some((_, hello, _)) = tries.get(1) {
                prop_assert_eq!(*hello, Hello::Reduced);
            }
        }
    }

    #[test]
    fn aged_mail_that_may_go_in_clear_is_never_left_stuck_by_tls((need, hosts) in case().prop_map(|(want, hosts)| (want.need, hosts))) {
        let (end, _) = walk(TlsWant { need, age: MailAge::Aged }, &hosts);
        let only_unready = hosts.iter().all(|(first, _)| *first == Some(TlsFailure::Unready));
        if need.allows_clear() && !only_unready {
            prop_assert_ne!(end, End::Deferred);
        }
    }

    #[test]
    fn what_a_walk_opens_may_carry_its_own_message_and_no_stricter_one((want, hosts) in case()) {
        if let (End::InClear(reason), _) = walk(want, &hosts) {
            prop_assert!(want.rides(TlsLevel::Plain, Some(reason)));
            for need in [TlsNeed::Encrypted, TlsNeed::Authenticated] {
                let strict = TlsWant { need, ..want };
                prop_assert!(!strict.rides(TlsLevel::Plain, Some(reason)));
            }
            if reason.is_of_aged_mail() {
                let young = TlsWant { age: MailAge::Young, ..want };
                prop_assert!(!young.rides(TlsLevel::Plain, Some(reason)));
            }
        }
    }
}
