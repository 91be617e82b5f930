//! Names what a receiver hands over, and to whom.

use std::io;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::smtp::wire::{ForwardPath, ReversePath};

/// One message as it came in.
#[derive(Clone)]
pub struct Received {
    /// Where failures are to be reported to.
    pub reverse_path: ReversePath,
    /// The recipients that were accepted; at least one.
    pub forward_paths: Vec<ForwardPath>,
    /// The content with CRLF line ends, dot-stuffing removed, without the final dot.
    pub content: Vec<u8>,
    /// Version of TLS, such as `TLSv1.3`; `None` when it came in clear text.
    pub tls: Option<String>,
    /// When the final dot had been read.
    pub received_at: DateTime<Utc>,
}

/// Takes messages in.
#[async_trait]
pub trait Deposit: Send + Sync {
    /// Stores the message; the sender gets `250` when this returns, and forgets the message then.
    ///
    /// # Errors
    /// Any error makes the sender try again later (`451`).
    async fn deposit(&self, received: Received) -> io::Result<()>;
}
