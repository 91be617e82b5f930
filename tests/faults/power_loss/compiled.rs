//! Compiles the C files of `shim/` with the system's compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The shim as a shared library, in this folder.
pub fn shim(folder: &Path) -> PathBuf {
    compile("powerloss.c", folder.join("powerloss.so"), &["-shared", "-fPIC"])
}

/// The probe as a program, in this folder.
pub fn probe(folder: &Path) -> PathBuf {
    compile("probe.c", folder.join("probe"), &[])
}

fn compile(source: &str, to: PathBuf, flags: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/faults/shim")
        .join(source);
    let output = Command::new("cc")
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg("-o")
        .args([&to, &source])
        .args(["-ldl", "-lpthread"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    to
}
