//! Makes a plain alternative from HTML: the words, the lines that blocks make, and the addresses of links.

use mail_parser::decoders::html::html_to_text;

/// Elements whose content nobody reads.
const UNREAD: [&str; 5] = ["head", "style", "script", "template", "title"];
/// Elements that stand on lines of their own, with an empty line around them.
const PARAGRAPHS: [&str; 12] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "blockquote",
    "hr",
];
/// Elements that stand on lines of their own.
const LINES: [&str; 9] = ["div", "tr", "br", "section", "article", "header", "footer", "li", "pre"];

/// The text that the HTML shows. Malformed HTML gives some text, never an error.
pub(super) fn plain_text(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some((before, tag, after)) = next_tag(rest) {
        page.text(before);
        rest = match tag {
            Tag::None => {
                page.word("<");
                after
            }
            Tag::Comment => after,
            Tag::Open(name, _) if UNREAD.contains(&name.as_str()) => skip_past(after, &name),
            Tag::Open(name, attributes) => {
                page.open(&name, attributes);
                after
            }
            Tag::Close(name) => {
                page.close(&name);
                after
            }
        };
    }
    page.text(rest);
    page.out
}

enum Tag<'a> {
    /// A `<` that begins no tag.
    None,
    Comment,
    /// Its name in lower case, and what stands behind it.
    Open(String, &'a str),
    Close(String),
}

/// What stands before the next `<`, what that begins, and what stands behind it.
fn next_tag(html: &str) -> Option<(&str, Tag<'_>, &str)> {
    let (before, from_tag) = html.split_once('<')?;
    if let Some(comment) = from_tag.strip_prefix("!--") {
        let after = comment.split_once("-->").map_or("", |(_, after)| after);
        return Some((before, Tag::Comment, after));
    }
    if !from_tag.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
        return Some((before, Tag::None, from_tag));
    }
    let (inner, after) = from_tag.split_at(tag_end(from_tag));
    let after = after.strip_prefix('>').unwrap_or(after);
    let closing = inner.strip_prefix('/');
    let body = closing.unwrap_or(inner);
    let end = body.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(body.len());
    let (name, attributes) = body.split_at(end);
    let name = name.to_ascii_lowercase();
    let tag = match closing {
        _ if name.is_empty() => Tag::Comment,
        Some(_) => Tag::Close(name),
        None => Tag::Open(name, attributes),
    };
    Some((before, tag, after))
}

/// Where the `>` is that no quote holds.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// What stands behind the closing tag of an element whose content is not read.
fn skip_past<'a>(html: &'a str, name: &str) -> &'a str {
    let mut rest = html;
    while let Some((_, closing)) = rest.split_once("</") {
        let start = closing.get(..name.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return closing.split_once('>').map_or("", |(_, after)| after);
        }
        rest = closing;
    }
    ""
}

/// The value of an attribute, with its entities decoded.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some((name, value)) = rest.split_once('=') {
        let name = name.split_whitespace().next_back().unwrap_or_default();
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| "\"'".contains(*c));
        let (value, after) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(html_to_text(&value.replace('<', "&lt;")));
        }
        rest = after;
    }
    None
}

/// The text that grows.
#[derive(Default)]
struct Page {
    out: String,
    /// Line ends that come before the next word: none, one, or two for an empty line.
    line_ends: usize,
    /// Whether a space comes before the next word.
    space: bool,
    /// The link that is open, and where its text begins.
    link: Option<(String, usize)>,
}

impl Page {
    fn text(&mut self, html: &str) {
        let Some(last) = html.chars().next_back() else { return };
        self.space |= html.starts_with(char::is_whitespace);
        // What stands here holds no tag, so that this decodes entities and joins white space.
        let words = html_to_text(html);
        self.word(words.trim());
        self.space |= last.is_whitespace();
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let space = std::mem::take(&mut self.space);
        let line_ends = std::mem::take(&mut self.line_ends);
        if !self.out.is_empty() && line_ends > 0 {
            self.out.extend(std::iter::repeat_n('\n', line_ends));
        } else if !self.out.is_empty() && space && !self.out.ends_with("- ") {
            self.out.push(' ');
        }
        self.out.push_str(word);
    }

