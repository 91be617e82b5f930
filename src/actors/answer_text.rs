//! The answer to a call that sends, as its idempotency row keeps it: ids and verdicts, no addresses.

use sealpost_domain::ids::MessageId;
use sealpost_domain::message::RejectReason;
use serde::{Deserialize, Serialize};

use super::work::{SendAnswer, Verdict};

/// One recipient's answer.
#[derive(Serialize, Deserialize)]
struct Line {
    id: MessageId,
    verdict: Word,
}

/// A verdict's stored form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Accepted,
    Held,
    Rejected(RejectReason),
}

/// Writes the answers of a call in their order.
#[must_use]
pub fn write_answers(answers: &[SendAnswer]) -> String {
    let line = |answer: &SendAnswer| Line {
        id: answer.message,
        verdict: match answer.verdict {
            Verdict::Accepted => Word::Accepted,
            Verdict::Held => Word::Held,
            Verdict::Rejected(reason) => Word::Rejected(reason),
        },
    };
    let lines: Vec<Line> = answers.iter().map(line).collect();
    // Ids and words always have a JSON form.
    serde_json::to_string(&lines).unwrap_or_default()
}

/// Reads what [`write_answers`] wrote; `None` for anything else.
#[must_use]
pub fn read_answers(text: &str) -> Option<Vec<(MessageId, Verdict)>> {
    let lines: Vec<Line> = serde_json::from_str(text).ok()?;
    let read = lines.into_iter().map(|line| {
        let verdict = match line.verdict {
            Word::Accepted => Verdict::Accepted,
            Word::Held => Verdict::Held,
            Word::Rejected(reason) => Verdict::Rejected(reason),
        };
        (line.id, verdict)
    });
    Some(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn answers_are_read_back_without_their_addresses() {
        let verdicts = [
            Verdict::Accepted,
            Verdict::Held,
            Verdict::Rejected(RejectReason::Unsigned),
        ];
        let answers: Vec<_> = (1..)
            .zip(verdicts)
            .map(|(id, verdict)| SendAnswer {
                message: MessageId::from_uuid(Uuid::from_u128(id)),
                given: "ann@example.org".to_owned(),
                verdict,
            })
            .collect();
        let text = write_answers(&answers);
        assert!(!text.contains("example"), "{text}");
        let read = read_answers(&text).unwrap();
        assert!(
            read.iter()
                .zip(&answers)
                .all(|(read, answer)| *read == (answer.message, answer.verdict))
        );
        assert_eq!(read_answers("{}"), None);
        assert_eq!(read_answers(""), None);
    }
}
