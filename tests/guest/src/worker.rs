//! Tests of more threads in a process, and of a loop's tasks (kit's `worker` and `executor`).

use crate::case::Case;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        Case::program("worker: threads have messages of their own", &["worker-test"]).logs(&[
            "holds: two workers serve one endpoint",
            "holds: the loop answers while a worker counts",
        ]),
        Case::program("tasks: replies wait for their times", &["worker-test", "tasks"])
            .logs(&["holds: tasks answer when their times come"]),
        Case::program("worker: a panic ends the process", &["worker-test", "panic"])
            .mentions(&["panic at", "as asked\n"])
            .exits(101),
        // Below the first worker's stack, which ends at 0x7ffcfff00000 and has 256 KiB.
        Case::program("worker: an overflow ends the process", &["worker-test", "overflow"])
            .mentions(&["ended: page fault writing 0x7ffcffeb"])
            .exits(139),
    ]
}
