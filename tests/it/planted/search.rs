//! Looks for a text in bytes, in every form in which programs tend to leave one; in files, in what is compressed in
//! them, and in each cell of a database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// How many bytes of a form lead to it.
const LEAD: usize = 6;

/// A text in one form.
struct Form {
    text: String,
    name: &'static str,
    bytes: Vec<u8>,
}

/// Many texts in all their forms, looked for in one pass.
pub struct Search {
    /// By the first bytes of each form.
    forms: HashMap<[u8; LEAD], Vec<Form>>,
    /// Which two bytes begin any form: nearly every place is passed by at a glance.
    begins: Vec<bool>,
}

impl Search {
    /// Prepares all forms of these texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut forms, mut begins) = (HashMap::<_, Vec<Form>>::new(), vec![false; 1 << 16]);
        for text in texts {
            let mut all = of_text(text);
            for other in [text.to_lowercase(), text.to_uppercase()] {
                all.extend(of_text(&other));
            }
            let mut seen = BTreeSet::new();
            for (name, bytes) in all {
                if !seen.insert(bytes.clone()) {
                    continue;
                }
                let lead: [u8; LEAD] = bytes[..LEAD].try_into().unwrap();
                begins[usize::from(u16::from_le_bytes([lead[0], lead[1]]))] = true;
                let text = text.to_owned();
                forms.entry(lead).or_default().push(Form { text, name, bytes });
            }
        }
        Self { forms, begins }
    }

    /// Each text that the bytes hold, with a form in which they do.
    pub fn find(&self, bytes: &[u8]) -> BTreeMap<&str, &'static str> {
        let mut found = BTreeMap::new();
        for (at, window) in bytes.windows(LEAD).enumerate() {
            if !self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
                continue;
            }
            let forms = self.forms.get(window).into_iter().flatten();
            for form in forms.filter(|form| bytes[at..].starts_with(&form.bytes)) {
                found.insert(form.text.as_str(), form.name);
            }
        }
        found
    }
}

fn of_text(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let each = |print: &dyn Fn(u8) -> String| bytes.iter().map(|byte| print(*byte)).collect::<String>().into_bytes();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let percent = |byte: u8| match unreserved(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    let plus = |byte: u8| if byte == b' ' { "+".to_owned() } else { percent(byte) };
    let decimals: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let json: String = text
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("hex", each(&|byte| format!("{byte:02x}"))),
        ("upper-case hex", each(&|byte| format!("{byte:02X}"))),
        ("percent-encoded", each(&percent)),
        ("of a form", each(&plus)),
        (
            "quoted-printable",
            each(&|byte| match byte.is_ascii_graphic() && byte != b'=' || byte == b' ' {
                true => char::from(byte).to_string(),
                false => format!("={byte:02X}"),
            }),
        ),
        ("a list of numbers", decimals.join(", ").into_bytes()),
        ("numbers without spaces", decimals.join(",").into_bytes()),
        ("JSON escapes", json.into_bytes()),
        ("Rust escapes", text.escape_default().to_string().into_bytes()),
        (
            "UTF-16, little end first",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "UTF-16, big end first",
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    ];
    for skipped in 0..3 {
        // Whole groups of three bytes, so that no letter depends on what stands beside them.
        let whole: Vec<u8> = bytes.iter().skip(skipped).copied().collect();
        let whole = &whole[..whole.len() / 3 * 3];
        forms.push(("base64", STANDARD.encode(whole).into_bytes()));
        forms.push(("base64url", URL_SAFE.encode(whole).into_bytes()));
    }
    forms
}

/// One place and the bytes that lie there.
pub struct Place {
    /// A file, a compressed part of one, or a cell of a table.
    pub name: String,
    /// What lies there.
    pub bytes: Vec<u8>,
}

/// Each file of a folder and what is compressed in it.
pub fn files(folder: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    for path in below(folder) {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        // A file may go while the program runs.
        let Ok(bytes) = std::fs::read(path) else { continue };
        unpacked(&name, &bytes, &mut places);
        places.push(Place { name, bytes });
    }
    places
}

/// Each table of the databases of a folder that nobody uses.
pub fn cells(folder: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    for path in below(folder) {
        if path.extension().is_some_and(|end| end == "db") {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            tables(&name, &path, &mut places);
        }
    }
    places
}

/// Each line of a log.
pub fn lines(name: &str, log: &str) -> Vec<Place> {
    let place = |line: &str| Place {
        name: format!("{name}: {}", line.chars().take(300).collect::<String>()),
        bytes: line.as_bytes().to_vec(),
    };
    log.lines().map(place).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What was compressed and not sealed would pass a search for its text.
fn unpacked(name: &str, bytes: &[u8], places: &mut Vec<Place>) {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    for at in memmem::find_iter(bytes, &MAGIC) {
        let mut unpacked = Vec::new();
        let Ok(decoder) = zstd::stream::Decoder::new(&bytes[at..]) else {
            continue;
        };
        // Chance may begin a frame that is none: what came out before the failure is still looked at.
        drop(decoder.take(16 << 20).read_to_end(&mut unpacked));
        places.push(Place {
            name: format!("{name}, compressed at {at}"),
            bytes: unpacked,
        });
    }
}

/// A value may lie on several pages of a database, and then no search of its file finds it.
fn tables(name: &str, path: &Path, places: &mut Vec<Place>) {
    let open = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut tables = open
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!tables.is_empty(), "{name} has no tables");
    for table in tables {
        let mut bytes = Vec::new();
        let mut rows = open.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(cell) | ValueRef::Blob(cell) => bytes.extend_from_slice(cell),
                    ValueRef::Integer(number) => bytes.extend_from_slice(number.to_string().as_bytes()),
                    ValueRef::Null | ValueRef::Real(_) => {}
                }
                // Between two cells stands what is in no text.
                bytes.push(0xff);
            }
        }
        let name = format!("{name}, table {table}");
        unpacked(&name, &bytes, places);
        places.push(Place { name, bytes });
    }
}

