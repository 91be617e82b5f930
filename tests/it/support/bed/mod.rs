//! The receiving world of `scripts/testbed`: how a test moves into it, and what its servers say of the mail that came.

mod evidence;
mod finger;
mod place;

use std::env;
use std::process::Command;

pub use evidence::{Cover, Taken};
pub use finger::{FingerLevel, Fingered};
pub use place::Bed;

/// The name of a test of this module, as the runner knows it.
macro_rules! this_test {
    ($name:literal) => {
        concat!(module_path!(), "::", $name)
    };
}
pub(crate) use this_test;

/// Runs this test once more inside the bed, where its `story` is told; outside, only how that ended counts. `name` is
/// [`this_test!`].
pub fn in_bed(name: &str, story: impl AsyncFnOnce(Bed)) {
    if let Some(folder) = env::var_os("SEALPOST_BED") {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(story(Bed::at(folder.into())));
    }
    let (_, name) = name.split_once("::").unwrap();
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/testbed"))
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "inside the bed it failed: {}", output.status);
    let told = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(told, "no test of the name {name}");
}
