//! Clients of a running program: nobody, a sending key, a management key, the operator at the control socket.

use std::net::SocketAddr;
use std::path::Path;

use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder};
use serde_json::{Value, json};

/// A client that asks no proxy and follows no redirect.
pub fn http_client() -> ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; as a string where it is none.
    pub body: Value,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self.body
    }

    /// A header's text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem, once it has been seen to be a whole one.
    #[track_caller]
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        (self.status, self.body["code"].as_str().unwrap())
    }

    /// Status, name and text of one of Mandrill's errors, once it has been seen to be a whole one.
    #[track_caller]
    pub fn mandrill_error(&self) -> (u16, &str, &str) {
        assert!(
            self.header("content-type").contains("application/json"),
            "{}",
            self.body
        );
        assert_eq!(self.body["status"], "error", "{}", self.body);
        assert!(self.body["code"].is_i64(), "{}", self.body);
        let text = |name: &str| self.body[name].as_str().unwrap();
        (self.status, text("name"), text("message"))
    }
}

/// Who has no key.
#[derive(Debug, Clone)]
pub struct Anonymous {
    http: Client,
    base: String,
}

impl Anonymous {
    /// A client of the door at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            http: http_client().build().unwrap(),
            base: format!("http://{address}"),
        }
    }

    /// Where the door is, as the beginning of a URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to be built further.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }
}

/// Who has a key and shows it in `Authorization`.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The key in clear.
    pub key: String,
    /// Its id.
    pub id: String,
    /// The way to the doors.
    pub door: Anonymous,
}

impl Bearer {
    /// A request to be built further.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.request(method, path).bearer_auth(&self.key)
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }
}

/// Who sends.
#[derive(Debug, Clone)]
pub struct SendingKey(pub Bearer);

impl SendingKey {
    /// The same key at another door.
    pub fn at(&self, address: SocketAddr) -> Self {
        let door = Anonymous::at(address);
        Self(Bearer { door, ..self.0.clone() })
    }

    /// Calls a method of Mandrill's API with the key among the members.
    pub async fn mandrill(&self, method: &str, mut members: Value) -> Answer {
        members["key"] = self.0.key.as_str().into();
        self.0.door.post(&format!("/api/1.0/{method}.json"), &members).await
    }

    /// Sends by Mandrill's API; the answers for each recipient.
    pub async fn send(&self, message: Value) -> Vec<Value> {
        let answer = self.mandrill("messages/send", json!({ "message": message })).await.ok();
        answer.as_array().unwrap().clone()
    }

    /// Sends by `/v1`; the answers for each recipient.
    pub async fn send_v1(&self, body: &Value) -> Vec<Value> {
        let answer = self.0.post("/v1/messages", body).await.ok();
        answer["messages"].as_array().unwrap().clone()
    }
}

/// Who manages keys.
#[derive(Debug, Clone)]
pub struct ManagementKey(pub Bearer);

impl ManagementKey {
    /// Issues a key.
    pub async fn issue(&self, body: &Value) -> Answer {
        self.0.post("/v1/keys", body).await
    }

    /// The account's keys.
    pub async fn keys(&self) -> Vec<Value> {
        let answer = self.0.get("/v1/keys").await.ok();
        answer["keys"].as_array().unwrap().clone()
    }

    /// Revokes, freezes or thaws a key.
    pub async fn act(&self, verb: &str, key: &str) -> Answer {
        let path = format!("/v1/keys/{key}/{verb}");
        self.0.post(&path, &json!({ "reason": "asked for" })).await
    }
}

/// The operator.
#[derive(Debug, Clone)]
pub struct ControlSocket(Client);

impl ControlSocket {
    /// A client of this socket.
    pub fn at(socket: &Path) -> Self {
        Self(http_client().unix_socket(socket).build().unwrap())
    }

    /// Posts a command.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.0.post(format!("http://localhost{path}")).json(body)).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.0.get(format!("http://localhost{path}"))).await
    }

    /// Issues a key of a kind; its text and its id.
    pub async fn issue(&self, account: &str, kind: &str) -> (String, String) {
        let wanted = json!({ "account": account, "kind": kind, "label": "test" });
        let issued = self.post("/keys", &wanted).await.ok();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        (text("key"), text("id"))
    }
}
