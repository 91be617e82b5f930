//! What templates print, and what they never do.

use std::fmt::Write as _;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn print(text: &str, language: MergeLanguage, variables: &Value, escaping: Escaping) -> Result<String, String> {
    let template = Template::parse(text, language).map_err(|refusal| refusal.to_string())?;
    let scene = Scene {
        variables,
        language,
        email: "ann@example.org",
        now: DateTime::from_timestamp(1_795_600_800, 0).unwrap(),
    };
    render(&template, &scene, escaping, &mut Budget::default()).map_err(|exhausted| exhausted.to_string())
}

fn mailchimp(text: &str, variables: &Value) -> String {
    print(text, MergeLanguage::Mailchimp, variables, Escaping::Html)
        .unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

fn handlebars(text: &str, variables: &Value) -> String {
    print(text, MergeLanguage::Handlebars, variables, Escaping::Html)
        .unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

fn refused(text: &str, language: MergeLanguage) -> String {
    print(text, language, &json!({}), Escaping::Html).unwrap_err()
}

#[test]
fn mailchimp_s_tags_are_printed() {
    let variables = json!({ "FNAME": "Ann & Bob", "total": 12, "none": "", "yes": true });
    for (text, printed) in [
        ("Dear *|FNAME|*!", "Dear Ann & Bob!"),
        ("*|fname|*, *|Total|*, *|YES|*", "Ann & Bob, 12, true"),
        ("[*|MISSING|*]", "[]"),
        ("*|IF:FNAME|*Hi*|END:IF|*", "Hi"),
        ("*|IF:NONE|*a*|ELSE:|*b*|END:IF|*", "b"),
        ("*|IFNOT:MISSING|*none*|END:IF|*", "none"),
        ("*|IF:TOTAL > 10|*many*|ELSE:|*few*|END:IF|*", "many"),
        ("*|IF:TOTAL &gt;= 13|*a*|ELSEIF:TOTAL=12|*b*|ELSE:|*c*|END:IF|*", "b"),
        ("*|IF:FNAME != 'Ann & Bob'|*a*|ELSE:|*b*|END:IF|*", "b"),
        ("*|IF:A|**|IF:B|*x*|END:IF|*y*|ELSE:|*z*|END:IF|*", "z"),
        (
            "*|DATE:d/m/Y|* *|CURRENT_YEAR|* *|EMAIL|*",
            "25/11/2026 2026 ann@example.org",
        ),
        (
            "*|NOT A NAME|* *| *|LIST:COMPANY|*",
            "*|NOT A NAME|* *| *|LIST:COMPANY|*",
        ),
        ("**|FNAME|**", "*Ann & Bob*"),
    ] {
        assert_eq!(mailchimp(text, &variables), printed, "{text}");
    }
}

#[test]
fn handlebars_values_and_helpers_are_printed() {
    let variables =
        json!({ "name": "<Ann> & \"co\"", "user": { "first": "ann", "tags": ["a", "b"] }, "n": 0, "Mixed": 1 });
    for (text, printed) in [
        ("{{name}}", "&lt;Ann&gt; &amp; &quot;co&quot;"),
        ("{{{name}}} {{& name}}", "<Ann> & \"co\" <Ann> & \"co\""),
        ("{{user.first}} {{user.tags}} {{user}}|{{missing.a.b}}|", "ann a,b ||"),
        ("{{MIXED}} {{ mixed }}", "1 1"),
        ("\\{{name}} \\\\{{user.first}}", "{{name}} \\ann"),
        (
            "{{upper user.first}} {{title \"o'neil SMITH\"}} {{lower \"ÄB\"}}",
            "ANN O&#x27;neil Smith äb",
        ),
        (
            "{{url name}} {{{striptags \"<b>x</b> < y\"}}}",
            "%3CAnn%3E%20%26%20%22co%22 x < y",
        ),
        ("{{date}} {{date \"jS F Y\"}}", "25/11/2026 25th November 2026"),
        ("a{{! no {{comment}}b", "ab"),
        ("a{{!-- no }} --}}b", "ab"),
        ("a {{~ user.first ~}} b", "aannb"),
        ("{{\"}}\"}}", "}}"),
    ] {
        assert_eq!(handlebars(text, &variables), printed, "{text}");
    }
}

#[test]
fn handlebars_blocks_are_printed() {
    let variables = json!({
        "os": "OS X", "n": 7, "zero": 0, "list": [{ "p": "a" }, { "p": "b" }], "empty": [], "map": { "k": 1, "l": 2 },
        "user": { "name": "ann" },
    });
    for (text, printed) in [
        (
            "{{#if os}}a{{else}}b{{/if}}{{#if zero}}c{{/if}}{{#if empty}}d{{/if}}",
            "a",
        ),
        ("{{#if `os == \"OS X\"`}}mac{{elseif `n > 3`}}big{{/if}}", "mac"),
        (
            "{{#if `os == \"x\"`}}mac{{elseif `n > 3`}}big{{else}}none{{/if}}",
            "big",
        ),
        ("{{#if missing}}a{{else if n}}b{{/if}}", "b"),
        ("{{#unless missing}}a{{/unless}}{{#unless `n < 3`}}b{{/unless}}", "ab"),
        (
            "{{#each list}}{{@index}}{{p}}{{#if @last}}.{{else}},{{/if}}{{/each}}",
            "0a,1b.",
        ),
        ("{{#each map}}{{@key}}={{this}};{{/each}}", "k=1;l=2;"),
        ("{{#each empty}}a{{else}}none{{/each}}", "none"),
        ("{{#list}}{{p}}{{../n}}{{/list}}", "a7b7"),
        ("{{#user}}{{name}}{{/user}}{{#with user}}{{name}}{{/with}}", "annann"),
        ("{{^missing}}none{{/missing}}", "none"),
        ("{{#each list}}{{#each ../list}}{{p}}{{/each}}{{/each}}", "abab"),
    ] {
        assert_eq!(handlebars(text, &variables), printed, "{text}");
    }
}

#[test]
fn only_html_is_escaped() {
    let variables = json!({ "name": "Q&A" });
    let plain = print("{{name}}", MergeLanguage::Handlebars, &variables, Escaping::None);
    assert_eq!(plain.as_deref(), Ok("Q&A"));
}

#[test]
fn what_is_no_template_is_refused_with_its_line() {
    use MergeLanguage::{Handlebars, Mailchimp};
    let deep = "{{#if a}}".repeat(40) + &"{{/if}}".repeat(40);
    for (text, language, says) in [
        ("\n*|IF:A|*", Mailchimp, "the block that opens in line 2 does not end"),
        ("*|END:IF|*", Mailchimp, "line 1 ends or divides"),
        ("*|ELSE:|*", Mailchimp, "line 1 ends or divides"),
        (
            "*|IF:|*x*|END:IF|*",
            Mailchimp,
            "line 1 holds a tag that cannot be read",
        ),
        ("*|UNSUB:https://x.org|*", Mailchimp, "an unsubscribe link"),
        ("{{#if a}}", Handlebars, "the block that opens in line 1 does not end"),
        ("{{#if a}}{{/each}}", Handlebars, "line 1 ends or divides"),
        ("{{#if a}}{{else}}{{else}}{{/if}}", Handlebars, "line 1 ends or divides"),
        ("\n\n{{a b", Handlebars, "line 3 holds a tag that cannot be read"),
        ("{{a..b}}", Handlebars, "cannot be read"),
        ("{{}}", Handlebars, "cannot be read"),
        ("{{lookup a b}}", Handlebars, "a helper that does not exist"),
        ("{{#repeat 5}}{{/repeat}}", Handlebars, "a helper that does not exist"),
        ("{{> other}}", Handlebars, "another template"),
        ("{{unsub \"https://x.org\"}}", Handlebars, "an unsubscribe link"),
        (&deep, Handlebars, "opens a block too many"),
    ] {
        assert!(
            refused(text, language).contains(says),
            "{text}: {}",
            refused(text, language)
        );
    }
}

#[test]
fn a_template_that_goes_round_and_round_is_stopped() {
    let many: Vec<u32> = (0..300).collect();
    let variables = json!({ "a": many, "big": "x".repeat(1 << 20) });
    let loops = |depth: usize, inner: &str| {
        let mut text = String::new();
        for level in 0..depth {
            write!(text, "{{{{#each {}a}}}}", "../".repeat(level)).unwrap();
        }
        text + inner + &"{{/each}}".repeat(depth)
    };
    for text in [
        loops(6, ""),
        loops(3, "{{../../../big}}"),
        loops(3, "{{#if `../../../big == ../../../big`}}{{/if}}"),
        loops(3, "{{striptags ../../../big}}"),
    ] {
        let stopped = print(&text, MergeLanguage::Handlebars, &variables, Escaping::None);
        assert!(stopped.unwrap_err().contains("at most"), "{text}");
    }
}

#[test]
fn loops_that_print_nothing_are_stopped() {
    // Nine million steps: a second or two without a limit, not for ever.
    let many: Vec<u32> = (0..3_000).collect();
    let text = "{{#each a}}{{#each ../a}}{{/each}}{{/each}}";
    let stopped = print(text, MergeLanguage::Handlebars, &json!({ "a": many }), Escaping::None);
    assert!(stopped.unwrap_err().contains("at most"));
}

proptest! {
    #[test]
    fn no_text_and_no_variables_break_the_printing(
        text in "(\\{\\{|\\}\\}|\\*\\||\\|\\*|#if |/if|#each |/each|else|`|\"|IF:|END:IF|ELSE:|a|b| |=|>|\\.\\./|this|@index|~|\\\\|é){0,24}",
        value in "\\PC{0,12}",
    ) {
        let variables = json!({ "a": value, "b": [{ "a": value }, 1, null], "IF": { "x": value } });
        for language in [MergeLanguage::Mailchimp, MergeLanguage::Handlebars] {
            drop(print(&text, language, &variables, Escaping::Html));
        }
    }

    #[test]
    fn no_value_opens_a_tag_of_html(value in "\\PC{0,40}") {
        let printed = handlebars("<b>{{a}}</b>", &json!({ "a": value }));
        let inner = printed.strip_prefix("<b>").unwrap().strip_suffix("</b>").unwrap();
        prop_assert!(!inner.contains(['<', '>', '"', '\'']));
    }

    #[test]
    fn a_text_without_tags_is_printed_as_it_is(text in "[^{}*|\\\\]{0,80}") {
        prop_assert_eq!(mailchimp(&text, &json!({})), text.clone());
        prop_assert_eq!(handlebars(&text, &json!({})), text);
    }
}
