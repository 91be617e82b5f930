//! `docs/config.md` lists every key of the configuration with its meaning, its kind and its default, and its example is read.

use std::collections::BTreeSet;
use std::path::Path;

use sealpost::config::{Config, RouteConfig};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::golden::{check_document, read};

const OPENING: &str = "# Configuration

One TOML file, given by `--config FILE` or `SEALPOST_CONFIG`. An unknown key is refused, so that a misspelt one is never
ignored. With `--data DIR` alone everything has its default, and no listener but the control socket is open.
";

/// The structs of the configuration, the file of each, and the table that it is.
const TABLES: [(&str, &str, &str); 8] = [
    ("Config", "src/config.rs", ""),
    ("HttpConfig", "src/config/listeners.rs", "[http]"),
    ("SubmissionConfig", "src/config/listeners.rs", "[submission]"),
    ("DeliveryConfig", "src/config.rs", "[delivery]"),
    ("DnsConfig", "src/delivery/mx/settings.rs", "[dns]"),
    ("RouteConfig", "src/config/route.rs", "[[route]]"),
    ("BouncesConfig", "src/config/bounces.rs", "[bounces]"),
    ("DiskConfig", "src/config.rs", "[disk]"),
];

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    name: String,
    kind: String,
    meaning: String,
}

/// The fields of a struct in the source, with their comments.
fn keys(source: &str, name: &str) -> Vec<Key> {
    let opening = format!("pub struct {name} {{");
    let lines = source.lines().skip_while(|line| *line != opening).skip(1);
    let (mut keys, mut meaning, mut renamed) = (Vec::new(), Vec::new(), None);
    for line in lines.take_while(|line| *line != "}").map(str::trim) {
        if let Some(comment) = line.strip_prefix("/// ") {
            meaning.push(comment);
        } else if let Some(rest) = line.split("rename = \"").nth(1) {
            renamed = rest.split('"').next();
        } else if let Some((field, kind)) = line.strip_prefix("pub ").and_then(|line| line.split_once(": ")) {
            keys.push(Key {
                name: renamed.take().unwrap_or(field).to_owned(),
                kind: kind.trim_end_matches(',').to_owned(),
                meaning: std::mem::take(&mut meaning).join(" "),
            });
        }
    }
    keys
}

/// A Rust type in an operator's words; `None` for a table of its own.
fn kind_in_words(kind: &str) -> Option<&str> {
    let inner = kind
        .strip_prefix("Option<")
        .and_then(|kind| kind.strip_suffix('>'))
        .unwrap_or(kind);
    Some(match inner {
        "PathBuf" => "path",
        "String" | "Secret" => "text",
        "SocketAddr" => "address and port",
        "u16" | "u32" | "u64" => "number",
        "Vec<u32>" => "list of numbers",
        "Vec<SocketAddr>" => "list of addresses and ports",
        "LoginInClear" => "`loopback` or `never`",
        "bool" => "`true` or `false`",
        "RouteTls" => "`opportunistic`, `encrypted` or `authenticated`",
        "DkimUse" => "`sign` or `off`",
        "RouteStart" => "`starttls` or `implicit`",
        "Outgoing" => "`flows` or `rests`",
        "DnsValidation" | "Ipv6Use" => "`auto`, `always` or `never`",
        "DnsConfig" | "HttpConfig" | "SubmissionConfig" | "DeliveryConfig" | "BouncesConfig" | "DiskConfig"
        | "Vec<RouteConfig>" => {
            return None;
        }
        other => panic!("`{other}` has no words for operators yet"),
    })
}

/// The default of a key as TOML writes it: whether it must be set is found by leaving it out.
fn default<T: DeserializeOwned>(whole: &Value, key: &str) -> String {
    let mut without = whole.clone();
    let value = without.as_object_mut().unwrap().remove(key).unwrap();
    match (serde_json::from_value::<T>(without).is_ok(), value) {
        (false, _) => "must be set".to_owned(),
        (true, Value::Null) => "none".to_owned(),
        (true, value) => format!("`{value}`"),
    }
}

fn document() -> String {
    let whole = serde_json::to_value(Config::in_folder(Path::new("/var/lib/sealpost"))).unwrap();
    let route: RouteConfig = serde_json::from_value(json!({ "domain": "*", "host": "mx" })).unwrap();
    let route = serde_json::to_value(route).unwrap();
    let mut text = OPENING.to_owned();
    for (name, file, table) in TABLES {
        let source = read(file);
        if !table.is_empty() {
            text.push_str(&format!("\n## `{table}`\n"));
        }
        text.push_str("\n| key | kind | default | meaning |\n|---|---|---|---|\n");
        for Key {
            name: key,
            kind,
            meaning,
        } in keys(&source, name)
        {
            let Some(kind) = kind_in_words(&kind) else { continue };
            let default = match table {
                "" => default::<Config>(&whole, &key),
                "[[route]]" => default::<RouteConfig>(&route, &key),
                _ => value_of(&whole[table.trim_matches(['[', ']'])][&key]),
            };
            assert!(!meaning.is_empty(), "{name}.{key} has no comment");
            text.push_str(&format!("| `{key}` | {kind} | {default} | {meaning} |\n"));
        }
    }
    text.push_str(&format!("\n## Example\n\n```toml\n{EXAMPLE}```\n"));
    text
}

/// In these tables everything may be left out.
fn value_of(value: &Value) -> String {
    if value.is_null() {
        "none".to_owned()
    } else {
        format!("`{value}`")
    }
}

const EXAMPLE: &str = "data = '/var/lib/sealpost'
host = 'mail.example.org'

[http]
secure = '0.0.0.0:443'
certificate = '/etc/sealpost/chain.pem'
private_key = '/etc/sealpost/key.pem'

[submission]
starttls = ['0.0.0.0:587', '0.0.0.0:2525']
implicit_tls = ['0.0.0.0:465']

[delivery]
retry_delays_s = [60, 300, 1800, 7200]

[bounces]
domain = 'bounce.example.org'
listen = ['0.0.0.0:25']

# This domain's own server, and one for all others.
[[route]]
domain = 'example.net'
host = 'mx.example.net'
tls = 'authenticated'

[[route]]
domain = '*'
host = 'smarthost.example.org'
port = 587
tls = 'encrypted'
";

#[test]
fn the_document_lists_every_key_with_its_default_and_meaning() {
    check_document("docs/config.md", &document());
}

/// What the reader itself says that it knows, when it is given a key that it does not.
fn known_to_the_reader(table: &str) -> BTreeSet<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let more = match table {
        "" => String::new(),
        "[[route]]" => format!("{table}\ndomain = '*'\nhost = 'mx'\n"),
        table => format!("{table}\n"),
    };
    std::fs::write(file.path(), format!("data = 'x'\n{more}no_such_key = 1\n")).unwrap();
    let refusal = Config::load(file.path()).unwrap_err();
    let cause = std::error::Error::source(&refusal).unwrap().to_string();
    let listed = cause
        .split("expected")
        .nth(1)
        .unwrap_or_else(|| panic!("{table}: {cause}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_source_shows_every_key_that_the_reader_knows() {
    for (name, file, table) in TABLES {
        let source = read(file);
        let shown: BTreeSet<String> = keys(&source, name).into_iter().map(|key| key.name).collect();
        assert_eq!(shown, known_to_the_reader(table), "{name}");
    }
}

#[test]
fn the_example_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), EXAMPLE).unwrap();
    let config = Config::load(file.path()).unwrap();
    let (exact, others) = config.route_table().unwrap();
    assert_eq!((exact.len(), others.unwrap().port), (1, 587));
}
