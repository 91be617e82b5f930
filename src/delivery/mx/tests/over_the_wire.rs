//! What the resolver makes of what a name server says.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::super::{Dns, DnsConfig, DnsFailure, DnsValidation, Exchanger, Family, Naming, Resolver};
use super::name_server::{NameServer, Said, Table, a, cname, mx};
use crate::actors::Authenticity;

async fn asking(table: Table) -> (Resolver, NameServer) {
    let server = NameServer::start(table).await;
    let config = DnsConfig {
        servers: vec![server.addr],
        validation: DnsValidation::Never,
        timeout_ms: 200,
        ..DnsConfig::default()
    };
    (Resolver::new(&config).unwrap(), server)
}

fn table(rows: Vec<(&'static str, RecordType, Said)>) -> Table {
    rows.into_iter()
        .map(|(name, kind, said)| ((name, kind), said))
        .collect()
}

fn is_no_records(failure: &DnsFailure) -> bool {
    matches!(failure, DnsFailure::NoRecords { .. })
}

#[tokio::test]
async fn records_come_in_the_answer_s_order_and_names_in_lower_case() {
    let records = vec![
        ("a.test", mx(20, "MX2.test")),
        ("a.test", mx(10, "mx1.test")),
        ("a.test", mx(0, ".")),
    ];
    let (resolver, _server) = asking(table(vec![
        ("a.test", RecordType::MX, Said::Records(records)),
        (
            "mx1.test",
            RecordType::A,
            Said::Records(vec![("mx1.test", a("9.9.9.1"))]),
        ),
    ]))
    .await;
    let found = resolver.exchangers("a.test").await.unwrap();
    let names: Vec<(u16, &str)> = found
        .records
        .iter()
        .map(|one| (one.preference, one.name.as_str()))
        .collect();
    assert_eq!(names, [(20, "mx2.test"), (10, "mx1.test"), (0, "")]);
    assert_eq!(
        (found.naming, found.authenticity),
        (Naming::Own, Authenticity::Insecure)
    );
    assert_eq!(found.ttl, Duration::ZERO);
    let found = resolver.addresses("mx1.test", Family::V4).await.unwrap();
    assert_eq!(found.records, ["9.9.9.1".parse::<IpAddr>().unwrap()]);
    assert!(is_no_records(
        &resolver.addresses("mx1.test", Family::V6).await.unwrap_err()
    ));
}

#[tokio::test]
async fn no_name_no_records_and_no_answer_are_told_apart() {
    let (resolver, _server) = asking(table(vec![
        (
            "has-address.test",
            RecordType::A,
            Said::Records(vec![("has-address.test", a("9.9.9.1"))]),
        ),
        ("servfail.test", RecordType::MX, Said::Code(ResponseCode::ServFail)),
        ("refused.test", RecordType::MX, Said::Code(ResponseCode::Refused)),
        ("silent.test", RecordType::MX, Said::Silence),
    ]))
    .await;
    assert!(is_no_records(
        &resolver.exchangers("has-address.test").await.unwrap_err()
    ));
    let gone = resolver.exchangers("gone.test").await.unwrap_err();
    let ttl = Duration::from_secs(60);
    assert_eq!(
        gone,
        DnsFailure::NoSuchName {
            ttl,
            authenticity: Authenticity::Insecure
        }
    );
    for (name, word) in [("servfail.test", "Server Failure"), ("refused.test", "Query Refused")] {
        let failure = resolver.exchangers(name).await.unwrap_err();
        assert_eq!(failure, DnsFailure::ServerFailed(word.to_owned()), "{name}");
    }
    assert_eq!(
        resolver.exchangers("silent.test").await.unwrap_err(),
        DnsFailure::TimedOut
    );
    assert_eq!(resolver.exchangers("no..name").await.unwrap_err(), DnsFailure::Unasked);
}

#[tokio::test]
async fn an_alias_is_followed_to_its_end_and_no_further_than_a_bound() {
    let link = |from: &'static str, to: &str| (from, RecordType::CNAME, Said::Records(vec![(from, cname(to))]));
    let names = [
        "c1.test", "c2.test", "c3.test", "c4.test", "c5.test", "c6.test", "c7.test", "c8.test", "c9.test", "ca.test",
    ];
    let mut rows = vec![
        link("alias.test", "a.test"),
        (
            "a.test",
            RecordType::MX,
            Said::Records(vec![("a.test", mx(10, "mx.test"))]),
        ),
        ("a.test", RecordType::A, Said::Records(vec![("a.test", a("9.9.9.1"))])),
        link("nowhere.test", "gone.test"),
        link("round.test", "about.test"),
        link("about.test", "round.test"),
        (
            "ca.test",
            RecordType::MX,
            Said::Records(vec![("ca.test", mx(10, "mx.test"))]),
        ),
        (
            "bare.test",
            RecordType::A,
            Said::Records(vec![("bare.test", a("9.9.9.1"))]),
        ),
        link("to-bare.test", "bare.test"),
    ];
    rows.extend(names.windows(2).map(|pair| link(pair[0], pair[1])));
    let (resolver, _server) = asking(table(rows)).await;
    let found = resolver.exchangers("alias.test").await.unwrap();
    assert_eq!(
        found.records,
        [Exchanger {
            preference: 10,
            name: "mx.test".to_owned()
        }]
    );
    assert_eq!(found.naming, Naming::Alias);
    let broken = ["nowhere.test", "round.test", "c1.test"];
    for name in broken {
        assert_eq!(
            resolver.exchangers(name).await.unwrap_err(),
            DnsFailure::BrokenAlias,
            "{name}"
        );
    }
    assert!(resolver.exchangers("c6.test").await.is_ok());
    assert!(is_no_records(&resolver.exchangers("to-bare.test").await.unwrap_err()));
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_is_asked_for_by_tcp() {
    let records = (0..50_u16).map(|n| ("many.test", mx(n, &format!("a-rather-long-name-of-a-host-{n}.test"))));
    let said = Said::Records(records.collect());
    let (resolver, _server) = asking(table(vec![("many.test", RecordType::MX, said)])).await;
    assert_eq!(resolver.exchangers("many.test").await.unwrap().records.len(), 50);
}

#[tokio::test]
async fn an_unsigned_answer_is_bogus_where_the_root_says_that_it_is_signed() {
    let server = NameServer::start(table(vec![(
        "a.test",
        RecordType::MX,
        Said::Records(vec![("a.test", mx(10, "mx.test"))]),
    )]))
    .await;
    let config = |validation| DnsConfig {
        servers: vec![server.addr],
        validation,
        timeout_ms: 200,
        ..DnsConfig::default()
    };
    let always = Resolver::new(&config(DnsValidation::Always)).unwrap();
    assert_eq!(always.exchangers("a.test").await.unwrap_err(), DnsFailure::Bogus);
    let auto = Resolver::new(&config(DnsValidation::Auto)).unwrap();
    assert!(!auto.validates().await, "the server hands no signatures through");
    assert_eq!(auto.exchangers("a.test").await.unwrap().records.len(), 1);
}
