//! Compares a document with what it must be; with `UPDATE_GOLDEN=1` it is written instead.

/// Reads a file of the repository.
pub fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// A document must be this text.
pub fn check_document(path: &str, text: &str) {
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|update| update == "1") {
        std::fs::write(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")), text).unwrap();
        return;
    }
    let kept = read(path);
    let differs = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == text,
        "{path} is not what the program says (UPDATE_GOLDEN=1 writes it anew); first difference: {differs:?}"
    );
}

/// The part of a document between `<!-- NAME -->` and `<!-- end -->` must be this text.
pub fn check_part(path: &str, name: &str, text: &str) {
    let kept = read(path);
    let opening = format!("<!-- {name} -->\n");
    let (before, rest) = kept.split_once(&opening).unwrap();
    let (_, after) = rest.split_once("<!-- end -->\n").unwrap();
    check_document(path, &format!("{before}{opening}\n{text}\n<!-- end -->\n{after}"));
}
