//! Ends the connection of a request whose chunked body was not read to its end, once it is answered.
//!
//! The HTTP library reads a chunked body that nobody wants on to its end, however long that takes, so that the
//! connection can be used again: whoever sends a small chunk now and then would hold it for ever. It does so only when
//! nobody holds the body any more; here the answer holds it until it is sent.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use futures_util::Stream;

/// The body of a request, for its reader and for the answer.
#[derive(Clone)]
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<web::Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// The body of an answer, and that of its request where it was chunked.
pub(super) struct Answer {
    body: BoxBody,
    _request: Option<Shared>,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

/// Lets the answer hold a chunked body of its request.
///
/// # Errors
/// What the handler says.
pub(super) async fn end_unread(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Answer>, actix_web::Error> {
    let mut held = None;
    // Where the header cannot be read, the library refuses the request by itself.
    if request.chunked().unwrap_or(false) {
        let shared = Shared(Rc::new(RefCell::new(request.take_payload())));
        let payload = Box::pin(shared.clone());
        request.set_payload(Payload::Stream { payload });
        held = Some(shared);
    }
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| Answer {
        body: body.boxed(),
        _request: held,
    }))
}
