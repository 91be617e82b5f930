//! Given/when/then of `sending_domain`, and when mail may be sent in its name.

use cqrs_es::test::TestFramework;

use super::*;
use crate::address::DomainName;
use crate::personal::Personal;

fn domain() -> DomainName {
    DomainName::parse("example.org").unwrap()
}

fn add() -> SendingDomainCommand {
    SendingDomainCommand::AddDomain { domain: domain() }
}

fn added() -> SendingDomainEvent {
    SendingDomainEvent::DomainAdded { domain: domain() }
}

fn verify() -> SendingDomainCommand {
    SendingDomainCommand::VerifyOwnership {
        proof: OwnershipProof::Dns,
    }
}

fn verified() -> SendingDomainEvent {
    SendingDomainEvent::OwnershipVerified {
        proof: OwnershipProof::Dns,
    }
}

fn key(selector: &str) -> Box<DkimKey> {
    Box::new(DkimKey {
        selector: selector.to_owned(),
        algorithm: "ed25519-sha256".to_owned(),
        public_key: "AAAA".to_owned(),
        private_key: Personal::Erased,
    })
}

fn create(selector: &str) -> SendingDomainCommand {
    SendingDomainCommand::CreateDkimKey(key(selector))
}

fn created(selector: &str) -> SendingDomainEvent {
    SendingDomainEvent::DkimKeyCreated(key(selector))
}

fn activate(selector: &str) -> SendingDomainCommand {
    SendingDomainCommand::ActivateDkimKey {
        selector: selector.to_owned(),
    }
}

fn activated(selector: &str) -> SendingDomainEvent {
    SendingDomainEvent::DkimKeyActivated {
        selector: selector.to_owned(),
    }
}

fn then_event(given: Vec<SendingDomainEvent>, when: SendingDomainCommand, then: SendingDomainEvent) {
    TestFramework::<SendingDomain>::with(())
        .given(given)
        .when(when)
        .then_expect_events(vec![then]);
}

fn then_refusal(given: Vec<SendingDomainEvent>, when: SendingDomainCommand, then: SendingDomainRefusal) {
    TestFramework::<SendingDomain>::with(())
        .given(given)
        .when(when)
        .then_expect_error(then);
}

#[test]
fn a_domain_is_added_once_and_again_after_its_removal() {
    then_event(vec![], add(), added());
    then_refusal(vec![added()], add(), SendingDomainRefusal::AlreadyAdded);
    then_event(vec![added(), SendingDomainEvent::DomainRemoved], add(), added());
}

#[test]
fn nothing_is_asked_of_a_domain_that_is_not_the_accounts() {
    for given in [vec![], vec![added(), verified(), SendingDomainEvent::DomainRemoved]] {
        for command in [
            verify(),
            create("s1"),
            activate("s1"),
            SendingDomainCommand::RemoveDomain,
        ] {
            then_refusal(given.clone(), command, SendingDomainRefusal::Unknown);
        }
    }
}

#[test]
fn ownership_is_verified_once() {
    then_event(vec![added()], verify(), verified());
    then_refusal(
        vec![added(), verified()],
        verify(),
        SendingDomainRefusal::AlreadyVerified,
    );
}

#[test]
fn a_selector_names_one_key() {
    then_event(vec![added()], create("s1"), created("s1"));
    then_event(vec![added(), created("s1")], create("s2"), created("s2"));
    then_refusal(
        vec![added(), created("s1")],
        create("s1"),
        SendingDomainRefusal::SelectorTaken,
    );
}

#[test]
fn only_a_key_that_exists_signs() {
    then_event(vec![added(), created("s1")], activate("s1"), activated("s1"));
    then_refusal(
        vec![added(), created("s1")],
        activate("s2"),
        SendingDomainRefusal::UnknownSelector,
    );
}

#[test]
fn a_domain_is_removed() {
    let removed = SendingDomainEvent::DomainRemoved;
    then_event(vec![added()], SendingDomainCommand::RemoveDomain, removed);
}

