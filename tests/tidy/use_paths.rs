//! Finds every path of a file that may leave its module, and resolves `crate`, `self` and `super` to the crate's root.

use super::lexer::{Token, tokens};

/// A path as it stands in the source, resolved.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// From the crate's root (`log`, `read`, …) or from another crate of ours (`sealpost_domain`, …). A glob ends in `*`.
    pub path: Vec<String>,
    /// Line, counted from 1.
    pub line: usize,
    /// Whether it stands in a module that only tests see.
    pub in_tests: bool,
}

/// Every reference of a file whose module path from the crate's root is `module`.
pub fn references(module: &[String], text: &str) -> Vec<Reference> {
    let all = tokens(text);
    let tests_only = module.iter().any(|name| name == "tests");
    let mut reader = Reader {
        module,
        tokens: &all,
        inline: Vec::new(),
        depth: 0,
        tests_only,
        out: Vec::new(),
    };
    let mut at = 0;
    while at < all.len() {
        at = reader.read(at);
    }
    reader.out
}

struct Inline {
    name: String,
    depth: usize,
    tests_only: bool,
}

struct Reader<'a> {
    module: &'a [String],
    tokens: &'a [Token],
    inline: Vec<Inline>,
    depth: usize,
    tests_only: bool,
    out: Vec<Reference>,
}

impl Reader<'_> {
    /// Reads what starts at `at`; gives the place to go on.
    fn read(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        if token.is_sign('{') {
            self.depth += 1;
        } else if token.is_sign('}') {
            self.depth = self.depth.saturating_sub(1);
            self.inline.retain(|module| module.depth <= self.depth);
        } else if token.is_word("mod") && self.sign(at + 2, '{') {
            self.depth += 1;
            let name = self.tokens[at + 1].word().unwrap_or_default().to_owned();
            self.inline.push(Inline {
                name,
                depth: self.depth,
                tests_only: self.is_under_cfg_test(at),
            });
            return at + 3;
        } else if token.is_word("use") && !self.sign(at + 1, '<') {
            return self.tree(at + 1, &[]);
        } else if self.starts_path(at) {
            return self.chain(at);
        }
        at + 1
    }

    fn sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at).is_some_and(|t| t.is_sign(sign))
    }

    fn word(&self, at: usize) -> Option<&str> {
        self.tokens.get(at).and_then(Token::word)
    }

    fn is_under_cfg_test(&self, mod_at: usize) -> bool {
        let from = mod_at.saturating_sub(12);
        let before = &self.tokens[from..mod_at];
        before
            .windows(3)
            .rposition(|w| w[0].is_word("cfg") && w[1].is_sign('(') && w[2].is_word("test"))
            .is_some_and(|n| {
                // Only attributes and a visibility may stand between: no item may have ended.
                !before[n..].iter().any(|t| t.is_sign(';') || t.is_sign('}'))
            })
    }

    /// A path in an expression, a type or a visibility: a head of ours, then `::`.
    fn starts_path(&self, at: usize) -> bool {
        let head = matches!(self.word(at), Some("crate" | "self" | "super"))
            || self
                .word(at)
                .is_some_and(|w| w == "sealpost" || w.starts_with("sealpost_"));
        let follows = at >= 2 && self.sign(at - 1, ':') && self.sign(at - 2, ':');
        let one_super = self.word(at) == Some("super") && self.word(at.wrapping_sub(1)) == Some("in");
        head && !follows && (one_super || self.sign(at + 1, ':') && self.sign(at + 2, ':'))
    }

    fn chain(&mut self, from: usize) -> usize {
        let mut at = from + 1;
        let mut path = vec![self.word(from).unwrap_or_default().to_owned()];
        while self.sign(at, ':') && self.sign(at + 1, ':') {
            let Some(word) = self.word(at + 2) else { break };
            path.push(word.to_owned());
            at += 3;
        }
        self.found(&path, self.tokens[from].line);
        at
    }

    /// A use tree: words joined by `::`, then a group, a glob or the end. Gives the place behind it.
    fn tree(&mut self, from: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let mut at = from;
        while at < self.tokens.len() {
            if self.sign(at, '{') {
                return self.group(at + 1, &path);
            }
            match self.word(at) {
                Some("as") => at += 1,
                Some(word) => path.push(word.to_owned()),
                None if self.sign(at, '*') => path.push("*".to_owned()),
                None if self.sign(at, ':') => {}
                None => break,
            }
            at += 1;
        }
        if path.len() > prefix.len() {
            self.found(&path, self.tokens[from].line);
        }
        at
    }

    fn group(&mut self, from: usize, prefix: &[String]) -> usize {
        let mut at = from;
        while at < self.tokens.len() && !self.sign(at, '}') {
            at = if self.sign(at, ',') {
                at + 1
            } else {
                self.tree(at, prefix)
            };
        }
        at + 1
    }

    fn found(&mut self, path: &[String], line: usize) {
        let mut base: Vec<String> = self.module.to_vec();
        base.extend(self.inline.iter().map(|module| module.name.clone()));
        let mut rest = path;
        match rest.first().map(String::as_str) {
            Some("crate" | "sealpost") => {
                base.clear();
                rest = &rest[1..];
            }
            Some("self") => rest = &rest[1..],
            Some("super") => {}
            Some(other) if other.starts_with("sealpost_") || base.is_empty() => base.clear(),
            _ => return,
        }
        while rest.first().is_some_and(|word| word == "super") {
            base.pop();
            rest = &rest[1..];
        }
        // `use a::{self}` names `a`.
        base.extend(rest.iter().filter(|word| *word != "self").cloned());
        let in_tests = self.tests_only || self.inline.iter().any(|module| module.tests_only);
        self.out.push(Reference {
            path: base,
            line,
            in_tests,
        });
    }
}

