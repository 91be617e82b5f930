//! Which hosts take a domain's mail, in which order, and what follows when none does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sealpost_domain::address::DomainName;

use super::super::{AddressRule, DnsFailure, Ipv6};
use super::zones::{Zones, lookup_with, plan};
use crate::actors::{Addresses, Authenticity, NoRoute, RoutePlan, SiteKey};
use crate::clock::Clock;

fn names(plan: &RoutePlan) -> Vec<(u16, &str)> {
    plan.hosts
        .iter()
        .map(|host| (host.preference, host.name.as_str()))
        .collect()
}

fn servfail() -> DnsFailure {
    DnsFailure::ServerFailed("Server Failure".to_owned())
}

/// Every way in which the DNS does not answer.
fn unanswered() -> [(DnsFailure, NoRoute); 5] {
    [
        (servfail(), NoRoute::DnsFailed),
        (DnsFailure::TimedOut, NoRoute::DnsFailed),
        (DnsFailure::Unasked, NoRoute::DnsFailed),
        (DnsFailure::Bogus, NoRoute::DnsBogus),
        (DnsFailure::BrokenAlias, NoRoute::BrokenAlias),
    ]
}

fn no_such_name() -> DnsFailure {
    DnsFailure::NoSuchName {
        ttl: Duration::from_secs(300),
        authenticity: Authenticity::Insecure,
    }
}

#[tokio::test]
async fn hosts_come_by_their_preference_and_each_once() {
    let zones = Zones::new()
        .mx(
            "a.test",
            &[(20, "mx2.test"), (10, "mx1.test"), (30, "mx1.test"), (20, "mx0.test")],
        )
        .host("mx0.test", &["9.9.9.1"])
        .host("mx1.test", &["9.9.9.2", "2a00::1"])
        .host("mx2.test", &["9.9.9.3"]);
    let plan = plan(zones, "a.test").await.unwrap();
    assert_eq!(names(&plan), [(10, "mx1.test"), (20, "mx0.test"), (20, "mx2.test")]);
    assert_eq!(
        plan.site,
        SiteKey::of_hosts(["mx0.test", "mx1.test", "mx2.test"].into_iter(), 25)
    );
    let addresses = vec!["9.9.9.2".parse().unwrap(), "2a00::1".parse().unwrap()];
    assert_eq!(plan.hosts[0].addresses, Addresses::Known(addresses));
}

#[tokio::test]
async fn without_an_mx_the_domain_is_its_own_mail_host() {
    let plan = plan(Zones::new().host("a.test", &["9.9.9.1"]), "a.test").await.unwrap();
    assert_eq!(names(&plan), [(0, "a.test")]);
}

#[tokio::test]
async fn an_mx_that_could_not_be_asked_for_is_not_taken_for_none() {
    for (failure, expected) in unanswered() {
        let zones = Zones::new()
            .host("a.test", &["9.9.9.1"])
            .failing("a.test", "mx", failure);
        assert_eq!(plan(zones, "a.test").await, Err(expected));
    }
}

#[tokio::test]
async fn what_is_said_for_good_is_told_apart() {
    let gone = Zones::new().failing("a.test", "mx", no_such_name());
    assert_eq!(plan(gone, "a.test").await, Err(NoRoute::NoSuchDomain));
    assert_eq!(plan(Zones::new(), "a.test").await, Err(NoRoute::NoMailHost));
    let without_address = Zones::new().mx("a.test", &[(10, "mx.test")]);
    assert_eq!(plan(without_address, "a.test").await, Err(NoRoute::NoAddress));
}

#[tokio::test]
async fn a_null_mx_takes_no_mail_though_the_domain_has_an_address() {
    let null = Zones::new().mx("a.test", &[(0, "")]).host("a.test", &["9.9.9.1"]);
    assert_eq!(plan(null, "a.test").await, Err(NoRoute::NullMx));
    let beside_another = Zones::new()
        .mx("a.test", &[(0, ""), (10, "mx.test")])
        .host("mx.test", &["9.9.9.1"]);
    assert_eq!(names(&plan(beside_another, "a.test").await.unwrap()), [(10, "mx.test")]);
}

