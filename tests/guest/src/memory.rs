//! Tests of Linux programs' memory and threads: C programs that print the same on Linux.

use crate::case::Case;
use crate::compiled::{c, on_host};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    let threads = include_str!("../linux/threads.c");
    vec![
        same("memory: mappings are as on Linux", "memory", include_str!("../linux/memory.c")),
        same("memory: threads and futexes are as on Linux", "threads", threads),
        same(
            "memory: the vDSO tells the time as on Linux",
            "vdso",
            include_str!("../linux/vdso.c"),
        ),
    ]
}

/// Returns the test that a program prints in the guest what it prints on the host.
fn same(fact: &str, name: &str, source: &str) -> Case {
    let (program, path) = (c(name, source), format!("/tmp/{name}"));
    let expected = on_host(name, &program);
    Case::program(fact, &[&path]).with(&path, program).prints(expected)
}
