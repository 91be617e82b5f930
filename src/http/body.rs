//! Reads the body of a request: never more than a request may have, nor more of all requests together than memory bears.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use sealpost_domain::limits::{REQUEST_BODIES_BYTES_MAX, REQUEST_BYTES_MAX};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error_code::ErrorCode;
use super::fault::Fault;

/// How long the next piece of a body may take.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// Room for the bodies of all requests, in KiB. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> Self {
        Self::of_bytes(REQUEST_BODIES_BYTES_MAX)
    }
}

impl BodyRoom {
    fn of_bytes(bytes: u64) -> Self {
        Self(Arc::new(Semaphore::new(
            usize::try_from(bytes >> 10).unwrap_or(usize::MAX),
        )))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.0
            .clone()
            .try_acquire_many_owned(kib)
            .map_err(|_| Fault::from(ErrorCode::Busy))
    }
}

/// A body, and the room that it takes as long as it is held.
pub(super) struct Body {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Given back when the request is answered: what is parsed from a body is as large as it.
    pub room: Option<OwnedSemaphorePermit>,
}

/// Reads a body to its end.
///
/// # Errors
/// [`ErrorCode::RequestTooLarge`], [`ErrorCode::Busy`] without room, [`ErrorCode::RequestTimedOut`],
/// [`ErrorCode::MalformedJson`] when the connection breaks.
pub(super) async fn read_body(mut payload: web::Payload, room: &BodyRoom) -> Result<Body, Fault> {
    let limit = usize::try_from(REQUEST_BYTES_MAX).unwrap_or(usize::MAX);
    let mut body = Body {
        bytes: Vec::new(),
        room: None,
    };
    let mut discarded = 0_usize;
    while let Some(piece) = next_piece(&mut payload).await? {
        if discarded > 0 || body.bytes.len().saturating_add(piece.len()) > limit {
            // Read on and forget: a client that still writes would not see the answer.
            discarded = discarded.saturating_add(piece.len());
            body = Body {
                bytes: Vec::new(),
                room: None,
            };
            if discarded > limit {
                break;
            }
            continue;
        }
        let taken = room.take(piece.len())?;
        match &mut body.room {
            Some(room) => room.merge(taken),
            empty => *empty = Some(taken),
        }
        body.bytes.extend_from_slice(&piece);
    }
    if discarded > 0 {
        Err(ErrorCode::RequestTooLarge.into())
    } else {
        Ok(body)
    }
}

async fn next_piece(payload: &mut web::Payload) -> Result<Option<web::Bytes>, Fault> {
    let piece = tokio::time::timeout(PIECE_WITHIN, payload.next()).await;
    match piece.map_err(|_| ErrorCode::RequestTimedOut)? {
        None => Ok(None),
        Some(Ok(piece)) => Ok(Some(piece)),
        Some(Err(_)) => Err(Fault::from(ErrorCode::MalformedJson).with_detail("The body of the request broke off.")),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    use super::*;

    async fn payload(bytes: Vec<u8>) -> web::Payload {
        let (request, mut payload) = TestRequest::default().set_payload(bytes).to_http_parts();
        web::Payload::from_request(&request, &mut payload).await.unwrap()
    }

    #[actix_web::test]
    async fn a_body_is_read_and_its_room_is_given_back() {
        let room = BodyRoom::of_bytes(64 << 10);
        let body = read_body(payload(vec![b'a'; 10_000]).await, &room).await.unwrap();
        assert_eq!((body.bytes.len(), room.0.available_permits()), (10_000, 54));
        drop(body);
        assert_eq!(room.0.available_permits(), 64);
    }

    #[actix_web::test]
    async fn too_much_of_one_and_too_much_of_all_are_refused() {
        let room = BodyRoom::default();
        let large = vec![b'a'; usize::try_from(REQUEST_BYTES_MAX).unwrap() + 1];
        let refused = read_body(payload(large).await, &room).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::RequestTooLarge);
        let small = BodyRoom::of_bytes(4 << 10);
        let refused = read_body(payload(vec![b'a'; 10_000]).await, &small)
            .await
            .err()
            .unwrap();
        assert_eq!(refused.code, ErrorCode::Busy);
        assert_eq!(small.0.available_permits(), 4);
    }
}