#[tokio::test]
async fn mail_is_not_led_to_addresses_that_are_not_public() {
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
    ] {
        let zones = Zones::new()
            .mx("a.test", &[(10, "mx.test")])
            .host("mx.test", &[address]);
        assert_eq!(plan(zones, "a.test").await, Err(NoRoute::ForbiddenAddress), "{address}");
        let own = Zones::new().host("a.test", &[address]);
        assert_eq!(plan(own, "a.test").await, Err(NoRoute::ForbiddenAddress), "{address}");
    }
    let mixed = Zones::new()
        .mx("a.test", &[(10, "mx1.test"), (20, "mx2.test")])
        .host("mx1.test", &["127.0.0.1", "9.9.9.1"])
        .host("mx2.test", &["10.0.0.1"]);
    let plan = plan(mixed, "a.test").await.unwrap();
    assert_eq!(names(&plan), [(10, "mx1.test")]);
    assert_eq!(
        plan.hosts[0].addresses,
        Addresses::Known(vec!["9.9.9.1".parse().unwrap()])
    );
}

#[tokio::test]
async fn a_test_bed_may_lead_mail_to_loopback() {
    let zones = Arc::new(
        Zones::new()
            .mx("a.test", &[(10, "mx.test")])
            .host("mx.test", &["127.0.0.2"]),
    );
    let (lookup, _) = lookup_with(&zones, |config| config.rule = AddressRule::Any);
    let plan = lookup.plan(&DomainName::parse("a.test").unwrap()).await.unwrap();
    assert_eq!(names(&plan), [(10, "mx.test")]);
}

#[tokio::test]
async fn mail_that_would_come_back_to_us_goes_only_to_hosts_before_us() {
    let zones = || {
        Zones::new()
            .host("mx1.test", &["9.9.9.1"])
            .host("us.example", &["9.9.9.2"])
            .host("mx3.test", &["9.9.9.3"])
    };
    let between = zones().mx(
        "a.test",
        &[(10, "mx1.test"), (20, "us.example"), (20, "mx3.test"), (30, "mx3.test")],
    );
    assert_eq!(names(&plan(between, "a.test").await.unwrap()), [(10, "mx1.test")]);
    let best = zones().mx("a.test", &[(10, "us.example"), (20, "mx3.test")]);
    assert_eq!(plan(best, "a.test").await, Err(NoRoute::Loop));
    assert_eq!(plan(zones(), "us.example").await, Err(NoRoute::Loop));
}

#[tokio::test]
async fn fifty_mx_cost_as_much_as_ten() {
    let hosts: Vec<String> = (0..50).map(|n| format!("mx{n:02}.test")).collect();
    let mut zones = Zones::new();
    for (n, host) in hosts.iter().enumerate().rev() {
        let preference = u16::try_from(n).unwrap();
        zones = zones.mx("a.test", &[(preference, host)]).host(host, &["9.9.9.1"]);
    }
    let zones = Arc::new(zones);
    let (lookup, _) = lookup_with(&zones, |_| {});
    let plan = lookup.plan(&DomainName::parse("a.test").unwrap()).await.unwrap();
    let expected: Vec<(u16, &str)> = (0..10).zip(hosts.iter().map(String::as_str)).collect();
    assert_eq!(names(&plan), expected);
    assert_eq!(zones.questions.load(Ordering::Relaxed), 1 + 10 * 2);
}

#[tokio::test]
async fn a_host_whose_addresses_could_not_be_had_is_left_out_and_asked_again_soon() {
    for (failure, expected) in unanswered() {
        let zones = || {
            Zones::new()
                .mx("a.test", &[(10, "mx1.test")])
                .failing("mx1.test", "a", failure.clone())
                .failing("mx1.test", "aaaa", failure.clone())
        };
        assert_eq!(plan(zones(), "a.test").await, Err(expected), "{failure}");
        let another = zones().mx("a.test", &[(20, "mx2.test")]).host("mx2.test", &["9.9.9.1"]);
        let plan = plan(another, "a.test").await.unwrap();
        assert_eq!(names(&plan), [(20, "mx2.test")]);
        assert_eq!(plan.valid_until.unwrap().as_millis(), 30_000);
    }
}

