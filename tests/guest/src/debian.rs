//! Tests of the UNIX personality with programs of Debian, unmodified.

use crate::case::Case;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        Case::program("debian: bash runs", &["/bin/bash", "-c", "a=(x y z); echo ${#a[@]}"])
            .with_package("bash-static", "bin/bash-static", "/bin/bash")
            .prints("3\n"),
    ]
}