#[test]
fn every_form_of_a_text_is_found() {
    let search = Search::of(["Plänted a@b?"]);
    let framed = |text: &str| format!("<{text}>").into_bytes();
    for bytes in [
        framed("Plänted a@b?"),
        framed("plänted a@b?"),
        framed("506CC3A46E7465642061406\u{32}3F"),
        framed("506cc3a46e746564206140623f"),
        framed("Pl%C3%A4nted%20a%40b%3F"),
        framed("Pl%C3%A4nted+a%40b%3F"),
        framed("Pl=C3=A4nted a@b?"),
        framed("Pl\\u00e4nted a@b?"),
        framed("Pl\\u{e4}nted a@b?"),
        framed("[80, 108, 195, 164, 110, 116, 101, 100, 32, 97, 64, 98, 63]"),
        STANDARD.encode("Plänted a@b?").into_bytes(),
        STANDARD.encode("xPlänted a@b?x").into_bytes(),
        STANDARD.encode("xxPlänted a@b?xx").into_bytes(),
        "Plänted a@b?".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "Plänted a@b?".encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ] {
        assert!(!search.find(&bytes).is_empty(), "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(search.find("Plänted a@b".as_bytes()).is_empty());
}

#[test]
fn a_text_is_found_in_a_file_in_a_frame_and_in_a_cell_on_many_pages() {
    let folder = tempfile::tempdir().unwrap();
    let planted = |text: &str| format!("{}{text}{}", "before ".repeat(2_000), " after".repeat(2_000));
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/plain"), planted("in a file")).unwrap();
    let frame = zstd::encode_all(planted("in a frame").as_bytes(), 3).unwrap();
    std::fs::write(folder.path().join("packed"), [&[1, 2, 3], &frame[..], &[4]].concat()).unwrap();
    let database = Connection::open(folder.path().join("a.db")).unwrap();
    database.execute_batch("CREATE TABLE t (one TEXT)").unwrap();
    database
        .execute("INSERT INTO t VALUES (?1)", [planted(&"in a cell ".repeat(2_000))])
        .unwrap();
    drop(database);
    let mut places = files(folder.path());
    places.extend(cells(folder.path()));
    let found = |text: &str| -> Vec<&str> {
        let search = Search::of([text]);
        let holds = places.iter().filter(|place| !search.find(&place.bytes).is_empty());
        holds.map(|place| place.name.as_str()).collect()
    };
    assert_eq!(found("in a file"), ["below/plain"]);
    assert!(found("in a frame").contains(&"packed, compressed at 3"));
    assert_eq!(
        found(&"in a cell ".repeat(1_500)),
        ["a.db, table t"],
        "longer than any page"
    );
}