#[tokio::test]
async fn one_family_is_enough_and_ipv6_is_asked_for_only_where_it_leads_somewhere() {
    let v6_alone = Zones::new()
        .mx("a.test", &[(10, "mx.test")])
        .host("mx.test", &["2a00::1"]);
    assert_eq!(names(&plan(v6_alone, "a.test").await.unwrap()), [(10, "mx.test")]);
    let v4_failed = Zones::new()
        .mx("a.test", &[(10, "mx.test")])
        .host("mx.test", &["2a00::1"])
        .failing("mx.test", "a", servfail());
    assert_eq!(names(&plan(v4_failed, "a.test").await.unwrap()), [(10, "mx.test")]);
    let both = Arc::new(Zones::new().host("a.test", &["9.9.9.1", "2a00::1"]));
    let (lookup, _) = lookup_with(&both, |config| config.ipv6 = Ipv6::Never);
    let plan = lookup.plan(&DomainName::parse("a.test").unwrap()).await.unwrap();
    assert_eq!(
        plan.hosts[0].addresses,
        Addresses::Known(vec!["9.9.9.1".parse().unwrap()])
    );
    assert_eq!(both.questions.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_bound_on_addresses_leaves_out_no_family() {
    let mut addresses: Vec<String> = (1..=20).map(|n| format!("9.9.9.{n}")).collect();
    addresses.push("2a00::1".to_owned());
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let plan = plan(Zones::new().host("a.test", &addresses), "a.test").await.unwrap();
    let Addresses::Known(known) = &plan.hosts[0].addresses else {
        panic!("{plan:?}");
    };
    assert_eq!(known.len(), 8);
    assert!(known.contains(&"2a00::1".parse().unwrap()));
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_never_for_less_than_half_a_minute() {
    let domain = DomainName::parse("a.test").unwrap();
    for (ttl_s, kept_s) in [(0, 30), (300, 300), (1_000_000, 3_600)] {
        let mut zones = Zones::new()
            .mx("a.test", &[(10, "mx.test")])
            .host("mx.test", &["9.9.9.1"]);
        zones.ttl = Duration::from_secs(ttl_s);
        let zones = Arc::new(zones);
        let (lookup, clock) = lookup_with(&zones, |_| {});
        let plan = lookup.plan(&domain).await.unwrap();
        let kept = Duration::from_secs(kept_s);
        clock.advance(kept - Duration::from_millis(1));
        assert!(plan.holds_at(clock.now()));
        lookup.plan(&domain).await.unwrap();
        assert_eq!(zones.questions.load(Ordering::Relaxed), 3, "{ttl_s}");
        clock.advance(Duration::from_millis(1));
        assert!(!plan.holds_at(clock.now()));
        lookup.plan(&domain).await.unwrap();
        assert_eq!(zones.questions.load(Ordering::Relaxed), 6, "{ttl_s}");
    }
}

#[tokio::test]
async fn a_failure_is_asked_again_after_ten_seconds() {
    let domain = DomainName::parse("a.test").unwrap();
    let zones = Arc::new(Zones::new().failing("a.test", "mx", servfail()));
    let (lookup, clock) = lookup_with(&zones, |_| {});
    for expected in [1, 1, 2] {
        assert_eq!(lookup.plan(&domain).await, Err(NoRoute::DnsFailed));
        assert_eq!(zones.questions.load(Ordering::Relaxed), expected);
        clock.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn whether_the_answers_are_validated_is_handed_on() {
    let mut zones = Zones::new()
        .mx("a.test", &[(10, "mx.test")])
        .host("mx.test", &["9.9.9.1"]);
    zones.authenticity = Authenticity::Secure;
    let plan = plan(zones, "a.test").await.unwrap();
    assert_eq!(
        (plan.authenticity, plan.hosts[0].authenticity),
        (Authenticity::Secure, Authenticity::Secure)
    );
}
