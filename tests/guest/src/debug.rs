//! Tests of `cargo xtask debug`: gdb in batch mode.

use crate::case::Case;
use kamen_abi::{MessagePage, boot};
use std::path::Path;

/// A function of the kernel, and one that every program has and `hello` calls first.
const KERNEL: (&str, &str) = ("microkernel/core/src/frames.rs", "    pub fn new(");
const LOG: (&str, &str) = ("libipc/src/log.rs", "pub fn line(");
/// Where the name is in a program's start information (libipc/src/start.rs).
const NAME_AT: usize = 8;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let (tbreak, here) = (format!("tbreak {}", place(KERNEL)), format!("here {}", place(LOG)));
    let name = format!("x/s {:#x}", boot::MESSAGE_PAGE + MessagePage::BYTES_AT + NAME_AT);
    vec![
        Case::debugger(
            "debug: gdb breaks in the kernel and shows its stack",
            "kernel",
            &["info symbol $pc", &tbreak, "continue", "bt"],
        )
        .mentions(&["kernel::main", "#0 ", KERNEL.0, "microkernel/src/main.rs:"]),
        // Other programs run at the same addresses before, and after.
        Case::debugger(
            "debug: gdb breaks at the main of the server that is meant, and there only",
            "names",
            &["bt", &name],
        )
        .mentions(&["servers/names/src/main.rs:", "libipc/rt/src/entry.rs:", "\"names"]),
        // Servers write to the log before, and after.
        Case::debugger(
            "debug: gdb breaks in one program only, from its main on",
            "hello",
            &[&here, "continue", "bt"],
        )
        .mentions(&[
            "userland/demos/hello/src/main.rs:",
            LOG.0,
            "userland/demos/hello/src/main.rs:",
        ]),
    ]
}

/// Returns file and line of a function by how its line begins.
fn place((file, begin): (&str, &str)) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let line = text.lines().position(|line| line.starts_with(begin));
    format!("{file}:{}", line.map_or(0, |index| index + 1))
}

#[cfg(test)]
mod tests {
    use super::{KERNEL, LOG, place};

    #[test]
    fn the_functions_are_in_their_sources() {
        assert!(!place(KERNEL).ends_with(":0") && !place(LOG).ends_with(":0"));
    }
}
