//! A client of SMTP submission that others could have written: a connection for each message, and only `250` after the final
//! dot counts.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealpost_domain::ids::MessageId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Answer, Sender};
use crate::judge::Acknowledged;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands in a text with CRLF line ends.
pub async fn submit(server: SocketAddr, sender: &Sender, recipients: &[String], text: &str) -> Answer {
    let said = timeout(PATIENCE, converse(server, sender, recipients, text));
    match said.await {
        Ok(Ok((250, reply))) => Answer::Accepted(accepted(&reply, recipients)),
        Ok(Ok((code, _))) => Answer::Refused(code),
        Ok(Err(_)) | Err(_) => Answer::Lost,
    }
}

/// The reply to the final dot, or the first one before it that refuses.
async fn converse(
    server: SocketAddr,
    Sender { key, from }: &Sender,
    recipients: &[String],
    text: &str,
) -> std::io::Result<(u16, String)> {
    let mut talk = BufReader::new(TcpStream::connect(server).await?);
    let login = STANDARD.encode(format!("\0anybody\0{key}"));
    let mut steps = vec![
        (220, String::new()),
        (250, "EHLO faults.test".to_owned()),
        (235, format!("AUTH PLAIN {login}")),
        (250, format!("MAIL FROM:<{from}>")),
    ];
    steps.extend(recipients.iter().map(|to| (250, format!("RCPT TO:<{to}>"))));
    steps.push((354, "DATA".to_owned()));
    for (due, command) in steps {
        if !command.is_empty() {
            talk.write_all(format!("{command}\r\n").as_bytes()).await?;
        }
        let (code, reply) = reply(&mut talk).await?;
        if code != due {
            return Ok((code, reply));
        }
    }
    let content = format!("From: {from}\r\nSubject: Faults\r\n\r\n{text}.\r\n");
    talk.write_all(content.as_bytes()).await?;
    reply(&mut talk).await
}

/// A whole reply: its code, and the text of its last line.
async fn reply(talk: &mut BufReader<TcpStream>) -> std::io::Result<(u16, String)> {
    loop {
        let mut line = String::new();
        talk.read_line(&mut line).await?;
        // A line without its end is an answer that nobody can rely on.
        if !line.ends_with("\r\n") {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.as_bytes()[3] == b' ' {
            return Ok((line[..3].parse().unwrap(), line[4..].trim_end().to_owned()));
        }
    }
}

/// The messages that a `250` names, in the order of their recipients.
fn accepted(reply: &str, recipients: &[String]) -> Vec<Acknowledged> {
    let ids = reply.strip_prefix("2.0.0 Taken as ").unwrap();
    let ids: Vec<MessageId> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids.len(), recipients.len(), "{reply}");
    let each = ids
        .into_iter()
        .zip(recipients)
        .map(|(message, recipient)| Acknowledged {
            message,
            recipient: recipient.clone(),
        });
    each.collect()
}
