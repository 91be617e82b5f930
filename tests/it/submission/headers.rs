//! What the headers of a submitted message ask for, and what they may not.

use super::world::{logged_in, message, spawn};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_and_metadata_are_on_record_and_no_command_leaves() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await;
    let mut client = logged_in(&sealpost, &key.0.key).await;
    let headers = "X-MC-Tags: order,\r\n first\r\nx-mc-metadata: {\"order\": 12}\r\nX-MC-Track: opens\r\n\
                   X-MC-Subaccount: c-1\r\nX-Sealpost-TTL: 900\r\nX-MC-SendAt: 2001-01-01 00:00:00\r\nBcc: hidden@inbox.test\r\n";
    let ids = client
        .submit(&["ann@inbox.test"], message(headers).as_bytes())
        .await
        .ids();
    sealpost.until(&ids[0], "MessageDelivered").await;
    let shown = key.0.get(&format!("/v1/messages/{}", ids[0])).await.ok();
    assert_eq!(shown["tags"], serde_json::json!(["order", "first"]), "{shown}");
    assert_eq!(shown["metadata"]["order"], 12, "{shown}");
    assert_eq!(shown["subject"], "Your order", "{shown}");
    let text = String::from_utf8(sealpost.inbox.mail()[0].content.clone()).unwrap();
    for gone in ["X-Sealpost-TTL", "X-MC", "x-mc", "Bcc", "hidden"] {
        assert!(!text.contains(gone), "{text}");
    }
    for added in ["\r\nDate: ", "\r\nMessage-ID: <", "\r\nMIME-Version: 1.0\r\n"] {
        assert!(text.contains(added), "{added:?} is not in\n{text}");
    }
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_demands_tls_and_the_message_waits_for_it() {
    let sealpost = spawn().await;
    let key = sealpost.sending_key().await;
    let mut client = logged_in(&sealpost, &key.0.key).await;
    let content = message("X-Sealpost-Require-TLS: yes\r\n");
    let ids = client.submit(&["ann@inbox.test"], content.as_bytes()).await.ids();
    sealpost.until(&ids[0], "DeliveryDeferred").await;
    let shown = key.0.get(&format!("/v1/messages/{}", ids[0])).await.ok();
    assert_eq!(
        (&shown["state"], &shown["tls_required"]),
        (&"deferred".into(), &"encrypted".into())
    );
    assert_eq!(sealpost.inbox.count(), 0, "its receiver has no TLS");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_message_may_not_hold_has_its_reply() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let long = format!("Subject: {}\r\n", "a ".repeat(500));
    let hops = "Received: x\r\n".repeat(101);
    for (content, reply) in [
        (
            message("X-MC-Metadata: {\r\n"),
            "554 5.6.0 An X-MC- or X-Sealpost- header is not valid: X-MC-Metadata is no JSON object",
        ),
        (
            message("X-MC-MergeVars: no\r\n"),
            "554 5.6.0 An X-MC- or X-Sealpost- header is not valid: X-MC-MergeVars",
        ),
        (
            message("X-MC-Tags: _a\r\n"),
            "554 5.6.0 An X-MC- or X-Sealpost- header is not valid: tag 0",
        ),
        (
            message("X-MC-SendAt: 2999-01-01 00:00:00\r\n"),
            "554 5.3.3 An X-MC- header asks for what is not offered yet: X-MC-SendAt",
        ),
        (message("X-MC-Template: welcome\r\n"), "554 5.3.3 "),
        (
            "From: shop@example.org\r\nX-MC-MergeVars: {\"A\": 1}\r\n\r\n*|IF:A|*\r\n".to_owned(),
            "554 5.6.0 The message is not valid: text is no template: the block that opens in line 1 does not end",
        ),
        (
            "no header\r\n\r\nHi\r\n".to_owned(),
            "554 5.6.0 The message is not valid: line 1 of the header block",
        ),
        (
            "Subject: x\r\n\r\nHi\r\n".to_owned(),
            "554 5.6.0 The message is not valid: the message has no From",
        ),
        (
            "From: shop@example.org, evil@example.net\r\n\r\nHi\r\n".to_owned(),
            "554 5.6.0 The message is not valid: the header From names several domains",
        ),
        (
            "From: shop@example.org\r\n\r\nH\0i\r\n".to_owned(),
            "554 5.6.0 The message is not valid: the message holds a NUL",
        ),
        (
            format!("From: shop@example.org\r\n{long}\r\nHi\r\n"),
            "554 5.6.0 The subject is too long",
        ),
        (
            format!("From: shop@example.org\r\n{hops}\r\nHi\r\n"),
            "554 5.4.6 The message went over too many hops",
        ),
        (
            "From: shop@example.net\r\n\r\nHi\r\n".to_owned(),
            "550 5.7.1 The header From is not of a domain of this account",
        ),
    ] {
        let heard = client.submit(&["ann@inbox.test"], content.as_bytes()).await;
        assert!(heard.0.starts_with(reply), "{reply}: {}", heard.0);
    }
    assert_eq!(sealpost.inbox.count(), 0);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_six_megabytes_are_too_much_and_twenty_five_are_not() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let line = [b'x'; 78].iter().chain(b"\r\n").copied().collect::<Vec<u8>>();
    let of = |bytes: usize| [message("").as_bytes(), &line.repeat(bytes / line.len())].concat();
    let heard = client.submit(&["ann@inbox.test"], &of(26 << 20)).await;
    assert_eq!(heard.0, "552 5.3.4 Message too large");
    let ids = client.submit(&["ann@inbox.test"], &of(24 << 20)).await.ids();
    sealpost.until(&ids[0], "MessageDelivered").await;
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_charset_is_carried_and_8_bit_text_is_made_safe() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let mut content = b"From: shop@example.org\r\nSubject: =?x-unknown?B?/v8=?=\r\nContent-Type: text/plain; charset=x-unknown\r\n\r\n".to_vec();
    content.extend_from_slice(b"\xfe\xff\r\n");
    let ids = client.submit(&["ann@inbox.test"], &content).await.ids();
    sealpost.until(&ids[0], "MessageDelivered").await;
    let mail = sealpost.inbox.mail();
    assert!(mail[0].content.is_ascii());
    let text = String::from_utf8(mail[0].content.clone()).unwrap();
    assert!(text.contains("x-unknown"), "{text}");
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_recipient_sees_itself_alone_unless_all_shall_be_seen() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let both = ["ann@inbox.test", "bob@inbox.test"];
    client.submit(&both, message("").as_bytes()).await.ids();
    client
        .submit(
            &both,
            message("Cc: bob@inbox.test\r\nX-MC-PreserveRecipients: true\r\n").as_bytes(),
        )
        .await
        .ids();
    let mail = sealpost.inbox.wait_for(4).await;
    let shows =
        |mail: &sealpost::smtp::server::Received, name: &str| String::from_utf8_lossy(&mail.content).contains(name);
    let open = mail
        .iter()
        .filter(|mail| shows(mail, "ann@") && shows(mail, "bob@"))
        .count();
    assert_eq!(open, 2);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_the_record_is_on_record_and_a_copy_goes_where_it_is_wanted() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let headers = "X-MC-Subaccount: c-1\r\nX-MC-Track: clicks\r\nX-MC-BccAddress: boss@inbox.test\r\n";
    let ids = client
        .submit(&["ann@inbox.test"], message(headers).as_bytes())
        .await
        .ids();
    assert_eq!(ids.len(), 1, "the client hears nothing of the copy");
    let mail = sealpost.inbox.wait_for(2).await;
    let boss = mail
        .iter()
        .find(|mail| mail.forward_paths[0].as_str().contains("boss@"))
        .unwrap();
    let text = String::from_utf8_lossy(&boss.content);
    assert!(text.contains("ann@inbox.test") && !text.contains("boss@"), "{text}");
    let accepted = sealpost.accepted(&ids[0]).await;
    let subaccount = accepted.subaccount.unwrap();
    assert_eq!(subaccount.known().unwrap(), "c-1");
    assert_eq!(
        accepted.tracking.opens,
        Some(sealpost_domain::message::OpenTracking::Off),
        "what is not named is off"
    );
    let wrong = client
        .submit(&["ann@inbox.test"], message("X-MC-BccAddress: nobody\r\n").as_bytes())
        .await;
    assert!(wrong.0.contains("X-MC-BccAddress is no mail address"), "{}", wrong.0);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_from_in_its_own_script_is_of_the_domain_that_it_names() {
    let sealpost = spawn().await;
    let add = serde_json::json!({ "account": sealpost.account, "domain": "exämple.org" });
    sealpost.control().post("/domains", &add).await.ok();
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let content = "From: Läden <shop@exämple.org>\r\nSubject: Hi\r\n\r\nHi\r\n";
    let ids = client.submit(&["ann@inbox.test"], content.as_bytes()).await.ids();
    sealpost.until(&ids[0], "MessageDelivered").await;
    let mail = sealpost.inbox.mail();
    let text = String::from_utf8(mail[0].content.clone()).unwrap();
    assert!(text.is_ascii() && text.contains("<shop@xn--exmple-cua.org>"), "{text}");
    assert!(text.contains("d=xn--exmple-cua.org;"), "{text}");
    let foreign = content.replace("exämple", "exömple");
    let heard = client.submit(&["ann@inbox.test"], foreign.as_bytes()).await;
    assert!(heard.0.starts_with("550 5.7.1 The header From is not"), "{}", heard.0);
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_are_merged_for_each_recipient_and_what_is_signed_is_refused() {
    let sealpost = spawn().await;
    let mut client = logged_in(&sealpost, &sealpost.sending_key().await.0.key).await;
    let content = "From: shop@example.org\r\nSubject: Hello *|NAME|*\r\nX-Kept: as it is\r\n\
                   X-MC-MergeVars: {\"NAME\": \"friend\"}\r\n\
                   X-MC-MergeVars: {\"_rcpt\": \"bob@inbox.test\", \"NAME\": \"Bob\"}\r\n\r\nDear *|name|*,\r\n";
    let both = ["ann@inbox.test", "bob@inbox.test"];
    let ids = client.submit(&both, content.as_bytes()).await.ids();
    for id in &ids {
        sealpost.until(id, "MessageDelivered").await;
    }
    let mail = sealpost.inbox.mail();
    for (to, name) in [("ann@", "friend"), ("bob@", "Bob")] {
        let one = mail
            .iter()
            .find(|mail| mail.forward_paths[0].as_str().starts_with(to))
            .unwrap();
        let text = String::from_utf8(one.content.clone()).unwrap();
        for part in [
            format!("\r\nSubject: Hello {name}\r\n"),
            format!("\r\n\r\nDear {name},\r\n"),
            "\r\nX-Kept: as it is\r\n".to_owned(),
        ] {
            assert!(text.contains(&part), "{part:?} is not in\n{text}");
        }
        assert!(
            !text.contains("X-MC") && text.matches("Received: ").count() == 1,
            "{text}"
        );
    }
    let signed = content.replace(
        "X-Kept: as it is",
        "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b",
    );
    let heard = client.submit(&both, signed.as_bytes()).await;
    assert!(heard.0.starts_with("554 5.3.3 "), "{}", heard.0);
    sealpost.stop().await;
}
