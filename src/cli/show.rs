//! Turns answers of the control socket into text for people.

use serde_json::Value;

/// A member as text: strings bare, nothing for null.
pub(super) fn member(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Rows below a head, columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(head.get(column).map(|cell| cell.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let line = |cells: Vec<&str>| {
        let padded = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("{cell:<width$}", width = width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// The elements of a list member.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["1".to_owned(), "long".to_owned()],
            vec!["22".to_owned(), "x".to_owned()],
        ];
        assert_eq!(table(&["ID", "NAME"], &rows), "ID  NAME\n1   long\n22  x");
    }

    #[test]
    fn null_is_shown_as_nothing() {
        let value = serde_json::json!({ "a": null, "b": 1, "c": "x", "d": [2] });
        assert_eq!(
            ["a", "b", "c", "e"].map(|name| member(&value, name)),
            ["", "1", "x", ""]
        );
        assert_eq!(list(&value, "d").len(), 1);
    }
}
