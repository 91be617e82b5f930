//! What is printed is parsed again as it was: blocks, addresses, names, ids, times, metadata, boxes.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::address::{AddressToken, DomainName, Mailbox};
use crate::ids::*;
use crate::instant::Instant;
use crate::metadata::{Actor, Channel, Metadata};
use crate::network::Network;
use crate::personal::{Personal, Sealed};

/// Through JSON and back.
fn wire<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(value).unwrap();
    prop_assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    Ok(())
}

/// Any address; one in three is IPv4 in the form of IPv6.
fn ip() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(Ipv4Addr::from_bits);
    prop_oneof![
        v4.clone().prop_map(IpAddr::V4),
        v4.prop_map(|v4| IpAddr::V6(v4.to_ipv6_mapped())),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn prefix(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

proptest! {
    #[test]
    fn network(ip in ip(), shorter in 0_u8..=128) {
        let whole = Network::parse(&ip.to_string()).unwrap();
        let block = Network::parse(&format!("{ip}/{}", prefix(ip).saturating_sub(shorter))).unwrap();
        for network in [whole, block, Network::around(ip)] {
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
            wire(&network)?;
        }
        prop_assert!(whole.contains(ip) && Network::around(ip).contains(ip));
        // A mapped block that is wider than all of IPv4 is one of IPv6, where IPv4 addresses are not.
        let is_ipv6 = prefix(ip.to_canonical()) < prefix(ip) && shorter > 32;
        prop_assert_eq!(block.contains(ip), !is_ipv6);
    }

    #[test]
    fn a_block_holds_the_addresses_that_share_its_first_bits(a: u32, b: u32, bits in 0_u32..=32) {
        let block = Network::parse(&format!("{}/{bits}", Ipv4Addr::from_bits(a))).unwrap();
        let same = (a ^ b).leading_zeros() >= bits;
        prop_assert_eq!(block.contains(IpAddr::V4(Ipv4Addr::from_bits(b))), same);
    }

    #[test]
    fn domain_name(text in domain_text()) {
        let name = DomainName::parse(&text).unwrap();
        prop_assert_eq!(name.as_str(), text.to_ascii_lowercase());
        prop_assert_eq!(DomainName::parse(&name.to_string()), Ok(name.clone()));
        wire(&name)?;
    }

    #[test]
    fn mailbox(local in "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[A-Za-z0-9+_-]{1,10}){0,3}", domain in domain_text()) {
        let mailbox = Mailbox::parse(&format!("{local}@{domain}")).unwrap();
        prop_assert_eq!(mailbox.local_part(), local.as_str());
        prop_assert_eq!(mailbox.domain(), DomainName::parse(&domain).unwrap());
        prop_assert_eq!(Mailbox::parse(&mailbox.to_string()), Ok(mailbox.clone()));
        wire(&mailbox)?;
    }

    #[test]
    fn ids(bits: u128) {
        let uuid = Uuid::from_u128(bits);
        id(AccountId::from_uuid(uuid), AccountId::to_hex)?;
        id(UserId::from_uuid(uuid), UserId::to_hex)?;
        id(KeyId::from_uuid(uuid), KeyId::to_hex)?;
        id(MessageId::from_uuid(uuid), MessageId::to_hex)?;
        id(RequestId::from_uuid(uuid), RequestId::to_hex)?;
        id(EventId::from_uuid(uuid), EventId::to_hex)?;
        id(AttemptId::from_uuid(uuid), AttemptId::to_hex)?;
        id(DataKeyId::from_uuid(uuid), DataKeyId::to_hex)?;
        id(PartId::from_uuid(uuid), PartId::to_hex)?;
        wire(&AddressToken::from_mac(bits.to_be_bytes()))?;
    }

    #[test]
    fn the_order_of_ids_is_the_order_of_their_texts(a: u128, b: u128) {
        let [a, b] = [a, b].map(|bits| MessageId::from_uuid(Uuid::from_u128(bits)));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(a.cmp(&b), a.to_hex().cmp(&b.to_hex()));
    }

    #[test]
    fn instant(millis: i64) {
        let instant = Instant::from_millis(millis);
        wire(&instant)?;
        prop_assert_eq!(Instant::from_datetime(instant.to_datetime()), instant);
        prop_assert_eq!(Instant::from_millis(instant.as_millis()), instant);
    }

    #[test]
    fn the_order_of_times_is_the_order_of_their_texts(a in LIFE_MS, b in LIFE_MS) {
        let [a, b] = [a, b].map(Instant::from_millis);
        wire(&a)?;
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn sealed(key: u128, boxed in "[A-Za-z0-9_-]{0,80}") {
        let key = DataKeyId::from_uuid(Uuid::from_u128(key));
        let sealed = Sealed::new(key, &boxed);
        prop_assert_eq!(sealed.key(), Some(key));
        prop_assert_eq!(sealed.boxed(), boxed.as_str());
        prop_assert_eq!(&Sealed::from_text(sealed.as_str().to_owned()), &sealed);
        wire(&sealed)?;
        wire(&Personal::<String>::Sealed(sealed))?;
    }

    #[test]
    fn a_box_of_any_text_is_kept_as_it_is(text in ".{0,60}") {
        let sealed = Sealed::from_text(text.clone());
        prop_assert_eq!(sealed.as_str(), text.as_str());
        // Whoever has no key of that form gets none, and nothing panics.
        prop_assert!(sealed.key().is_none() || text.contains('.'));
        prop_assert!(text.ends_with(sealed.boxed()));
        wire(&sealed)?;
    }

    #[test]
    fn personal(text in ".{0,20}") {
        wire(&Personal::Known(text))?;
        wire(&Personal::<String>::Erased)?;
    }

    #[test]
    fn metadata(metadata in any_metadata()) {
        let wire: BTreeMap<String, String> =
            metadata.to_wire().into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        prop_assert_eq!(Metadata::from_wire(&wire), Ok(metadata.clone()));
        prop_assert_eq!(metadata.actor.to_string().parse(), Ok(metadata.actor));
    }
}

/// Milliseconds from 1800 to 2260.
const LIFE_MS: std::ops::Range<i64> = -5_364_662_400_000..9_151_488_000_000;

fn id<T>(id: T, to_hex: impl Fn(&T) -> String) -> Result<(), TestCaseError>
where
    T: Display + FromStr + Serialize + DeserializeOwned + PartialEq + Debug,
    T::Err: Debug,
{
    prop_assert_eq!(&id.to_string().parse::<T>().unwrap(), &id);
    prop_assert_eq!(&to_hex(&id).parse::<T>().unwrap(), &id);
    wire(&id)
}

fn domain_text() -> impl Strategy<Value = String> {
    "([A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?\\.){1,4}[A-Za-z]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?"
}

/// A field as it is stored: sealed or erased.
fn field<T: Clone + Debug>() -> impl Strategy<Value = Personal<T>> {
    let sealed = "[0-9a-f]{32}\\.[A-Za-z0-9_-]{0,20}";
    prop_oneof![
        sealed.prop_map(|text| Personal::Sealed(Sealed::from_text(text))),
        Just(Personal::Erased),
    ]
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    let uuid = || any::<u128>().prop_map(Uuid::from_u128);
    let actor = prop_oneof![
        uuid().prop_map(|id| Actor::User(UserId::from_uuid(id))),
        uuid().prop_map(|id| Actor::Key(KeyId::from_uuid(id))),
        Just(Actor::System),
        Just(Actor::Operator),
    ];
    let channel = prop_oneof![
        Just(Channel::Api),
        Just(Channel::Smtp),
        Just(Channel::Console),
        Just(Channel::Cli),
        Just(Channel::System),
    ];
    let ids = (option::of(uuid()), option::of(uuid()), option::of(uuid()));
    let from = (option::of(field()), option::of(field()));
    (actor, channel, ids, ".{0,12}", from).prop_map(|(actor, channel, ids, node, (ip, user_agent))| Metadata {
        account: ids.0.map(AccountId::from_uuid),
        actor,
        channel,
        request: ids.1.map(RequestId::from_uuid),
        cause: ids.2.map(EventId::from_uuid),
        node,
        ip,
        user_agent,
    })
}
