//! Reads the form of `strace -f -ttt -yy -o FILE`: one line per call, two where another thread came between.

use std::collections::HashMap;

use super::call::{Call, Trace};

impl Trace {
    /// Reads a trace; lines about signals and ends are passed by.
    pub fn parse(text: &str) -> Self {
        let mut calls: Vec<Call> = Vec::new();
        let mut open: HashMap<u32, usize> = HashMap::new();
        for (line, number) in text.lines().zip(1..) {
            let Some((thread, rest)) = thread_and_rest(line) else {
                continue;
            };
            if let Some(resumed) = rest.strip_prefix("<... ") {
                let Some((_, tail)) = resumed.split_once(" resumed>") else {
                    continue;
                };
                if let Some(call) = open.remove(&thread).and_then(|at| calls.get_mut(at)) {
                    call.text.push_str(tail);
                    finish(call, number);
                }
                continue;
            }
            let Some((name, text)) = rest.split_once('(') else {
                continue;
            };
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let mut call = Call {
                thread,
                name: name.to_owned(),
                text: text.to_owned(),
                entered: number,
                left: None,
                result: None,
            };
            if let Some(begun) = text.strip_suffix("<unfinished ...>") {
                call.text = begun.trim_end().to_owned();
                open.insert(thread, calls.len());
            } else {
                finish(&mut call, number);
            }
            calls.push(call);
        }
        Self(calls)
    }
}

/// `1234 1795570554.582299 rest`; the time is not needed, since the lines are in order.
fn thread_and_rest(line: &str) -> Option<(u32, &str)> {
    let (thread, rest) = line.trim_start().split_once(' ')?;
    let (_, rest) = rest.trim_start().split_once(' ')?;
    Some((thread.parse().ok()?, rest))
}

fn finish(call: &mut Call, line: usize) {
    let Some((_, result)) = call.text.rsplit_once(" = ") else {
        return;
    };
    call.left = Some(line);
    call.result = result.split(' ').next().and_then(|number| number.parse().ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
101 1795570554.1 recvfrom(9<TCP:[127.0.0.1:4000->127.0.0.1:5000]>, "POST /api/1.0/messages/send HTTP"..., 8192, 0, NULL, NULL) = 612
102 1795570554.2 fdatasync(5</d/vault/content/2026-11-25.pack> <unfinished ...>
103 1795570554.3 pwrite64(7</d/log/log.db-wal>, "a, b = c) = 9"..., 24, 0) = 24
102 1795570554.4 <... fdatasync resumed>) = 0
102 1795570554.5 fdatasync(8</d/vault/keys.db-wal>) = -1 EIO (Input/output error) (INJECTED)
101 1795570554.6 --- SIGTERM {si_signo=SIGTERM} ---
103 1795570554.7 write(9<TCP:[127.0.0.1:4000->127.0.0.1:5000]>, "HTTP/1.1 200 OK\r\n"..., 100 <unfinished ...>
103 1795570554.8 +++ killed by SIGKILL +++
"#;

    #[test]
    fn calls_are_read_with_their_places_and_results() {
        let Trace(calls) = Trace::parse(TEXT);
        let places: Vec<_> = calls
            .iter()
            .map(|call| (call.name.as_str(), call.thread, call.entered, call.left, call.result))
            .collect();
        assert_eq!(
            places,
            [
                ("recvfrom", 101, 2, Some(2), Some(612)),
                ("fdatasync", 102, 3, Some(5), Some(0)),
                ("pwrite64", 103, 4, Some(4), Some(24)),
                ("fdatasync", 102, 6, Some(6), Some(-1)),
                ("write", 103, 8, None, None),
            ]
        );
        assert_eq!(calls[0].target(), "TCP:[127.0.0.1:4000->127.0.0.1:5000]");
        assert_eq!(calls[1].target(), "/d/vault/content/2026-11-25.pack");
        assert_eq!(calls[3].target(), "/d/vault/keys.db-wal");
        assert_eq!(
            calls.iter().map(Call::is_injected).collect::<Vec<_>>(),
            [false, false, false, true, false]
        );
    }
}
