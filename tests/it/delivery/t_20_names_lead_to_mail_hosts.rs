//! What the lookup makes of real zones: signed by Knot, validated by Unbound and once more by us.

use std::sync::Arc;
use std::time::Duration;

use sealpost::actors::{Authenticity, NoRoute, RoutePlan};
use sealpost::clock::SystemClock;
use sealpost::delivery::mx::{
    AddressRule, Dns, DnsConfig, DnsFailure, Family, Ipv6, MxLookup, MxLookupConfig, Naming, Resolver,
};
use sealpost_domain::address::DomainName;

use crate::support::NameWorld;

const ZONE: &str = "
good MX 20 mx2.good
good MX 10 mx1.good
mx1.good A HOST1
mx1.good AAAA ::1
mx2.good A HOST2
bare A HOST1
nullmx MX 0 .
nullmx A HOST1
alias CNAME good
nowhere CNAME gone
round CNAME about
about CNAME round
aliased-host MX 10 alias-of-mx
alias-of-mx CNAME mx1.good
without-address MX 10 gone
loopback MX 10 mx.loopback
mx.loopback A 127.0.0.1
nothing TXT nothing
fleeting 0 MX 10 mx1.good
";

fn lookup(config: &DnsConfig, rule: AddressRule) -> MxLookup {
    MxLookup::new(MxLookupConfig {
        dns: Arc::new(Resolver::new(config).unwrap()),
        clock: Arc::new(SystemClock::started_now()),
        rule,
        ipv6: Ipv6::Always,
        own_name: "us.example".to_owned(),
        port: 25,
        keep_max: Duration::from_secs(3_600),
    })
}

async fn plan(lookup: &MxLookup, domain: &str) -> Result<Arc<RoutePlan>, NoRoute> {
    lookup.plan(&DomainName::parse(domain).unwrap()).await
}

fn names(plan: &RoutePlan) -> Vec<&str> {
    plan.hosts.iter().map(|host| host.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_domain_has_its_plan_or_its_reason() {
    let fifty = (10..60).map(|n| format!("many MX {n} mx{n}.many\nmx{n}.many A HOST1\n"));
    let world = NameWorld::start(&(ZONE.to_owned() + &fifty.collect::<String>())).await;
    let here = lookup(&world.dns(), AddressRule::Any);
    let good = plan(&here, "good.test").await.unwrap();
    assert_eq!(names(&good), ["mx1.good.test", "mx2.good.test"]);
    assert_eq!(good.authenticity, Authenticity::Secure);
    assert!(good.hosts.iter().all(|host| host.authenticity == Authenticity::Secure));
    assert_eq!(names(&plan(&here, "bare.test").await.unwrap()), ["bare.test"]);
    let alias = plan(&here, "alias.test").await.unwrap();
    assert_eq!(
        (names(&alias), &alias.site),
        (names(&good), &good.site),
        "an alias shares the site"
    );
    assert_eq!(
        names(&plan(&here, "aliased-host.test").await.unwrap()),
        ["alias-of-mx.test"]
    );
    assert_eq!(names(&plan(&here, "fleeting.test").await.unwrap()), ["mx1.good.test"]);
    let many = plan(&here, "many.test").await.unwrap();
    let first_ten: Vec<String> = (10..20).map(|n| format!("mx{n}.many.test")).collect();
    assert_eq!(names(&many), first_ten);
    for (domain, expected) in [
        ("nullmx.test", NoRoute::NullMx),
        ("gone.test", NoRoute::NoSuchDomain),
        ("nothing.test", NoRoute::NoMailHost),
        ("without-address.test", NoRoute::NoAddress),
        ("nowhere.test", NoRoute::BrokenAlias),
        ("bogus.test", NoRoute::DnsFailed),
        ("servfail.test", NoRoute::DnsFailed),
    ] {
        assert_eq!(plan(&here, domain).await, Err(expected), "{domain}");
    }
    assert!(matches!(
        plan(&here, "round.test").await,
        Err(NoRoute::BrokenAlias | NoRoute::DnsFailed)
    ));
    let in_public = lookup(&world.dns(), AddressRule::PublicOnly);
    for domain in ["loopback.test", "bare.test"] {
        assert_eq!(
            plan(&in_public, domain).await,
            Err(NoRoute::ForbiddenAddress),
            "{domain}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_unsigned_and_bogus_are_told_apart_without_anybody_s_help() {
    let world = NameWorld::start(ZONE).await;
    for config in [world.dns(), world.dns_at_the_authority()] {
        let here = lookup(&config, AddressRule::Any);
        let good = plan(&here, "good.test").await.unwrap();
        assert_eq!(good.authenticity, Authenticity::Secure);
        let plain = plan(&here, "plain.test").await.unwrap();
        assert_eq!(plain.authenticity, Authenticity::Insecure);
        assert_eq!(plain.hosts[0].authenticity, Authenticity::Insecure);
    }
    let alone = lookup(&world.dns_at_the_authority(), AddressRule::Any);
    assert_eq!(plan(&alone, "bogus.test").await, Err(NoRoute::DnsBogus));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absence_is_proven_too() {
    let world = NameWorld::start(ZONE).await;
    let resolver = Resolver::new(&world.dns()).unwrap();
    let absent = resolver.addresses("bare.test", Family::V6).await.unwrap_err();
    assert!(
        matches!(
            absent,
            DnsFailure::NoRecords {
                authenticity: Authenticity::Secure,
                ..
            }
        ),
        "{absent:?}"
    );
    let gone = resolver.exchangers("gone.test").await.unwrap_err();
    assert!(
        matches!(
            gone,
            DnsFailure::NoSuchName {
                authenticity: Authenticity::Secure,
                ..
            }
        ),
        "{gone:?}"
    );
    let found = resolver.addresses("alias-of-mx.test", Family::V4).await.unwrap();
    assert_eq!(
        (found.naming, found.authenticity),
        (Naming::Alias, Authenticity::Secure)
    );
}
