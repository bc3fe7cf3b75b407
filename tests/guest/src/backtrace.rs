//! Tests of backtraces: functions and lines are those of the source, found there by markers.

use crate::case::{Case, Kernel};
use std::path::Path;

/// The program that ends badly.
const CRASH: &str = "userland/demos/crash/src/main.rs";
/// The server that does where it is asked to.
const SERVER: &str = "tests/guest/crasher/src/main.rs";
/// The kernel that does.
const KERNEL: &str = "microkernel/src/forced.rs";

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let fault = Case::program("backtrace: a native program's fault", &["crash", "gone"]).exits(139);
    let panic =
        Case::program("backtrace: a native program's panic", &["crash", "panic"]).exits(101);
    let overflow =
        Case::program("backtrace: a stack that is used up", &["crash", "overflow"]).exits(139);
    let mut server = Case::program("backtrace: a server's panic", &["hello"]);
    server.settings.push("crasher=panic".into());
    vec![
        tells(
            fault,
            "warn init: crash",
            &[
                frame("crash", 0, "inner", CRASH, "inner") + ", inlined)",
                frame("crash", 1, "crash::middle", CRASH, "middle") + ")",
                frame("crash", 2, "crash::outer", CRASH, "outer") + ")",
            ],
        ),
        tells(
            panic,
            "error crash: panic at",
            &[
                frame("crash", 0, "crash::fail", CRASH, "fail") + ")",
                " kamen_rt::entry::run (libipc/rt/src/entry.rs:".into(),
            ],
        ),
        tells(
            server,
            "error crasher: panic at",
            &[
                frame("crasher", 0, "crasher::element", SERVER, "element") + ")",
                frame("crasher", 1, "crasher::fall", SERVER, "fall") + ")",
                " kamen_rt::entry::run (libipc/rt/src/entry.rs:".into(),
            ],
        ),
        tells(
            overflow,
            "warn init: crash",
            &[frame("crash", 1, "crash::overflow", CRASH, "overflow") + ")"],
        ),
        tells(
            Case::program("backtrace: the kernel's panic", &["hello"]),
            "error kernel: panic at",
            &[
                frame("kernel", 0, "inner", KERNEL, "kernel inner") + ", inlined)",
                frame("kernel", 1, "kernel::forced::middle", KERNEL, "kernel middle") + ")",
                frame("kernel", 2, "kernel::forced::outer", KERNEL, "kernel outer") + ")",
                " kernel::main (microkernel/src/main.rs:".into(),
            ],
        )
        .with_kernel(Kernel::Ending)
        .exits(125),
        tells(
            Case::program("backtrace: the kernel's exception, on another stack", &["hello"]).on(2),
            "error kernel: panic at",
            &[
                "exception 8".into(),
                " kernel::forced::use_up (microkernel/src/forced.rs:".into(),
                format!(" kernel::forced::use_up ({})", place(KERNEL, "kernel deep")),
            ],
        )
        .with_kernel(Kernel::Ending)
        .exits(125),
    ]
}

/// Expects a line of the log, then frames.
fn tells(case: Case, line: &str, frames: &[String]) -> Case {
    let texts: Vec<&str> = [line].into_iter().chain(frames.iter().map(String::as_str)).collect();
    case.logs(&texts)
}

/// Returns a frame of the log as far as its line.
fn frame(program: &str, number: u32, function: &str, file: &str, marker: &str) -> String {
    format!("error {program}: #{number} {function} ({}", place(file, marker))
}

/// Returns file and line of the line that ends with a marker, `// backtrace: MARKER`.
fn place(file: &str, marker: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let ending = format!("// backtrace: {marker}");
    let line = text.lines().position(|line| line.ends_with(&ending));
    format!("{file}:{}", line.map_or(0, |index| index + 1))
}

#[cfg(test)]
mod tests {
    use super::{CRASH, KERNEL, SERVER, place};

    #[test]
    fn every_marker_is_in_its_source() {
        let crash = ["inner", "middle", "outer", "fail", "overflow"].map(|name| (CRASH, name));
        let kernel = ["inner", "middle", "outer", "deep"].map(|name| format!("kernel {name}"));
        let kernel = kernel.iter().map(|name| (KERNEL, name.as_str()));
        let server = ["element", "fall"].map(|name| (SERVER, name));
        for (file, marker) in crash.into_iter().chain(server).chain(kernel) {
            assert!(!place(file, marker).ends_with(":0"), "{file}: {marker}");
        }
    }
}
