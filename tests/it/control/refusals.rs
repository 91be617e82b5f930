//! Commands that cannot be carried out: each with its code, and nothing on record.

use serde_json::{Value, json};

use crate::support::{Sealpost, spawn_sealpost};

/// An id that nothing has.
const NOBODY: &str = "0123456789abcdef0123456789abcdef";

/// Path, body, status, code, and the field that the answer names.
type Table = Vec<(String, Value, u16, &'static str, &'static str)>;

/// Members with the account before them.
fn of(account: &str, mut members: Value) -> Value {
    members["account"] = account.into();
    members
}

fn accounts_and_users(account: &str, taken: &str) -> Table {
    let login = |login: &str, password: &str| json!({ "name": "A", "login": login, "password": password });
    let user = |login: &str| json!({ "login": login, "password": "correct horse battery" });
    let on = |path: &str| path.to_owned();
    vec![
        (on("/accounts"), json!({}), 422, "validation_failed", "name"),
        (
            on("/accounts"),
            json!({ "name": "A" }),
            422,
            "validation_failed",
            "contact",
        ),
        (
            on("/accounts"),
            json!({ "name": "A", "contact": "nobody" }),
            422,
            "validation_failed",
            "contact",
        ),
        (
            on("/accounts"),
            login("nobody", "correct horse battery"),
            422,
            "validation_failed",
            "login",
        ),
        (
            on("/accounts"),
            login("bob@example.org", "short"),
            422,
            "validation_failed",
            "password",
        ),
        (
            on("/accounts"),
            json!({ "name": "A", "contact": "a@b.org", "x": 1 }),
            422,
            "validation_failed",
            "x",
        ),
        (on("/users"), of(account, user(taken)), 409, "login_taken", ""),
        (
            on("/users"),
            of(NOBODY, user("bob@example.org")),
            404,
            "unknown_account",
            "",
        ),
        (
            on("/users"),
            of("no-id", user("bob@example.org")),
            404,
            "unknown_account",
            "",
        ),
        (on("/users"), of(account, json!({})), 422, "validation_failed", "login"),
    ]
}

fn domains_and_keys(account: &str) -> Table {
    let domain = |domain: &str| json!({ "domain": domain });
    let on = |path: &str| path.to_owned();
    let key = |verb: &str| format!("/keys/{NOBODY}/{verb}");
    vec![
        (
            on("/domains"),
            of(account, domain("example.org")),
            409,
            "already_exists",
            "",
        ),
        (
            on("/domains"),
            of(account, domain("no domain")),
            422,
            "validation_failed",
            "domain",
        ),
        (
            on("/domains"),
            of(account, json!({})),
            422,
            "validation_failed",
            "domain",
        ),
        (on("/domains"), of(NOBODY, domain("b.org")), 404, "unknown_account", ""),
        (
            on("/domains"),
            of(account, json!({ "domain": "b.org", "dkim": "dsa" })),
            422,
            "validation_failed",
            "dkim",
        ),
        (
            on("/domains/example.org/dkim"),
            of(account, json!({})),
            422,
            "validation_failed",
            "dkim",
        ),
        (
            on("/domains/other.org/dkim"),
            of(account, json!({ "dkim": "rsa" })),
            404,
            "unknown_domain",
            "",
        ),
        (on("/keys"), of(NOBODY, json!({})), 404, "unknown_account", ""),
        (
            on("/keys"),
            of(account, json!({ "kind": "root" })),
            422,
            "validation_failed",
            "kind",
        ),
        (key("revoke"), of(account, json!({})), 404, "unknown_key", ""),
        (key("freeze"), of(account, json!({})), 404, "unknown_key", ""),
        (key("thaw"), of(account, json!({})), 404, "unknown_key", ""),
        (key("thaw"), of(NOBODY, json!({})), 404, "unknown_account", ""),
    ]
}

fn messages_and_paths() -> Table {
    let on = |path: &str| path.to_owned();
    vec![
        (format!("/queue/{NOBODY}/hold"), json!({}), 404, "unknown_message", ""),
        (on("/queue/no-id/hold"), json!({}), 404, "unknown_message", ""),
        (on("/no/such/command"), json!({}), 404, "unknown_route", ""),
        (on("/status"), json!({}), 405, "method_not_allowed", ""),
    ]
}

async fn check(sealpost: &Sealpost, table: Table) {
    let (control, before) = (sealpost.control(), sealpost.head());
    for (path, body, status, code, field) in table {
        let answer = control.post(&path, &body).await;
        assert_eq!(answer.problem(), (status, code), "{path} {body}");
        assert_eq!(answer.body["field"].as_str().unwrap_or(""), field, "{path} {body}");
        assert_eq!(
            sealpost.recorded_after(before).await,
            Vec::<String>::new(),
            "{path} {body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_has_its_code_and_leaves_nothing() {
    let sealpost = spawn_sealpost().await;
    let account = sealpost.account.clone();
    let user = json!({ "login": "ann@example.org", "password": "correct horse battery" });
    sealpost.control().post("/users", &of(&account, user)).await.ok();
    check(&sealpost, accounts_and_users(&account, "ann@example.org")).await;
    check(&sealpost, domains_and_keys(&account)).await;
    check(&sealpost, messages_and_paths()).await;
    for list in ["keys", "domains"] {
        let answer = sealpost.control().get(&format!("/{list}?account={NOBODY}")).await;
        assert_eq!(answer.problem(), (404, "unknown_account"), "{list}");
    }
    sealpost.control().get("/status").await.ok();
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_several_accounts_one_must_be_named() {
    let sealpost = spawn_sealpost().await;
    let control = sealpost.control();
    let keys = control.get("/keys").await.ok();
    assert_eq!(keys["keys"], json!([]), "the only account's");
    sealpost.stranger("other.example").await;
    let answer = control.get("/keys").await;
    assert_eq!(answer.problem(), (422, "validation_failed"));
    assert_eq!(answer.body["field"], "account");
    let accounts = control.get("/accounts").await.ok();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
    let account = &sealpost.account;
    control.get(&format!("/keys?account={account}")).await.ok();
    sealpost.stop().await;
}
