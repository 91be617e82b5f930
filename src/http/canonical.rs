//! The digest of a request: equal for equal requests, whatever their white space and the order of their members.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Map, Value};

/// SHA-256 over the method and the members of a request. Every value is preceded by its type and its length, so that no
/// two requests share a text; nothing is serialised, so that no serialiser's habits count.
pub(super) fn digest(method: &str, members: &Map<String, Value>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    put(&mut context, b'm', method.as_bytes());
    put_object(&mut context, members);
    first_32(context.finish().as_ref())
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    first_32(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

fn first_32(digest: &[u8]) -> [u8; 32] {
    // SHA-256 has 32 bytes, so that they are always there.
    digest.first_chunk().copied().unwrap_or_default()
}

fn put(context: &mut Context, kind: u8, bytes: &[u8]) {
    context.update(&[kind]);
    context.update(&(bytes.len() as u64).to_le_bytes());
    context.update(bytes);
}

fn put_value(context: &mut Context, value: &Value) {
    match value {
        Value::Null => put(context, b'0', b""),
        Value::Bool(flag) => put(context, b'b', &[u8::from(*flag)]),
        Value::Number(number) => put(context, b'n', number.to_string().as_bytes()),
        Value::String(text) => put(context, b's', text.as_bytes()),
        Value::Array(values) => {
            put(context, b'a', &(values.len() as u64).to_le_bytes());
            values.iter().for_each(|value| put_value(context, value));
        }
        Value::Object(members) => put_object(context, members),
    }
}

fn put_object(context: &mut Context, members: &Map<String, Value>) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    put(context, b'o', &(sorted.len() as u64).to_le_bytes());
    for (name, value) in sorted {
        put(context, b'k', name.as_bytes());
        put_value(context, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> [u8; 32] {
        match serde_json::from_str(json).unwrap() {
            Value::Object(members) => digest("messages/send", &members),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn white_space_and_order_do_not_count() {
        assert_eq!(
            of(r#"{"a":1,"b":{"c":[1,"x"],"d":null}}"#),
            of("{ \"b\" : {\"d\":null,\"c\":[1,\"\\u0078\"]},\n\"a\":1}")
        );
    }

    #[test]
    fn everything_else_counts() {
        let requests = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":true}"#,
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[[1]]}"#,
            r#"{"a":{}}"#,
            r#"{"b":1}"#,
            r#"{}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":["1","2"]}"#,
            r#"{"a":["12"]}"#,
        ];
        let digests: std::collections::BTreeSet<_> = requests.iter().map(|request| of(request)).collect();
        assert_eq!(digests.len(), requests.len());
        assert_ne!(
            digest("a", &Map::new()),
            digest("b", &Map::new()),
            "the method counts too"
        );
    }
}
