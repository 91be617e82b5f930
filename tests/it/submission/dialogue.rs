//! What each command is answered, right or wrong, in its order or out of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealpost::config::LoginInClear;

use super::client::{Client, plain};
use super::world::{client, logged_in, message, spawn, spawn_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_goes_in_over_each_listener_and_arrives() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let (addresses, authority) = (sealpost.server.addresses(), sealpost.server.authority());
    let clear = Client::connect(addresses.submission.unwrap()).await;
    let mut upgraded = Client::connect(addresses.submission.unwrap()).await;
    assert!(upgraded.ehlo().await.contains(&"STARTTLS".to_owned()));
    let upgraded = upgraded.start_tls(&authority).await;
    let implicit = Client::connect_tls(addresses.submission_tls.unwrap(), &authority).await;
    for (mut client, with) in [(clear, "ESMTPA"), (upgraded, "ESMTPSA"), (implicit, "ESMTPSA")] {
        let offers = client.ehlo().await;
        for offer in [
            "PIPELINING",
            "SIZE 26214400",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "DSN",
            "AUTH PLAIN LOGIN",
        ] {
            assert!(offers.contains(&offer.to_owned()), "{offer}: {offers:?}");
        }
        assert_eq!(offers.contains(&"STARTTLS".to_owned()), with == "ESMTPA");
        client.log_in(&key).await.starts("235 2.7.0 ");
        let ids = client.submit(&["ann@inbox.test"], message("").as_bytes()).await.ids();
        assert_eq!(ids.len(), 1);
        client.say("QUIT").await.starts("221 2.0.0 ");
        client.is_closed().await;
        sealpost.until(&ids[0], "MessageDelivered").await;
        let mail = sealpost.inbox.mail().pop().unwrap();
        let text = String::from_utf8(mail.content).unwrap();
        let trace = format!(
            "Received: by mail.example.org with {with} (Sealpost)\r\n\tid {};",
            ids[0]
        );
        assert!(text.contains(&trace), "{text}");
        assert_eq!(text.matches("Received: ").count(), 1, "{text}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_mechanisms_let_a_key_in_with_and_without_an_initial_response() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let mut one = client(&sealpost).await;
    one.ehlo().await;
    one.say("AUTH PLAIN").await.starts("334 ");
    one.say(&plain(&key)).await.starts("235 2.7.0 ");
    one.say(&format!("AUTH PLAIN {}", plain(&key)))
        .await
        .starts("503 5.5.1 ");
    let mut two = client(&sealpost).await;
    two.ehlo().await;
    assert_eq!(two.say("auth login").await.0, "334 VXNlcm5hbWU6");
    assert_eq!(two.say("").await.0, "334 UGFzc3dvcmQ6", "any user name, none as well");
    two.say(&STANDARD.encode(&key)).await.starts("235 2.7.0 ");
    let mut three = client(&sealpost).await;
    three.ehlo().await;
    assert_eq!(three.say("AUTH LOGIN YW5u").await.0, "334 UGFzc3dvcmQ6");
    three.say(&STANDARD.encode(&key)).await.starts("235 2.7.0 ");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sends_without_a_login_and_garbage_is_none() {
    let sealpost = spawn().await;
    let before = sealpost.head();
    let mut client = client(&sealpost).await;
    client.log_in("any").await.starts("503 5.5.1 Command out of order");
    client.ehlo().await;
    client
        .say("MAIL FROM:<shop@example.org>")
        .await
        .starts("530 5.7.0 Log in first");
    client
        .say("RCPT TO:<ann@inbox.test>")
        .await
        .starts("530 5.7.0 Log in first");
    client.say("DATA").await.starts("530 5.7.0 Log in first");
    client
        .say("AUTH CRAM-MD5")
        .await
        .starts("504 5.5.4 Mechanism not offered");
    client.say("AUTH PLAIN").await.starts("334 ");
    client.say("*").await.starts("501 5.7.0 Login called off");
    client.say("AUTH PLAIN").await.starts("334 ");
    client
        .say("not base64!")
        .await
        .starts("501 5.5.2 Response not understood");
    client.say("AUTH PLAIN bm8gbnVsIGhlcmU=").await.starts("501 5.5.2 ");
    client
        .say("AUTH PLAIN ***")
        .await
        .starts("501 5.5.4 Argument not understood");
    // A text without the form of a key, a key that is nobody's, and one time too many.
    client
        .log_in("garbage")
        .await
        .starts("535 5.7.8 The API key is not valid");
    client.log_in(&nobody_s_key()).await.starts("535 5.7.8 ");
    client
        .log_in("garbage")
        .await
        .starts("421 4.7.0 Too many failed logins");
    client.is_closed().await;
    assert_eq!(
        sealpost.head(),
        before,
        "strangers leave no event before the minute is over"
    );
    sealpost.stop().await;
}

/// A key with a right checksum that was never issued: its form is public.
fn nobody_s_key() -> String {
    use sealpost::access::KeySecret;
    use sealpost_domain::rights::{KeyKind, KeyWorld};
    KeySecret::draw(KeyKind::Sending, KeyWorld::Live)
        .unwrap()
        .expose()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_never_shown_in_clear() {
    let sealpost = spawn_with(|config| config.submission.login_in_clear = LoginInClear::Never).await;
    let key = sealpost.sending_key().await.0.key;
    let mut client = client(&sealpost).await;
    let offers = client.ehlo().await;
    assert!(!offers.iter().any(|offer| offer.starts_with("AUTH")), "{offers:?}");
    client
        .log_in(&key)
        .await
        .starts("538 5.7.11 Encryption is needed to log in");
    client
        .say("MAIL FROM:<shop@example.org>")
        .await
        .starts("530 5.7.0 STARTTLS first");
    client
        .say("RCPT TO:<ann@inbox.test>")
        .await
        .starts("530 5.7.0 STARTTLS first");
    let mut client = client.start_tls(&sealpost.server.authority()).await;
    client.log_in(&key).await.starts("503 5.5.1 ");
    client.ehlo().await;
    client.log_in(&key).await.starts("235 2.7.0 ");
    client.say("STARTTLS").await.starts("503 5.5.1 ");
    client.submit(&["ann@inbox.test"], message("").as_bytes()).await.ids();
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_behind_starttls_is_never_obeyed() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let mut client = client(&sealpost).await;
    client.ehlo().await;
    let injected = format!(
        "STARTTLS\r\nEHLO evil\r\nAUTH PLAIN {}\r\nMAIL FROM:<>\r\n",
        plain(&key)
    );
    client.send(injected.as_bytes()).await;
    client
        .heard()
        .await
        .starts("501 5.5.4 Nothing may follow STARTTLS before the handshake");
    client.is_closed().await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_have_an_order_and_a_form() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    for (line, reply) in [
        ("RCPT TO:<ann@inbox.test>", "503 5.5.1 Command out of order"),
        ("DATA", "503 5.5.1 "),
        ("FOO", "500 5.5.1 Command not known"),
        ("BDAT 10", "500 5.5.1 "),
        ("MAIL FROM:shop@example.org", "501 5.5.4 Argument not understood"),
        (
            "MAIL FROM:<shop@example.org> COLOUR=red",
            "555 5.5.4 Parameter not supported",
        ),
        ("MAIL FROM:<shop@example.org> REQUIRETLS", "555 5.5.4 "),
        (
            "MAIL FROM:<shop@example.org> SIZE=26214401",
            "552 5.3.4 Message too large",
        ),
        ("MAIL FROM:<sh\u{f6}p@example.org>", "553 5.6.7 Address not in ASCII"),
        (
            "MAIL FROM:<shop@example.org> SIZE=26214400 BODY=8BITMIME RET=HDRS ENVID=a+2Bb AUTH=<>",
            "250 2.1.0 ",
        ),
        ("MAIL FROM:<shop@example.org>", "503 5.5.1 "),
        ("DATA", "554 5.5.1 No valid recipients"),
        ("RCPT TO:<>", "553 5.1.3 Address not understood"),
        ("RCPT TO:<ann>", "553 5.1.3 "),
        ("RCPT TO:<ann@not a domain>", "553 5.1.3 "),
        ("RCPT TO:<ann@inb\u{f6}x.test>", "553 5.6.7 "),
        (
            "RCPT TO:<ann@inbox.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann@inbox.test",
            "250 2.1.5 ",
        ),
        ("VRFY ann@inbox.test", "252 2.5.0 "),
        ("HELP", "214 2.0.0 "),
        ("NOOP anything", "250 2.0.0 "),
        ("RSET", "250 2.0.0 "),
        ("DATA", "503 5.5.1 "),
        ("MAIL FROM:<> SMTPUTF8", "250 2.1.0 "),
        ("RCPT TO:<\u{e4}nn@inbox.test>", "553 5.6.7 "),
        ("RCPT TO:<ann@inb\u{f6}x.test>", "250 2.1.5 "),
        ("HELO again", "250 mail.example.org"),
        ("RCPT TO:<ann@inbox.test>", "503 5.5.1 "),
        ("QUIT", "221 2.0.0 "),
    ] {
        let heard = client.say(line).await;
        assert!(heard.0.starts_with(reply), "{line}: {} instead of {reply}", heard.0);
    }
    client.is_closed().await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_none_ends_the_session() {
    let sealpost = spawn().await;
    for line in [
        &[b'a'; 2_048][..],
        b"EHLO a\nNOOP\r\n",
        b"EHLO a\rNOOP\r\n",
        b"EHLO a\0\r\n",
        b"\nEHLO a\r\n",
    ] {
        let mut client = client(&sealpost).await;
        client.send(line).await;
        client
            .heard()
            .await
            .starts("500 5.5.2 Line too long, without CRLF, or with a bare CR, LF or NUL");
        client.is_closed().await;
    }
    let mut client = client(&sealpost).await;
    client.ehlo().await;
    client.say("AUTH PLAIN").await.starts("334 ");
    client.send(&[b'A'; 12_290]).await;
    client.heard().await.starts("500 5.5.2 ");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_wrong_too_often_is_sent_away() {
    let sealpost = spawn().await;
    let mut one = client(&sealpost).await;
    for _ in 0..20 {
        one.say("FOO").await.starts("500 5.5.1 ");
    }
    one.heard().await.starts("421 4.7.0 Too many faulty commands");
    let mut stranger = client(&sealpost).await;
    stranger.send(&b"FOO\r\n".repeat(100)).await;
    let codes = stranger.codes_to_the_end().await;
    assert_eq!((codes.len(), codes.last()), (21, Some(&421)));
    let mut guest = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    guest.send(&b"FOO\r\n".repeat(200)).await;
    assert_eq!(guest.codes_to_the_end().await.len(), 101);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_recipients_are_answered_and_the_first_thousand_get_it() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    client.say("MAIL FROM:<shop@example.org>").await.starts("250 ");
    let mut taken = 0;
    for hundred in 0..100 {
        let lines: String = (0..100)
            .map(|n| format!("RCPT TO:<r{hundred}-{n}@inbox.test>\r\n"))
            .collect();
        client.send(lines.as_bytes()).await;
        for _ in 0..100 {
            let heard = client.heard().await;
            match heard.0.as_str() {
                "452 4.5.3 Too many recipients" => {}
                other => {
                    assert!(other.starts_with("250 2.1.5 "), "{other}");
                    taken += 1;
                }
            }
        }
    }
    assert_eq!(taken, 1_000);
    let before = sealpost.head();
    let heard = client.content(message("").as_bytes()).await;
    heard.starts("250 2.0.0 Taken as ");
    assert!(heard.0.ends_with(" and 992 more"), "{}", heard.0);
    assert!(
        sealpost.head() - before >= 1_000,
        "all of them are on disk when it is said"
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_twice_is_one_mail() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let ids = client
        .submit(&["ann@inbox.test", "ann@INBOX.test"], message("").as_bytes())
        .await
        .ids();
    assert_eq!(ids.len(), 1);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_transactions_are_kept_apart() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await.0.key;
    let mut client = logged_in(&sealpost, &key).await;
    let one = |to: &str| {
        format!(
            "MAIL FROM:<shop@example.org>\r\nRCPT TO:<{to}@inbox.test>\r\nDATA\r\n{}.\r\n",
            message("")
        )
    };
    client
        .send(format!("{}{}QUIT\r\n", one("ann"), one("bob")).as_bytes())
        .await;
    assert_eq!(
        client.codes_to_the_end().await,
        [250, 250, 354, 250, 250, 250, 354, 250, 221]
    );
    sealpost.inbox.wait_for(2).await;
    assert_eq!(sealpost.inbox.by_recipient().len(), 2);
    sealpost.stop().await;
}
