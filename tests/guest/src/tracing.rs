//! Tests of the trace: who called whom for what, as a tree, a table and for a viewer.

use crate::case::Case;

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    vec![
        Case::program("trace: a native program's calls, by name", &["trace", "hello"]).mentions(&[
            "hello from kamen\n",
            "TOTAL ns",
            "trace -> init: Process::spawn",
            "hello -> console: Stream::write",
            "= ok 17",
            "hello -> init: Process::exit",
        ]),
        Case::program(
            "trace: a Linux program's system calls, and what they cause",
            &["trace", "unix", "cat", "/etc/hostname"],
        )
        .mentions(&[
            "kamen\n",
            "trace -> unix: Process::spawn",
            "  unix -> ramfs: File::lookup",
            "cat (unix 2) -> unix: openat",
            "  unix -> ramfs: File::lookup 0x100000001 \"etc\" = ok",
            "  unix -> ramfs: File::lookup",
            "\"hostname\" = ok",
            "cat (unix 2) -> unix: sendfile 1 3 0 = 6",
            "  unix -> console: Stream::write +1 lease = ok 6",
            "cat (unix 2) -> unix: exit_group",
        ]),
        Case::program(
            "trace: the traced program's status",
            &["trace", "unix", "sh", "-c", "exit 7"],
        )
        .exits(7),
        Case::program("trace: what is no program", &["trace", "/etc/passwd"])
            .mentions(&["trace: /etc/passwd: is no program"])
            .exits(125),
        Case::program("trace: a bound, and a table", &["trace", "--calls", "2", "hello"])
            .mentions(&["… and ", "more calls"]),
        Case::program("trace: a viewer can show it", &["trace", "--json", "unix", "ls", "/"])
            .viewable(&["File::lookup", "ramfs", "unix", "write", "getdents64"]),
    ]
}
