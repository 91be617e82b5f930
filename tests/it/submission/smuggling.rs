//! SMTP smuggling: whatever a content ends its lines with, one message in is one message out, or none.

use super::world::{logged_in, spawn};

/// Ends of data that one server or another has taken for the end (CVE-2023-51764, -51765, -51766, and their kin).
pub const VARIANTS: [&str; 20] = [
    "\n.\n",
    "\n.\r\n",
    "\n.\r",
    "\r.\r",
    "\r.\n",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r\n.\r\0\n",
    "\n\n.\r\n",
    "\r\r\n.\r\r\n",
    "\n.\n\n",
    "\r\n.\r\r\n",
    "\r\n\x0b.\r\n",
    "\r\n. \r\n",
    "\r\n .\r\n",
    "\r\n.\u{85}\r\n",
    "\r\n..\r\n",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_in_is_one_message_out_or_none() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let (mut taken, mut refused) = (0, 0);
    for variant in VARIANTS {
        let mut client = logged_in(&sealpost, &key).await;
        let smuggled = "MAIL FROM:<shop@example.org>\r\nRCPT TO:<victim@inbox.test>\r\nDATA\r\nFrom: shop@example.org\r\n\r\nsmuggled\r\n";
        let content = format!("From: shop@example.org\r\nSubject: one\r\n\r\nbody{variant}{smuggled}");
        let heard = client.submit(&["ann@inbox.test"], content.as_bytes()).await;
        let is_strange = variant.replace("\r\n", "").contains(['\r', '\n', '\0']);
        if is_strange {
            heard.starts("554 5.6.0 ");
            refused += 1;
        } else {
            assert_eq!(heard.ids().len(), 1, "{variant:?}");
            taken += 1;
        }
        // Nothing of the content was obeyed as a command: the next reply is to the next command.
        client.say("QUIT").await.starts("221 ");
    }
    assert_eq!((taken, refused), (5, 15));
    sealpost.inbox.wait_for(taken).await;
    assert_eq!(
        sealpost.inbox.by_recipient().keys().collect::<Vec<_>>(),
        ["ann@inbox.test"]
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_line_end_is_refused_in_every_position() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let whole = "From: shop@example.org\r\nSubject: a\r\n\r\nb\r\n";
    // Before the last CRLF: behind it, it would take the place of the CRLF before the final dot, and no end has come.
    for position in 0..=whole.len() - 2 {
        for bare in ["\r", "\n"] {
            let mut content = whole.to_owned();
            content.insert_str(position, bare);
            let heard = client.submit(&["ann@inbox.test"], content.as_bytes()).await;
            // A CR before a CRLF, or behind a CR, is bare as well; only a CR that makes a CRLF of an LF would not be.
            assert_eq!(heard.0, "554 5.6.0 Line ends must be CRLF", "{position} {bare:?}");
            client.say("RSET").await.starts("250 ");
        }
        // The budget of faults is per session.
        if position % 40 == 39 {
            client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
        }
    }
    assert_eq!(sealpost.inbox.count(), 0);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dots_arrive_as_they_were_meant() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let content = b"From: shop@example.org\r\n\r\n..\r\n...two\r\n..dot\r\n";
    client.submit(&["ann@inbox.test"], content).await.ids();
    let mail = sealpost.inbox.wait_for(1).await;
    assert!(mail[0].content.ends_with(b"\r\n\r\n.\r\n..two\r\n.dot\r\n"));
    sealpost.stop().await;
}
