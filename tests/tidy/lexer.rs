//! Cuts Rust source into tokens, so that comments and strings can neither hide nor fake an import, a brace or a `fn`.

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A word, a keyword or a number.
    Word(String),
    /// One sign. `::` is two of them.
    Sign(char),
    /// A string literal's content, escapes left as they stand.
    Text(String),
}

/// One token and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it starts.
    pub line: usize,
    /// Where it ends; differs from `line` for strings over several lines.
    pub line_end: usize,
}

impl Token {
    /// Whether this is that word.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(w) if w == word)
    }

    /// Whether this is that sign.
    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// The word, when it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(w) => Some(w),
            Kind::Sign(_) | Kind::Text(_) => None,
        }
    }
}

/// The tokens of a file, without comments, lifetimes and character literals.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: source,
        line: 1,
        out: Vec::new(),
    };
    while lexer.step() {}
    lexer.out
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes one token, comment or blank off the front.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment_len(self.rest));
        } else if first.is_whitespace() {
            self.skip(self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len()));
        } else if let Some((open, close)) = string_at(self.rest, first) {
            self.string(open, &close);
        } else if first == '\'' {
            self.skip(quote_len(self.rest));
        } else if first.is_alphanumeric() || first == '_' {
            let len = self
                .rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(self.rest.len());
            self.push(Kind::Word(self.rest[..len].to_owned()), len);
        } else {
            self.push(Kind::Sign(first), first.len_utf8());
        }
        true
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let line = self.line;
        self.skip(len);
        self.out.push(Token {
            kind,
            line,
            line_end: self.line,
        });
    }

    fn skip(&mut self, len: usize) {
        self.line += self.rest[..len].matches('\n').count();
        self.rest = &self.rest[len..];
    }

    fn string(&mut self, open: usize, close: &str) {
        let body = &self.rest[open..];
        let raw = close.len() > 1 || self.rest.starts_with('r') || self.rest.starts_with("br");
        let len = if raw {
            body.find(close).unwrap_or(body.len())
        } else {
            cooked_len(body)
        };
        let end = (open + len + close.len()).min(self.rest.len());
        self.push(Kind::Text(body[..len].to_owned()), end);
    }
}

/// Length of the opening of a string literal and the text that closes it.
fn string_at(rest: &str, first: char) -> Option<(usize, String)> {
    // Most tokens are told apart by their first letter.
    if !matches!(first, '"' | 'b' | 'c' | 'r') {
        return None;
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|p| {
        rest.strip_prefix(p)
            .is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = rest[prefix.len()..].chars().take_while(|c| *c == '#').count();
    // `#"` without `r` is an attribute's hash and then a string: only the raw kinds carry hashes.
    if hashes > 0 && !prefix.ends_with('r') {
        return None;
    }
    Some((prefix.len() + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

fn cooked_len(body: &str) -> usize {
    let mut escaped = false;
    body.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
    .unwrap_or(body.len())
}

/// Length of a character literal, or of a lifetime's quote and name.
fn quote_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escape, escape_char))) => {
            let after = escape + escape_char.len_utf8();
            rest[after..].find('\'').map_or(rest.len(), |n| after + n + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => {
            1 + rest[1..]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len() - 1)
        }
    }
}

fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[test]
fn comments_strings_and_quotes_hide_nothing() {
    let source = "a /* { /* nested */ } */ \"}\\\"{\" b'x' '\\'' '{' 'static r#\"} \"#  // {\n b\"{\" é";
    let words: Vec<_> = tokens(source)
        .into_iter()
        .filter(|t| !matches!(t.kind, Kind::Text(_)))
        .collect();
    let shown: Vec<_> = words.iter().filter_map(Token::word).collect();
    assert_eq!(shown, ["a", "b", "é"], "the b is a byte character's prefix");
    assert!(words.iter().all(|t| !t.is_sign('{') && !t.is_sign('}')));
    assert_eq!(words.last().map(|t| t.line), Some(2));
}

#[test]
fn strings_over_lines_keep_the_count() {
    let all = tokens("\"one\ntwo\" x");
    assert_eq!((all[0].line, all[0].line_end, all[1].line), (1, 2, 2));
    assert_eq!(all[0].kind, Kind::Text("one\ntwo".into()));
}
