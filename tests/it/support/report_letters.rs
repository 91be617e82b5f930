//! Reports as other servers write them, and a server that brings them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a dialogue may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A delivery status notification (RFC 3464) with this action, status and words of the remote server.
pub fn notification(action: &str, status: &str, words: &str) -> String {
    report(
        "delivery-status",
        "message/delivery-status",
        &format!(
            "Reporting-MTA: dns; relay.test\r\nArrival-Date: Wed, 25 Nov 2026 10:00:00 +0000\r\n\r\n\
             Final-Recipient: rfc822; ann@inbox.test\r\nAction: {action}\r\nStatus: {status}\r\n\
             Remote-MTA: dns; mx.inbox.test\r\nDiagnostic-Code: smtp; {words}"
        ),
        "Subject: Your order",
    )
}

/// A feedback report (RFC 5965) that quotes this header of the original.
pub fn complaint(original: &str) -> String {
    report(
        "feedback-report",
        "message/feedback-report",
        "Feedback-Type: abuse\r\nUser-Agent: Feedback/1.0\r\nVersion: 1\r\nReporting-MTA: dns; fbl.test",
        original,
    )
}

fn report(report_type: &str, part_type: &str, part: &str, original: &str) -> String {
    format!(
        "From: <mailer-daemon@relay.test>\r\nSubject: Report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={report_type}; boundary=\"part\"\r\n\r\n\
         --part\r\nContent-Type: text/plain\r\n\r\nSomething happened.\r\n\r\n\
         --part\r\nContent-Type: {part_type}\r\n\r\n{part}\r\n\r\n\
         --part\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n\r\n--part--\r\n"
    )
}

/// Says these lines one after the other, each after the reply to the one before; all replies, the greeting first.
pub async fn say(address: SocketAddr, lines: &[String]) -> Vec<String> {
    let dialogue = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut replies = vec![reply(&mut stream).await];
        for line in lines {
            stream.write_all(line.as_bytes()).await.unwrap();
            replies.push(reply(&mut stream).await);
        }
        replies
    };
    tokio::time::timeout(PATIENCE, dialogue).await.unwrap()
}

/// The reply to the last recipient, and to the content where that was taken.
pub async fn bring(address: SocketAddr, to: &str, letter: &str) -> String {
    let lines = ["EHLO relay.test", "MAIL FROM:<>"].map(|line| format!("{line}\r\n"));
    let mut lines = lines.to_vec();
    lines.push(format!("RCPT TO:<{to}>\r\n"));
    let refused = say(address, &lines).await.pop().unwrap();
    if !refused.starts_with("250") {
        return refused;
    }
    lines.push("DATA\r\n".to_owned());
    lines.push(format!("{letter}.\r\n"));
    say(address, &lines).await.pop().unwrap()
}

async fn reply(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    loop {
        let count = stream.read_buf(&mut heard).await.unwrap();
        let text = String::from_utf8(heard.clone()).unwrap();
        let last = text.trim_end().rsplit("\r\n").next().unwrap_or_default();
        if count == 0 || (text.ends_with("\r\n") && last.as_bytes().get(3) != Some(&b'-')) {
            return text.trim_end().to_owned();
        }
    }
}