    fn line_end(&mut self, count: usize) {
        self.line_ends = self.line_ends.max(count);
    }

    fn break_around(&mut self, name: &str) {
        if PARAGRAPHS.contains(&name) {
            self.line_end(2);
        } else if LINES.contains(&name) {
            self.line_end(1);
        } else if name == "td" || name == "th" {
            self.space = true;
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        self.break_around(name);
        match name {
            "li" => self.word("- "),
            "hr" => {
                self.word("---");
                self.line_end(2);
            }
            "img" => self.word(attribute(attributes, "alt").unwrap_or_default().trim()),
            "a" => {
                let href = attribute(attributes, "href").unwrap_or_default();
                let shown = ["http://", "https://", "mailto:"]
                    .iter()
                    .any(|scheme| href.starts_with(scheme));
                self.link = shown.then_some((href, self.out.len()));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if name == "a"
            && let Some((href, start)) = self.link.take()
        {
            let text = self.out.get(start..).unwrap_or_default().trim();
            if text != href && Some(text) != href.strip_prefix("mailto:") {
                self.space |= !text.is_empty();
                self.word(&if text.is_empty() { href } else { format!("({href})") });
            }
        }
        if name != "br" {
            self.break_around(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lines_and_links_are_kept() {
        for (html, text) in [
            ("", ""),
            ("just text", "just text"),
            (
                "<p>Hi&nbsp;Bob &amp; all,</p>\n<p>it <b>works</b>!</p>",
                "Hi\u{a0}Bob & all,\n\nit works!",
            ),
            ("a<br>b<br/>c<BR />d", "a\nb\nc\nd"),
            ("<div>a</div><div>b</div>", "a\nb"),
            ("<ul><li>one</li><li> two</li></ul>end", "- one\n- two\n\nend"),
            (
                "<a href=\"https://x.org/?a=1&amp;b=2\">Reset</a> now",
                "Reset (https://x.org/?a=1&b=2) now",
            ),
            ("<a class=b href='https://x.org'>https://x.org</a>", "https://x.org"),
            (
                "<a href=https://x.org><img alt='Logo &lt;1&gt;'></a>",
                "Logo <1> (https://x.org)",
            ),
            ("<a href=\"https://x.org\"><img src=x></a>", "https://x.org"),
            ("<a href=\"mailto:a@x.org\">a@x.org</a>", "a@x.org"),
            ("<a href=\"#top\">up</a>", "up"),
            (
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
                "a b\nc",
            ),
            ("a<hr>b", "a\n\n---\n\nb"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn what_nobody_reads_is_left_out() {
        let html = "<!DOCTYPE html><html><head><title>T</title></head><STYLE>p > a {}</Style><body><!-- <p>no</p> -->\
                    <script>if (a < b) {}</script>yes<template>no</template></body></html>";
        assert_eq!(plain_text(html), "yes");
    }

    #[test]
    fn malformed_html_gives_some_text() {
        for (html, text) in [
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("a <b title=\"x > y\">c", "a c"),
            ("a <unfinished", "a"),
            ("a <!-- unfinished", "a"),
            ("a <script>unfinished", "a"),
            ("</a></p>a", "a"),
            ("<a href=\"https://x.org\">open", "open"),
            ("a &unknown; &#x1F389; &#xD800;", "a &unknown; 🎉 \u{fffd}"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(html in "(<[a-z/!]{0,3}|[ =\"'&;>-]|\\PC|href|li){0,60}") {
            let text = plain_text(&html);
            proptest::prop_assert!(!text.starts_with('\n') && !text.contains("\n\n\n"));
        }
    }
}
