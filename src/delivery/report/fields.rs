//! Reads groups of fields as the machine-readable parts of reports have them: like headers, an empty line between groups.

/// Fields that are looked at in one part; reports have about twenty.
const FIELDS_MAX: usize = 200;
/// Bytes of a value that are kept.
const VALUE_BYTES_MAX: usize = 2_048;

/// One group: names in lower case, values unfolded, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group(Vec<(String, String)>);

impl Group {
    /// The first value of a field, trimmed; `None` where it is missing or empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value behind its type, as in `dns; mx.example.org`, and the type in lower case. RFC 3464 §2.1.2.
    pub(super) fn typed(&self, name: &str) -> Option<(String, &str)> {
        let (kind, value) = self.value(name)?.split_once(';')?;
        Some((kind.trim().to_ascii_lowercase(), value.trim()))
    }
}

/// Reads the groups of a part. What has no form of a field is passed by.
pub(super) fn groups(part: &[u8]) -> Vec<Group> {
    let text = String::from_utf8_lossy(part);
    let (mut groups, mut group, mut fields) = (Vec::new(), Group::default(), 0);
    for line in text.lines() {
        if line.trim().is_empty() {
            close(&mut groups, &mut group);
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.0.last_mut() {
                append(value, line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields += 1;
            if fields > FIELDS_MAX {
                break;
            }
            let mut kept = String::new();
            append(&mut kept, value.trim());
            group.0.push((name.trim().to_ascii_lowercase(), kept));
        }
    }
    close(&mut groups, &mut group);
    groups
}

fn close(groups: &mut Vec<Group>, group: &mut Group) {
    if !group.0.is_empty() {
        groups.push(std::mem::take(group));
    }
}

/// Adds a line to a value, as long as there is room, without what would move a terminal's cursor.
fn append(value: &mut String, line: &str) {
    if !value.is_empty() && !line.is_empty() {
        value.push(' ');
    }
    for char in line.chars() {
        if value.len() + char.len_utf8() > VALUE_BYTES_MAX {
            break;
        }
        value.push(if char.is_control() { ' ' } else { char });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn groups_are_told_apart_and_values_unfolded() {
        let part = b"Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822;\r\n ann@x.test\r\nACTION :failed\r\nnoise\r\n\
                     Empty:\r\n\r\n\r\nStatus: 4.0.0\r\n";
        let groups = groups(part);
        assert_eq!(groups.len(), 3);
        let recipient = &groups[1];
        assert_eq!(
            recipient.typed("final-recipient"),
            Some(("rfc822".to_owned(), "ann@x.test"))
        );
        assert_eq!(
            (recipient.value("action"), recipient.value("empty")),
            (Some("failed"), None)
        );
        assert_eq!(groups[2].value("status"), Some("4.0.0"));
    }

    proptest! {
        #[test]
        fn no_part_breaks_the_reader(part in prop::collection::vec(any::<u8>(), 0..400), line in "\\PC{0,60}") {
            for part in [part, line.into_bytes()] {
                for group in groups(&part) {
                    for (name, value) in &group.0 {
                        prop_assert!(value.len() <= VALUE_BYTES_MAX && !value.contains(['\r', '\n', '\0']));
                        prop_assert!(!name.contains(':'));
                    }
                }
            }
        }
    }

    #[test]
    fn a_part_costs_no_more_than_its_bounds() {
        let long = format!("a: {}\n", "x".repeat(100_000));
        assert_eq!(groups(long.as_bytes())[0].value("a").unwrap().len(), VALUE_BYTES_MAX);
        let many = "a: b\n".repeat(10_000);
        assert_eq!(groups(many.as_bytes())[0].0.len(), FIELDS_MAX);
    }
}
