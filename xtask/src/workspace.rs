//! Where things lie in the working tree.

use std::path::{Path, PathBuf};

/// Returns the path of the working tree's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies one folder below the root").to_path_buf()
}

/// Returns the path of `target` or of something below it.
pub fn target(below: &str) -> PathBuf {
    root().join("target").join(below)
}
