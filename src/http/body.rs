//! Reads the body of a request: never more than a request may have, nor more of all requests together than memory bears.

use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use sealpost_domain::limits::{self, REQUEST_BYTES_MAX};
use tokio::time::Instant;

use super::error_code::ErrorCode;
use super::fault::Fault;
use crate::intake::HeldRoom;

/// How long the first piece of a body may take.
const GRACE: Duration = Duration::from_secs(30);
/// Pace below which a body is given up, in bytes per second: nobody holds room by sending drop by drop.
const PACE_BYTES_PER_S: u64 = limits::REQUEST_PACE_BYTES_PER_S;

/// A body, and the room that it takes as long as it is held.
pub(super) struct Body {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Given back when the request is answered.
    pub room: HeldRoom,
}

/// Reads a body to its end.
///
/// # Errors
/// [`ErrorCode::RequestTooLarge`], [`ErrorCode::Busy`] without room, [`ErrorCode::RequestTimedOut`],
/// [`ErrorCode::MalformedJson`] when the connection breaks.
pub(super) async fn read_body(mut payload: web::Payload, mut room: HeldRoom) -> Result<Body, Fault> {
    let limit = usize::try_from(REQUEST_BYTES_MAX).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let (began, mut received) = (Instant::now(), 0_usize);
    while let Some(piece) = next_piece(&mut payload, began, received).await? {
        received = received.saturating_add(piece.len());
        if received <= limit {
            room.grow(received)?;
            bytes.extend_from_slice(&piece);
            continue;
        }
        // Read on and forget, up to a point: a client that still writes would not see the answer.
        bytes = Vec::new();
        room.give_back();
        if received > limit.saturating_mul(2) {
            break;
        }
    }
    if received > limit {
        Err(ErrorCode::RequestTooLarge.into())
    } else {
        Ok(Body { bytes, room })
    }
}

async fn next_piece(payload: &mut web::Payload, began: Instant, received: usize) -> Result<Option<web::Bytes>, Fault> {
    let Ok(piece) = tokio::time::timeout_at(began + allowed(received), payload.next()).await else {
        return Err(ErrorCode::RequestTimedOut.into());
    };
    match piece {
        None => Ok(None),
        Some(Ok(piece)) => Ok(Some(piece)),
        Some(Err(_)) => Err(Fault::from(ErrorCode::MalformedJson).with_detail("The body of the request broke off.")),
    }
}

/// How long a body may have taken of which so much is there.
fn allowed(received: usize) -> Duration {
    GRACE.saturating_add(Duration::from_secs(received as u64 / PACE_BYTES_PER_S))
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    use super::*;
    use crate::intake::ContentRoom;

    async fn payload(bytes: Vec<u8>) -> web::Payload {
        let (request, mut payload) = TestRequest::default().set_payload(bytes).to_http_parts();
        web::Payload::from_request(&request, &mut payload).await.unwrap()
    }

    fn held(room: &ContentRoom) -> HeldRoom {
        room.of_peer(std::net::IpAddr::from([192, 0, 2, 1]))
    }

    #[actix_web::test]
    async fn a_body_is_read_and_its_room_is_given_back() {
        let room = ContentRoom::of_bytes(64 << 10, 64 << 10);
        let body = read_body(payload(vec![b'a'; 26_000]).await, held(&room)).await.unwrap();
        // 26,000 bytes less the 16 KiB that are free: 9,616, in 10 KiB.
        assert_eq!((body.bytes.len(), room.free_kib()), (26_000, 54));
        drop(body);
        assert_eq!(room.free_kib(), 64);
    }

    #[actix_web::test]
    async fn too_much_of_one_and_too_much_of_all_are_refused() {
        let room = ContentRoom::default();
        let large = vec![b'a'; usize::try_from(REQUEST_BYTES_MAX).unwrap() + 1];
        let refused = read_body(payload(large).await, held(&room)).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::RequestTooLarge);
        let full = ContentRoom::of_bytes(4 << 10, 4 << 10);
        let refused = read_body(payload(vec![b'a'; 26_000]).await, held(&full))
            .await
            .err()
            .unwrap();
        assert_eq!((refused.code, full.free_kib()), (ErrorCode::Busy, 4));
    }

    #[actix_web::test]
    async fn a_usual_mail_needs_no_room() {
        let full = ContentRoom::of_bytes(0, 0);
        let body = read_body(payload(vec![b'a'; 16_384]).await, held(&full)).await.unwrap();
        assert_eq!(body.bytes.len(), 16_384);
    }

    #[test]
    fn a_large_body_may_take_longer_and_none_for_ever() {
        assert_eq!(allowed(0), GRACE);
        let largest = allowed(usize::try_from(REQUEST_BYTES_MAX).unwrap());
        assert_eq!(largest, Duration::from_secs(310));
    }
}
