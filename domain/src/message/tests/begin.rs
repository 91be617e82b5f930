//! How a message begins: accepted or turned away, once.

use super::*;

#[test]
fn a_message_is_accepted_once() {
    in_each_phase(&MessageCommand::Accept(accept()), |phase| match phase {
        Phase::New => Ok(vec![accepted()]),
        _ => Err(MessageRefusal::AlreadyExists),
    });
}

#[test]
fn a_message_is_turned_away_once_and_never_after_its_accept() {
    in_each_phase(&MessageCommand::Reject(reject()), |phase| match phase {
        Phase::New => Ok(vec![MessageEvent::MessageRejected(reject())]),
        _ => Err(MessageRefusal::AlreadyExists),
    });
}

#[test]
fn an_accepted_message_is_due_at_once_and_knows_its_order() {
    let message = fold(&[accepted()]);
    assert_eq!(message.due_at, Some(at(ACCEPTED_MS)));
    let order = message.order.unwrap();
    let accept = *accept();
    assert_eq!(
        (
            order.key,
            order.recipient_domain,
            order.address_token,
            order.recipient_key
        ),
        (
            accept.key,
            accept.recipient_domain,
            accept.address_token,
            accept.recipient_key
        )
    );
    assert_eq!(
        (order.from_domain, order.content, order.tls_required),
        (accept.from_domain, accept.content, accept.tls_required)
    );
    assert_eq!(
        (order.accepted_at, order.expires_at),
        (accept.accepted_at, accept.expires_at)
    );
}

#[test]
fn a_rejected_message_has_no_order() {
    assert_eq!(fold(&[MessageEvent::MessageRejected(reject())]).order, None);
}
