//! Records a dialogue for the person who wants to see what the servers said; content is never recorded.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

/// A dialogue has few lines; what exceeds this is a server that talks too much.
const LINES_MAX: usize = 500;
const LENGTH_BYTES_MAX: usize = 64 * 1_024;

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// We said it.
    Sent,
    /// The server said it.
    Received,
    /// Neither: a note about what happened, such as the TLS handshake.
    Event,
}

/// One line of a dialogue. It may hold addresses, so it belongs into the sealed content store, never into a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptLine {
    /// Milliseconds since the recorder was made or last emptied.
    pub at_ms: u64,
    /// Who said it.
    pub direction: Direction,
    /// The line without its end; `<N bytes>` instead of content, no credentials.
    pub text: String,
}

/// What was said, in order; at most 500 lines or 64 KiB, then one last line that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines in order.
    pub lines: Vec<TranscriptLine>,
}

/// Collects the lines of one connection. Clones write into the same transcript, so that it outlives a failure.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Mutex<Recording>>);

#[derive(Debug)]
struct Recording {
    started: Instant,
    transcript: Transcript,
    length_bytes: usize,
}

impl Recorder {
    /// Starts its clock now.
    pub fn new() -> Self {
        let recording = Recording {
            started: Instant::now(),
            transcript: Transcript::default(),
            length_bytes: 0,
        };
        Self(Arc::new(Mutex::new(recording)))
    }

    /// Hands out what was recorded, and starts again with an empty transcript and a new clock: one for each message.
    pub fn take(&self) -> Transcript {
        let mut recording = self.0.lock();
        recording.started = Instant::now();
        recording.length_bytes = 0;
        std::mem::take(&mut recording.transcript)
    }

    pub(super) fn note(&self, direction: Direction, text: impl Into<String>) {
        self.0.lock().note(direction, text.into());
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recording {
    fn note(&mut self, direction: Direction, text: String) {
        let full = self.transcript.lines.len() >= LINES_MAX || self.length_bytes >= LENGTH_BYTES_MAX;
        if full && self.transcript.lines.last().is_some_and(|last| last.text == CUT) {
            return;
        }
        let (direction, text) = if full {
            (Direction::Event, CUT.to_owned())
        } else {
            (direction, text)
        };
        self.length_bytes += text.len();
        let at_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.transcript.lines.push(TranscriptLine { at_ms, direction, text });
    }
}

const CUT: &str = "the rest is not recorded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_transcript_and_taking_empties_it() {
        let recorder = Recorder::new();
        recorder.clone().note(Direction::Sent, "NOOP");
        recorder.note(Direction::Received, "250 Ok");
        let texts: Vec<String> = recorder.take().lines.into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["NOOP", "250 Ok"]);
        assert_eq!(recorder.take(), Transcript::default());
    }

    #[test]
    fn a_talkative_server_does_not_fill_the_memory() {
        let recorder = Recorder::new();
        (0..2_000).for_each(|_| recorder.note(Direction::Received, "250 a"));
        let lines = recorder.take().lines;
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines.last().unwrap().text, CUT);
        (0..2_000).for_each(|_| recorder.note(Direction::Received, "a".repeat(2_000)));
        assert!(recorder.take().lines.len() < 40);
    }
}
