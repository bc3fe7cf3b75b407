//! Tests of Linux programs' memory, threads and clocks: C programs that print the same on the host.

use crate::case::Case;
use crate::supply::Recipe;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        Case::twin("memory: mappings are as on Linux", "memory")
            .with_built(Recipe::Glibc("memory.c"), "/bin/memory"),
        Case::twin("memory: threads and futexes are as on Linux", "threads; vdso; vdso-musl")
            .with_built(Recipe::Glibc("threads.c"), "/bin/threads")
            .with_built(Recipe::Glibc("vdso.c"), "/bin/vdso")
            .with_built(Recipe::Musl("vdso.c"), "/bin/vdso-musl"),
        Case::twin("memory: processor time is as on Linux", "runtime")
            .with_built(Recipe::Glibc("runtime.c"), "/bin/runtime")
            // The time for which the host has something else to do is nobody's.
            .counted()
            .within(240),
        Case::twin("memory: limits are as on Linux", "limits 2> /dev/null")
            .with_built(Recipe::Glibc("limits.c"), "/bin/limits"),
    ]
}
