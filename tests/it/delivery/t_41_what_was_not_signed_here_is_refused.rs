//! Who may be written to at the bounce domain is told by signatures; strangers cost the log a number.

use sealpost_domain::Event;
use sealpost_domain::gate::{GateEvent, StrangerRefusal};
use sealpost_domain::ids::MessageId;

use crate::support::BounceWorld;
use crate::support::report_letters::{notification, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_or_foreign_recipient_is_refused_and_writes_no_event() {
    let world = BounceWorld::start().await;
    let mail = world.taken("ann@inbox.test").await;
    let (local_part, _) = mail.reverse_path.split_once('@').unwrap();
    assert!(!mail.reverse_path.contains("ann"), "no address is in it");
    let last = if local_part.ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{last}", &local_part[..local_part.len() - 1]);
    let unknown = MessageId::from_uuid(uuid::Uuid::from_u128(7));
    let unknown = world
        .sealpost
        .server
        .engine()
        .vault()
        .return_paths()
        .local_part(unknown);
    let failed = notification("failed", "5.1.1", "550 5.1.1 gone");
    let before = world.sealpost.head();
    for (to, refused) in [
        (format!("{forged}@bounce.test"), "550 5.1.1 No such recipient"),
        (format!("{unknown}@bounce.test"), "550 5.1.1 No such recipient"),
        ("postmaster@bounce.test".to_owned(), "550 5.1.1 No such recipient"),
        ("b+.@bounce.test".to_owned(), "550 5.1.1 No such recipient"),
        ("nobody".to_owned(), "550 5.1.1 No such recipient"),
        (
            format!("{local_part}@elsewhere.test"),
            "554 5.7.1 Mail of this domain is not taken here",
        ),
        (
            "ann@inbox.test".to_owned(),
            "554 5.7.1 Mail of this domain is not taken here",
        ),
    ] {
        assert_eq!(world.bring(&to, &failed).await, refused, "{to}");
    }
    assert_eq!(world.sealpost.head(), before, "strangers write nothing");
    assert_eq!(world.late(&mail.id).await, []);
    // In upper case, as some servers make it, and from whomever.
    let upper = format!("{}@BOUNCE.test", local_part.to_uppercase());
    assert_eq!(world.bring(&upper, &failed).await, "250 2.0.0 Taken");
    let sealpost = world.sealpost.restart().await;
    let reader = sealpost.server.engine().log().read();
    let events = tokio::task::spawn_blocking(move || reader.events(before, 1_000).unwrap())
        .await
        .unwrap();
    let counted: u64 = events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Gate(GateEvent::RefusalsCounted { counts, .. }) => counts.get(&StrangerRefusal::UnknownReturnPath),
            _ => None,
        })
        .sum();
    assert_eq!(
        counted, 4,
        "nobody without an address, and no relaying, is counted as one"
    );
    sealpost.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_on_guessing_is_sent_away_and_commands_have_their_order() {
    let world = BounceWorld::start().await;
    let line = |text: &str| format!("{text}\r\n");
    let mut guessing = vec![line("HELO here"), line("MAIL FROM:<>")];
    guessing.extend((0..20).map(|n| line(&format!("RCPT TO:<b+{n}@bounce.test>"))));
    let said = say(world.door(), &guessing).await;
    assert!(
        said.last().unwrap().contains("421 4.7.0 Too many faulty commands"),
        "{said:?}"
    );

    let mail = world.taken("ann@inbox.test").await;
    let to = format!("RCPT TO:<{}>", mail.reverse_path);
    let lines = [
        ("MAIL FROM:<>", "503 5.5.1"),
        ("EHLO here", "250-mail.example.org"),
        ("AUTH PLAIN", "500 5.5.1"),
        ("NONSENSE", "500 5.5.1"),
        ("MAIL FROM", "501 5.5.4"),
        (to.as_str(), "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:<somebody@else.test>", "250 2.1.0"),
        ("DATA", "503 5.5.1"),
        (to.as_str(), "250 2.1.5"),
        ("VRFY ann", "252 2.5.0"),
        ("HELP", "214 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("DATA", "503 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("QUIT", "221 2.0.0"),
    ];
    let commands: Vec<String> = lines.iter().map(|(command, _)| line(command)).collect();
    let said = say(world.door(), &commands).await;
    for ((command, reply), said) in lines.iter().zip(&said[1..]) {
        assert!(said.starts_with(reply), "{command}: {said}");
    }
    let ehlo = &said[2];
    for offered in ["STARTTLS", "PIPELINING", "SIZE 52428800"] {
        assert!(ehlo.contains(offered), "{offered} is not in {ehlo}");
    }
    assert!(!ehlo.contains("AUTH"), "{ehlo}");
    world.sealpost.stop().await;
}
