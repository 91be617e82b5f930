//! The order of one accept, as the kernel saw it: content and vault are on disk, in whatever order, before the log is
//! written, and the log before the answer.

use std::path::Path;
use std::time::Duration;

use crate::trace::{Call, Trace};
use crate::world::{Answer, Launch, Mailroom, Pace, Site};

/// What is traced: everything that can take a request in, write, sync, or answer.
const CALLS: &str = "trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync";

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The stores by how the names of their files end, in two steps: those of the second rest on those of the first.
const STEPS: [&[(&str, &str)]; 2] = [
    &[("content", ".pack"), ("vault", "/vault/keys.db-wal")],
    &[("log", "/log/log.db-wal")],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_comes_after_content_vault_and_log_are_synced() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("disk");
    std::fs::create_dir(&root).unwrap();
    let mailroom = Mailroom::start(Pace::Prompt).await;
    let site = Site::new(&root, mailroom.addr(), &Launch::default()).await;
    let written = folder.path().join("trace");
    let (server, client) = site.start_ready(&traced(&written)).await;
    // The first accept of a day begins a pack; the one that is judged is like all others. Nothing else is written then.
    for recipient in ["first@sink.test", "second@sink.test"] {
        let answer = client.send(&[recipient.to_owned()], 500).await;
        assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
        assert!(site.until_finished(PATIENCE).await, "{recipient} gets no mail");
    }
    assert!(server.stop().await.success());
    let trace = Trace::parse(&std::fs::read_to_string(&written).unwrap());
    assert_eq!(verdict(&trace, 2), Ok(()));
}

fn traced(file: &Path) -> Launch {
    let words = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-ttt",
        "-yy",
        "-s",
        "48",
        "-e",
        CALLS,
        "-o",
    ];
    let before = words.iter().map(Into::into).chain([file.into()]);
    Launch {
        before: before.collect(),
        ..Launch::default()
    }
}

/// Whether in the trace of `sends` calls the last one was answered only after each store was written and synced, one step
/// after another.
fn verdict(Trace(calls): &Trace, sends: usize) -> Result<(), String> {
    let asked = |call: &&Call| call.is_read() && call.target().starts_with("TCP") && call.text.contains("\"POST /api/");
    let request = calls
        .iter()
        .filter(asked)
        .nth(sends - 1)
        .ok_or("the request is not in the trace")?;
    let mut after = request.left.ok_or("the request was never read")?;
    let answered = |call: &&Call| {
        call.is_write()
            && call.target().starts_with("TCP")
            && call.text.contains("\"HTTP/1.1 200")
            && call.entered > after
    };
    let answer = calls.iter().find(answered).ok_or("the answer is not in the trace")?;
    for step in STEPS {
        let mut synced_last = after;
        for (store, ending) in step {
            let begun = |call: &&Call| call.target().ends_with(ending) && call.entered > request.entered;
            let write = calls
                .iter()
                .filter(begun)
                .find(|call| call.is_write())
                .ok_or(format!("{store} is not written"))?;
            if write.entered < after {
                return Err(format!(
                    "{store} is written at {}, before what it rests on is synced at {after}",
                    write.entered
                ));
            }
            let written = write.left.ok_or(format!("the write of {store} does not return"))?;
            let synced = |call: &&Call| call.is_sync() && call.entered > written && call.result == Some(0);
            let sync = calls
                .iter()
                .filter(begun)
                .find(synced)
                .ok_or(format!("{store} is not synced"))?;
            let left = sync.left.ok_or(format!("the sync of {store} does not return"))?;
            if left >= answer.entered {
                return Err(format!(
                    "the answer begins at {}, before {store} is synced at {left}",
                    answer.entered
                ));
            }
            synced_last = synced_last.max(left);
        }
        after = synced_last;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 9] = [
        r#"recvfrom(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "POST /api/1.0/messages/send.json"..., 8192, 0, NULL, NULL) = 612"#,
        r#"write(5</d/vault/content/2026-11-25.pack>, ""..., 900) = 900"#,
        r#"fdatasync(5</d/vault/content/2026-11-25.pack>) = 0"#,
        r#"pwrite64(6</d/vault/keys.db-wal>, ""..., 24, 0) = 24"#,
        r#"fdatasync(6</d/vault/keys.db-wal>) = 0"#,
        r#"pwrite64(7</d/log/log.db-wal>, ""..., 24, 0) = 24"#,
        r#"pwrite64(7</d/log/log.db-wal>, ""..., 8192, 24) = 8192"#,
        r#"fdatasync(7</d/log/log.db-wal>) = 0"#,
        r#"write(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.1 200 OK\r\n"..., 300) = 300"#,
    ];

    /// The verdict on these lines in this order.
    fn of(order: &[usize]) -> Result<(), String> {
        let lines: Vec<String> = order.iter().map(|line| format!("7 1.5 {}", GOOD[*line])).collect();
        verdict(&Trace::parse(&lines.join("\n")), 1)
    }

    #[test]
    fn the_right_order_passes_and_every_other_is_named() {
        assert_eq!(of(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), Ok(()));
        assert_eq!(
            of(&[0, 3, 4, 1, 2, 5, 6, 7, 8]),
            Ok(()),
            "neither of the two rests on the other"
        );
        assert_eq!(of(&[0, 1, 3, 4, 2, 5, 6, 7, 8]), Ok(()));
        for (order, words) in [
            (vec![0, 1, 2, 3, 4, 5, 6, 8, 7], "before log is synced"),
            (vec![0, 1, 8, 2, 3, 4, 5, 6, 7], "before content is synced"),
            (vec![0, 1, 2, 5, 6, 7, 3, 4, 8], "log is written at 4"),
            (vec![0, 1, 3, 4, 5, 2, 6, 7, 8], "log is written at 5"),
            (vec![0, 1, 2, 3, 5, 4, 6, 7, 8], "log is written at 5"),
            (vec![0, 1, 3, 4, 5, 6, 7, 8], "content is not synced"),
            (vec![0, 1, 2, 3, 4, 8], "log is not written"),
            (vec![0, 1, 2, 3, 4, 5, 6, 7], "the answer is not"),
            (vec![1, 2, 3, 4, 5, 6, 7, 8], "the request is not"),
        ] {
            let found = of(&order).unwrap_err();
            assert!(found.contains(words), "{words}: {found}");
        }
    }
}
