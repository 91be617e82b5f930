//! One bad call: what it is, what it must be answered, and the check that it left nothing behind.

use serde_json::Value;

use crate::support::{Answer, Sealpost, SendingKey, mandrill_mail, v1_mail};

/// Members, each wrong on its own: its name, its bad value, what the answer must name.
pub type Table = Vec<(&'static str, Value, &'static str)>;

/// What a bad call is answered by each API.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// Status and code of `/v1`.
    pub v1: (u16, &'static str),
    /// Status and name of Mandrill's API.
    pub mandrill: (u16, &'static str),
}

/// A field is wrong.
pub const INVALID: Refused = Refused {
    v1: (422, "validation_failed"),
    mandrill: (422, "ValidationError"),
};

/// The body is no JSON.
pub const MALFORMED: Refused = Refused {
    v1: (400, "malformed_json"),
    mandrill: (422, "ValidationError"),
};

/// Checks an answer of `/v1`; `field` is the member that it must name, empty for none.
#[track_caller]
pub fn check_v1(name: &str, answer: &Answer, refused: Refused, field: &str) {
    assert_eq!(answer.problem(), refused.v1, "{name}: {}", answer.body);
    assert_eq!(answer.body["field"].as_str().unwrap_or(""), field, "{name}");
    check_documented(refused.v1.1);
}

/// Checks an answer of Mandrill's API; its text must contain `says`.
#[track_caller]
pub fn check_mandrill(name: &str, answer: &Answer, refused: Refused, says: &str) {
    let (status, error, text) = answer.mandrill_error();
    assert_eq!((status, error), refused.mandrill, "{name}: {text}");
    assert!(text.contains(says), "{name}: {text}");
}

/// Every code stands in the document.
#[track_caller]
fn check_documented(code: &str) {
    let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md"));
    assert!(
        document.contains(&format!("| `{code}` |")),
        "{code} is not in docs/errors.md"
    );
}

/// A program, and the place in its log that bad calls must not move.
pub struct Watched {
    /// The program.
    pub sealpost: Sealpost,
    /// A key that may send.
    pub key: SendingKey,
    head: u64,
}

impl Watched {
    /// Watches from now on.
    pub async fn new(sealpost: Sealpost) -> Self {
        let key = sealpost.sending_key().await;
        let head = sealpost.head();
        Self { sealpost, key, head }
    }

    /// Nothing was recorded since the last look.
    pub fn check_unmoved(&self, name: &str) {
        assert_eq!(self.sealpost.head(), self.head, "{name} left a record");
    }

    /// Nothing but this was recorded since the last look.
    pub async fn check_recorded(&mut self, name: &str, events: &[&str]) {
        assert_eq!(self.sealpost.recorded_after(self.head).await, events, "{name}");
        self.head = self.sealpost.head();
    }

    /// The next request of both APIs is served, and its mail arrives.
    pub async fn check_serving(&mut self) {
        let arrived = self.sealpost.inbox.count();
        let mandrill = self.key.send(mandrill_mail(&["next@inbox.test"])).await;
        assert_eq!(mandrill[0]["status"], "sent");
        let v1 = self.key.send_v1(&v1_mail(&["next@inbox.test"])).await;
        assert_eq!(v1[0]["status"], "accepted");
        self.sealpost.inbox.wait_for(arrived + 2).await;
        for id in [&mandrill[0]["_id"], &v1[0]["id"]] {
            self.sealpost.until(id.as_str().unwrap(), "MessageDelivered").await;
        }
        self.head = self.sealpost.head();
    }
}

/// A mail with a member in another state; `null` takes it out.
pub fn with(mut mail: Value, name: &str, value: &Value) -> Value {
    let members = mail.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value.clone());
    }
    mail
}
