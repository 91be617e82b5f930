//! Reads what `messages/send` says of merging: the language, and the variables of all and of each recipient.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::compose::{Merge, MergeLanguage};
use crate::http::fault::Fault;
use crate::http::fields::Fields;

/// `merge` is true whenever there are variables; without it, tags stay as they are.
///
/// # Errors
/// The first member that is wrong, with its path.
pub(super) fn merge(message: &mut Fields) -> Result<Option<Merge>, Fault> {
    let wanted = message.flag("merge")?.unwrap_or(false);
    let language = match message.text("merge_language")?.as_deref() {
        None | Some("" | "mailchimp") => MergeLanguage::Mailchimp,
        Some("handlebars") => MergeLanguage::Handlebars,
        Some(_) => return Err(message.wrong("merge_language", "Please enter mailchimp or handlebars")),
    };
    let global = variables(message.objects("global_merge_vars")?, language)?;
    let mut own: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for mut one in message.objects("merge_vars")? {
        let recipient = one.text_required("rcpt")?.to_lowercase();
        let vars = variables(one.objects("vars")?, language)?;
        own.entry(recipient).or_default().extend(vars);
    }
    let merges = wanted || !global.is_empty() || !own.is_empty();
    Ok(merges.then_some(Merge { language, global, own }))
}

fn variables(list: Vec<Fields>, language: MergeLanguage) -> Result<Map<String, Value>, Fault> {
    let mut variables = Map::new();
    for mut one in list {
        let name = one.text_required("name")?;
        if name.starts_with('_') {
            return Err(one.wrong("name", "A name must not begin with an underscore"));
        }
        let content = one.take("content").unwrap_or_default();
        if language == MergeLanguage::Mailchimp && (content.is_array() || content.is_object()) {
            return Err(one.wrong("content", "Please enter a string or a number, or choose handlebars"));
        }
        variables.insert(name, content);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &str) -> Result<Option<Merge>, Fault> {
        merge(&mut Fields::of_body(format!("{{{members}}}").as_bytes()).unwrap())
    }

    fn field_of(members: &str) -> String {
        read(members).expect_err("a fault").field.unwrap_or_default()
    }

    #[test]
    fn variables_turn_merging_on() {
        assert!(read(r#""merge_language":"handlebars""#).unwrap().is_none());
        assert!(
            read(r#""merge":false,"global_merge_vars":[],"merge_vars":null"#)
                .unwrap()
                .is_none()
        );
        assert!(read(r#""merge":true"#).unwrap().is_some());
        let merge = read(
            r#""merge":false,"merge_language":"handlebars","global_merge_vars":[{"name":"A","content":{"b":[1]}}],
            "merge_vars":[{"rcpt":"Ann@X.org","vars":[{"name":"a","content":"own"}]}]"#,
        );
        let merge = merge.unwrap().unwrap();
        assert_eq!(merge.language, MergeLanguage::Handlebars);
        assert_eq!(merge.variables("bob@x.org"), serde_json::json!({ "A": { "b": [1] } }));
        assert_eq!(merge.variables("ann@x.org"), serde_json::json!({ "a": "own" }));
    }

    #[test]
    fn wrong_members_are_named() {
        assert_eq!(field_of(r#""merge_language":"perl""#), "merge_language");
        assert_eq!(field_of(r#""global_merge_vars":{}"#), "global_merge_vars");
        assert_eq!(
            field_of(r#""global_merge_vars":[{"content":1}]"#),
            "global_merge_vars[0].name"
        );
        assert_eq!(
            field_of(r#""global_merge_vars":[{"name":"_a"}]"#),
            "global_merge_vars[0].name"
        );
        assert_eq!(
            field_of(r#""global_merge_vars":[{"name":"a","content":[]}]"#),
            "global_merge_vars[0].content"
        );
        assert_eq!(field_of(r#""merge_vars":[{"vars":[]}]"#), "merge_vars[0].rcpt");
        assert_eq!(
            field_of(r#""merge_vars":[{"rcpt":"a","vars":[{}]}]"#),
            "merge_vars[0].vars[0].name"
        );
    }
}
