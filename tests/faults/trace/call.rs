//! One system call, and the questions that the tests ask of many.

/// One system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The thread.
    pub thread: u32,
    /// Its name.
    pub name: String,
    /// Arguments and what follows them, as written down; file descriptors with their paths.
    pub text: String,
    /// Line of the trace at which it began.
    pub entered: usize,
    /// Line of the trace at which it returned; `None` when the trace ends before.
    pub left: Option<usize>,
    /// What it returned; `None` when it did not, or is no number.
    pub result: Option<i64>,
}

impl Call {
    /// The file or socket that the first argument leads to.
    pub fn target(&self) -> &str {
        let first = self.text.split(", ").next().unwrap_or_default();
        let Some((_, named)) = first.split_once('<') else {
            return "";
        };
        named.split(">)").next().unwrap_or_default().trim_end_matches('>')
    }

    /// Whether strace answered in the kernel's place.
    pub fn is_injected(&self) -> bool {
        self.text.ends_with("(INJECTED)")
    }

    /// Whether it makes a file's bytes durable.
    pub fn is_sync(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync")
    }

    /// Whether it hands bytes to a file or a socket.
    pub fn is_write(&self) -> bool {
        matches!(
            self.name.as_str(),
            "write" | "writev" | "pwrite64" | "pwritev" | "sendto" | "sendmsg"
        )
    }

    /// Whether it takes bytes from a file or a socket.
    pub fn is_read(&self) -> bool {
        matches!(self.name.as_str(), "read" | "readv" | "recvfrom" | "recvmsg")
    }
}

/// A whole trace, by the line at which each call began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace(pub Vec<Call>);