#[test]
fn mail_is_signed_once_the_domain_is_verified_and_a_key_is_active() {
    let fold = |events: &[SendingDomainEvent]| {
        let mut domain = SendingDomain::default();
        events.iter().for_each(|event| domain.evolve(event));
        domain
    };
    let all = [
        added(),
        verified(),
        created("s1"),
        created("s2"),
        activated("s1"),
        activated("s2"),
    ];
    assert_eq!(
        fold(&all).signing_keys().collect::<Vec<_>>(),
        [&*key("s2")],
        "the last one activated signs"
    );
    for part in [&all[..1], &all[..2], &all[..4]] {
        assert!(!fold(part).can_sign(), "after {} events", part.len());
    }
    assert!(fold(&all[..5]).can_sign());
    assert!(
        !fold(&[added(), created("s1"), activated("s1")]).can_sign(),
        "not verified"
    );
    let mut removed = all.to_vec();
    removed.push(SendingDomainEvent::DomainRemoved);
    assert_eq!(
        fold(&removed),
        SendingDomain::default(),
        "nothing is left after the removal"
    );
}

fn rsa(selector: &str) -> SendingDomainEvent {
    SendingDomainEvent::DkimKeyCreated(Box::new(DkimKey {
        algorithm: DkimAlgorithm::Rsa.as_str().to_owned(),
        ..*key(selector)
    }))
}

fn choose(signing: DkimSigning) -> SendingDomainCommand {
    SendingDomainCommand::ChooseSigning { signing }
}

fn chosen(signing: DkimSigning) -> SendingDomainEvent {
    SendingDomainEvent::DkimSigningChosen { signing }
}

fn two_keys() -> Vec<SendingDomainEvent> {
    vec![
        added(),
        verified(),
        rsa("r1"),
        activated("r1"),
        created("e1"),
        activated("e1"),
    ]
}

#[test]
fn a_choice_is_made_among_active_keys_and_once() {
    then_event(two_keys(), choose(DkimSigning::Rsa), chosen(DkimSigning::Rsa));
    then_event(two_keys(), choose(DkimSigning::Ed25519), chosen(DkimSigning::Ed25519));
    then_event(vec![added()], choose(DkimSigning::None), chosen(DkimSigning::None));
    then_refusal(
        two_keys(),
        choose(DkimSigning::Both),
        SendingDomainRefusal::SigningAlreadyChosen,
    );
    let rsa_alone = [&two_keys()[..4], &[chosen(DkimSigning::Rsa), created("e1")]].concat();
    for signing in [DkimSigning::Ed25519, DkimSigning::Both] {
        then_refusal(
            rsa_alone.clone(),
            choose(signing),
            SendingDomainRefusal::NoKeyForSigning,
        );
    }
}

#[test]
fn the_chosen_keys_sign_and_a_new_key_takes_the_place_of_its_own_kind() {
    let signing = |more: &[SendingDomainEvent]| {
        let mut domain = SendingDomain::default();
        two_keys().iter().chain(more).for_each(|event| domain.evolve(event));
        let selectors = domain.signing_keys().map(|key| key.selector.clone());
        (selectors.collect::<Vec<_>>().join(" "), domain.can_sign())
    };
    assert_eq!(signing(&[]), ("r1 e1".to_owned(), true), "both before any choice");
    let rotated = [created("e2"), activated("e2")];
    assert_eq!(signing(&rotated), ("r1 e2".to_owned(), true));
    for (choice, selectors) in [
        (DkimSigning::Rsa, "r1"),
        (DkimSigning::Ed25519, "e1"),
        (DkimSigning::Both, "r1 e1"),
        (DkimSigning::None, ""),
    ] {
        assert_eq!(signing(&[chosen(choice)]), (selectors.to_owned(), true), "{choice:?}");
    }
}

#[test]
fn a_domain_of_one_rsa_key_signs_with_it() {
    let mut domain = SendingDomain::default();
    two_keys()[..4].iter().for_each(|event| domain.evolve(event));
    assert!(domain.can_sign());
    assert_eq!(domain.signing_keys().count(), 1);
    domain.evolve(&chosen(DkimSigning::Ed25519));
    assert!(!domain.can_sign(), "no key is left that signs");
}
