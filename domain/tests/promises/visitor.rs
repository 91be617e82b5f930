//! Visitors that seal, erase, open and list the personal fields of a sample.

use std::collections::BTreeMap;

use sealpost_domain::ids::DataKeyId;
use sealpost_domain::personal::{HasPersonal, PersonalField, PersonalVisitor, Sealed, Subject};
use uuid::Uuid;

/// Seals every field: no cipher, but a box that tells whose it is and what was in it.
#[derive(Default)]
pub struct Seal {
    plain: BTreeMap<String, Vec<u8>>,
}

impl PersonalVisitor for Seal {
    fn field(&mut self, name: &'static str, subject: Subject, field: &mut dyn PersonalField) {
        let plain = field.plain().expect("a sample's field is known");
        let key = DataKeyId::from_uuid(Uuid::from_u128(match subject {
            Subject::Account => 0xac,
            Subject::User(_) => 0x05,
            Subject::Recipient => 0x4e,
        }));
        let sealed = Sealed::new(key, &format!("nonce-and-box-of-{name}"));
        self.plain.insert(sealed.as_str().to_owned(), plain);
        field.seal(sealed);
    }
}

/// Opens what [`Seal`] sealed.
pub struct Open(Seal);

impl PersonalVisitor for Open {
    fn field(&mut self, _name: &'static str, _subject: Subject, field: &mut dyn PersonalField) {
        let sealed = field.sealed().expect("a sealed field").as_str();
        let plain = self.0.plain.get(sealed).expect("a box that was sealed here");
        field.open(plain).expect("the field's own JSON");
    }
}

/// Erases every field.
struct Erase;

impl PersonalVisitor for Erase {
    fn field(&mut self, _name: &'static str, _subject: Subject, field: &mut dyn PersonalField) {
        field.erase();
    }
}

/// Lists every field and leaves it as it is.
#[derive(Default)]
struct List(Vec<(&'static str, Subject)>);

impl PersonalVisitor for List {
    fn field(&mut self, name: &'static str, subject: Subject, _field: &mut dyn PersonalField) {
        self.0.push((name, subject));
    }
}

/// The same with every personal field sealed, and who can open it again.
pub fn sealed<T: HasPersonal + Clone>(value: &T) -> (T, Open) {
    let (mut value, mut seal) = (value.clone(), Seal::default());
    value.visit_personal(&mut seal);
    (value, Open(seal))
}

/// The same with every personal field erased.
pub fn erased<T: HasPersonal + Clone>(value: &T) -> T {
    let mut value = value.clone();
    value.visit_personal(&mut Erase);
    value
}

/// The names of the personal fields and whose key seals each, in the order of the visit.
pub fn personal<T: HasPersonal + Clone>(value: &T) -> Vec<(&'static str, Subject)> {
    let (mut value, mut list) = (value.clone(), List::default());
    value.visit_personal(&mut list);
    list.0
}

/// Whose key it is, in words.
pub fn key_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Account => "account",
        Subject::User(_) => "user",
        Subject::Recipient => "recipient",
    }
}
