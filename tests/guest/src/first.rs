//! Tests of programs that run as first task, alone on the kernel.

use crate::case::{Action, Case, Way};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        first("first: libipc against the kernel", "ipc-test", "")
            .logs(&["holds: empty call returns", "verdict: Ok(true)"]),
        Case::new("bench: no row takes more instructions than committed", Action::Benchmark),
    ]
}

/// Returns a test that runs a program as first task under the instruction clock; it must leave
/// with status 0.
fn first(name: &str, program: &str, arguments: &str) -> Case {
    Case::first_task(name, program, arguments).by(Way::InstructionClock)
}
