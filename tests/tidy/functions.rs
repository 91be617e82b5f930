//! The law on a function's length: code lines from `fn` to its closing brace, comments and blank lines left out.

use std::collections::BTreeSet;

use super::lexer::{Token, tokens};
use super::tree::{Finding, Tree};

/// A function's longest, in lines of code.
const FUNCTION_LINES_MAX: usize = 70;

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Functions that are too long.
pub fn findings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        for f in functions(text).iter().filter(|f| f.lines > FUNCTION_LINES_MAX) {
            let what = format!(
                "`{}` has {} lines, more than {FUNCTION_LINES_MAX}: name its steps",
                f.name, f.lines
            );
            found.push(Finding::at_line(path, f.line, what));
        }
    }
    found
}

/// The longest function, for people to see how near the limit is.
pub fn longest(tree: &Tree) -> String {
    let all = tree
        .rust()
        .flat_map(|(path, text)| functions(text).into_iter().map(move |f| (path, f)));
    let longest = all.max_by_key(|(_, f)| f.lines);
    longest.map_or_else(String::new, |(path, f)| {
        format!("longest function: {} lines, `{}` in {path}:{}", f.lines, f.name, f.line)
    })
}

fn functions(text: &str) -> Vec<Function> {
    let all = tokens(text);
    let mut found = Vec::new();
    for (at, pair) in all.windows(2).enumerate() {
        let (true, Some(name)) = (pair[0].is_word("fn"), pair[1].word()) else {
            continue;
        };
        if let Some(body) = body_of(&all[at..]) {
            let code: BTreeSet<usize> = body.iter().flat_map(|t| t.line..=t.line_end).collect();
            found.push(Function {
                name: name.to_owned(),
                line: pair[0].line,
                lines: code.len(),
            });
        }
    }
    found
}

/// From `fn` to the brace that closes its body; `None` for a declaration without one.
fn body_of(from_fn: &[Token]) -> Option<&[Token]> {
    let (mut round, mut curly) = (0i32, 0i32);
    for (at, token) in from_fn.iter().enumerate() {
        match token.kind {
            super::lexer::Kind::Sign('(' | '[') => round += 1,
            super::lexer::Kind::Sign(')' | ']') => round -= 1,
            super::lexer::Kind::Sign('{') => curly += 1,
            super::lexer::Kind::Sign('}') => {
                curly -= 1;
                if curly == 0 && round == 0 {
                    return Some(&from_fn[..=at]);
                }
            }
            super::lexer::Kind::Sign(';') if curly == 0 && round == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn a_long_function_is_found_wherever_it_sits() {
    let body = "    work();\n".repeat(FUNCTION_LINES_MAX);
    let text =
        format!("//! A.\nimpl A {{\n  fn short(&self) -> [u8; {{ 3 }}] {{ [0; 3] }}\n  fn long() {{\n{body}  }}\n}}\n");
    let found = findings(&Tree::of(&[("src/log/a.rs", &text)]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "src/log/a.rs:4");
    assert!(found[0].what.starts_with("`long` has 72 lines"), "{found:?}");
}

#[test]
fn comments_blank_lines_and_braces_in_strings_do_not_count() {
    let body = "    // Why.\n\n    say(\"}\");\n".repeat(FUNCTION_LINES_MAX - 2);
    let tree = Tree::of(&[(
        "src/log/a.rs",
        &format!("fn full() {{\n{body}}}\ntrait T {{ fn none(); }}\n"),
    )]);
    assert_eq!(findings(&tree), []);
    assert_eq!(longest(&tree), "longest function: 70 lines, `full` in src/log/a.rs:1");
}
