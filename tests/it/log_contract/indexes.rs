//! The indexes that decide an act: in the same transaction as their events, and the same after a restart.

use sealpost::clock::draw_uuid;
use sealpost::log::AppendFailure;
use sealpost_domain::Instant;
use sealpost_domain::ids::{KeyId, UserId};
use sealpost_domain::rights::KeyHash;
use sealpost_domain::suppression::SuppressionReason;
use sealpost_domain::user::LoginToken;

use super::events::{security, token};
use super::world::{Fixture, World};

pub fn a_key_is_found_by_its_hash<F: Fixture>() {
    let mut world = World::<F>::new();
    let cast = &world.cast;
    let (key, hash) = (KeyId::from_uuid(draw_uuid()), KeyHash::from_hex("ab".repeat(32)));
    assert_eq!(world.log.read().key(&hash).unwrap(), None);
    world.append(security(vec![cast.issued(cast.ann, key, &hash)])).unwrap();
    let ann = cast.ann;
    assert_eq!(world.log.read().key(&hash).unwrap(), Some((ann, key)));
    world.reopen();
    assert_eq!(world.log.read().key(&hash).unwrap(), Some((ann, key)));
    let cast = &world.cast;
    let copy = cast.issued(cast.ben, KeyId::from_uuid(draw_uuid()), &hash);
    assert!(matches!(
        world.append(security(vec![copy])),
        Err(AppendFailure::Conflict { .. })
    ));
    assert_eq!(world.log.read().key(&hash).unwrap(), Some((ann, key)));
}

pub fn a_login_is_found_by_its_token_and_taken_once<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let token = LoginToken::from_hex("cd".repeat(16));
    let [first, second] = [(), ()].map(|()| UserId::from_uuid(draw_uuid()));
    // Both in one round: the second sees the first, though it is not on disk.
    world.faults.shut();
    let blocker = world.ask(security(vec![cast.opened(cast.ann)])).unwrap();
    world.faults.wait_until_one_waits();
    let register = |account, user| security(vec![cast.registered(&world.vault, account, user, &token)]);
    let won = world.ask(register(cast.ann, first)).unwrap();
    let lost = world.ask(register(cast.ben, second)).unwrap();
    world.faults.open();
    blocker.wait().unwrap();
    assert!(won.wait().is_ok());
    assert!(matches!(lost.wait(), Err(AppendFailure::Conflict { .. })));
    assert_eq!(world.log.read().login(&token).unwrap(), Some((cast.ann, first)));
    assert_eq!(
        world.log.read().login(&LoginToken::from_hex("00".repeat(16))).unwrap(),
        None
    );
}

pub fn suppressed_addresses_come_and_go<F: Fixture>() {
    let world = World::<F>::new();
    let cast = &world.cast;
    let ask = |account| {
        let other = sealpost_domain::address::AddressToken::from_mac([9; 16]);
        let found = world.log.read().suppressed(account, &[other, token()]).unwrap();
        assert_eq!(found[0], None);
        found[1]
    };
    let until = Some(Instant::from_millis(1_800_000_000_000));
    world
        .append(security(vec![cast.suppressed(
            cast.ann,
            SuppressionReason::Manual,
            until,
        )]))
        .unwrap();
    assert_eq!(ask(cast.ann), Some((SuppressionReason::Manual, until)));
    assert_eq!(ask(cast.ben), None, "another account's list");
    world
        .append(security(vec![cast.suppressed(
            cast.ann,
            SuppressionReason::HardBounce,
            None,
        )]))
        .unwrap();
    assert_eq!(ask(cast.ann), Some((SuppressionReason::HardBounce, None)));
    world.append(security(vec![cast.released(cast.ann)])).unwrap();
    assert_eq!(ask(cast.ann), None);
}
