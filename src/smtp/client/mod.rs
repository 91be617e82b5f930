//! Speaks SMTP outward: one connection, its stages as types, each stage with its own time limit.
//!
//! A dialogue is `Connection::open` → [`Connection::greet`] → [`Connection::secure`] or
//! [`Connection::stay_in_clear`] → [`Connection::mail_rcpt`] → [`Transaction::data`] → … → [`Connection::finish`].
//! Only a connection whose user has chosen between TLS and clear text can carry mail. Nothing here decides: no retry,
//! no policy, no fallback; every way to fail is a variant that says what the server can have accepted.

mod certificate;
mod channel;
mod connect;
mod content;
mod exchange;
mod failure;
mod finish;
mod greet;
mod handshake;
mod login;
mod secure;
mod stream;
mod timeouts;
mod tls_client;
mod transact;
mod transcript;

pub use certificate::CertificateVerdict;
pub use connect::{Connection, Opened, Route};
pub use failure::{Broken, Cause, Refusal, Stage};
pub use greet::{GreetFailure, Greeted};
pub use handshake::{HandshakeFailure, HandshakeFault};
pub use login::{Credentials, LoginFailure};
pub use secure::{Ready, SecureFailure, TlsFailureClass};
pub use timeouts::Timeouts;
pub use tls_client::{ClientHello, TlsClient, TlsDemand, TlsFacts, TlsOrder, TlsSession};
pub use transact::{Envelope, EnvelopeFailure, Transaction, TransactionOutcome, Unsupported};
pub use transcript::{Direction, Recorder, Transcript, TranscriptLine};
