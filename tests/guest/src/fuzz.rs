//! Linux programs that do their worst: tests/guest/fuzz.

use crate::case::Case;

/// Random calls of the usual run.
const CALLS: u64 = 100_000;
/// Processes one after the other in the usual run.
const CYCLES: u64 = 1000;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let fuzz = |name, word| Case::program(name, &["fuzz", word]).mentions(&["verdict: good\n"]);
    vec![
        calls(CALLS, 1),
        cycles(CYCLES),
        fuzz("fuzz: bombs and hogs meet their limits, and a shell goes on", "storms")
            .shows("storm forks")
            .within(240),
        fuzz("fuzz: kill -9 works in every state", "kills").within(120),
    ]
}

/// Returns the test of so many random calls, with dice that begin at a seed.
pub fn calls(calls: u64, seed: u64) -> Case {
    let words = ["fuzz", &format!("calls={calls}"), &format!("seed={seed}")];
    Case::program("fuzz: random calls leave the personality's tables consistent", &words)
        .mentions(&["faults: 0, left: 0\n", "verdict: good\n"])
        .shows("calls: ")
        .within(120 + calls / 1000)
}

/// Returns the test of so many processes, one after the other.
pub fn cycles(cycles: u64) -> Case {
    let words = ["fuzz", &format!("cycles={cycles}")];
    Case::program("fuzz: fork, exec and exit leave nothing behind", &words)
        .mentions(&["failed: 0", "left: 0\n", "verdict: good\n"])
        .shows("cycles: ")
        .within(60 + cycles / 20)
}