fn shown(module: &str, text: &str) -> Vec<String> {
    let module: Vec<String> = module
        .split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    references(&module, text).iter().map(|r| r.path.join("::")).collect()
}

#[test]
fn use_trees_unfold() {
    let text = "use crate::{log::{self, read::{Row, Tail as T}}, vault::*};\nuse std::fmt;\npub(crate) use sealpost_domain::ids;";
    assert_eq!(
        shown("http/v1", text),
        [
            "log",
            "log::read::Row",
            "log::read::Tail",
            "vault::*",
            "sealpost_domain::ids"
        ]
    );
}

#[test]
fn paths_in_code_count_and_those_in_comments_do_not() {
    let text = "fn f(x: crate::log::Row) -> u8 { $crate::vault::open::<u8>(x) /* crate::http::a */ } // crate::http";
    assert_eq!(shown("actors", text), ["log::Row", "vault::open"]);
}

#[test]
fn super_climbs_out_of_files_and_inline_modules() {
    let text =
        "use super::super::vault::Key; mod a { use super::x; mod b { use super::super::super::c; } } use super::d;";
    assert_eq!(
        shown("smtp/wire/reply", text),
        [
            "smtp::vault::Key",
            "smtp::wire::reply::x",
            "smtp::wire::c",
            "smtp::wire::d"
        ]
    );
    assert_eq!(shown("serve", "use super::*; pub(in super) fn f() {}"), ["*", ""]);
    assert_eq!(shown("", "pub use vault::Key;"), ["vault::Key"]);
}

#[test]
fn test_modules_are_told_apart() {
    let text = "use crate::a; #[cfg(test)] #[expect(x)] mod tests { use crate::b; fn f() {} } mod c { use crate::d; }";
    let seen: Vec<bool> = references(&["log".to_owned()], text)
        .iter()
        .map(|r| r.in_tests)
        .collect();
    assert_eq!(seen, [false, true, false]);
    assert!(references(&["log", "tests", "b"].map(str::to_owned), "use crate::a;")[0].in_tests);
}
