//! Tests of the UNIX personality, with Debian's busybox.

use crate::case::Case;
use crate::programs;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [programs_run(), containment()].concat()
}

fn programs_run() -> Vec<Case> {
    let spin_then_kill = "/tmp/spin & sleep 0.2; kill -9 $!; wait $! 2> /dev/null; echo $?";
    vec![
        Case::script("busybox: a session", include_str!("../scripts/session.sh"))
            .prints(include_str!("../scripts/session.out"))
            .within(120),
        Case::script("busybox: files", include_str!("../scripts/files.sh"))
            .prints(include_str!("../scripts/files.out"))
            .within(120),
        Case::line("pipe: a writer whose reader is gone ends", "yes | head -n 2; echo done")
            .prints("y\ny\ndone\n"),
        Case::line("signal: a program that spins is killed", spin_then_kill)
            .with("/tmp/spin", programs::spin())
            .prints("137\n"),
        Case::program("fork: both sides keep SSE, AVX and x87 registers", &["/tmp/forker"])
            .with("/tmp/forker", programs::forker())
            .prints(programs::forker::PRINTS),
    ]
}

/// What goes wrong stays where it went wrong, and is told.
fn containment() -> Vec<Case> {
    vec![
        Case::line("fault: a Linux program's is its own", "/tmp/fault; echo status $?")
            .with("/tmp/fault", programs::fault())
            .mentions(&["status 139"])
            .logs(&["fault", "0x10"]),
        Case::line("fault: an undefined instruction", "/tmp/undefined; echo status $?")
            .with("/tmp/undefined", programs::undefined_instruction())
            .mentions(&["status 132"]),
        Case::program("dynamic: a message says what to do", &["/tmp/dynamic"])
            .with("/tmp/dynamic", programs::dynamic())
            .mentions(&["dynamic"])
            .exits(126),
    ]
}
