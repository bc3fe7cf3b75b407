//! Tests of the trace: who called whom for what, as a tree, a table and for a viewer.

use crate::case::{Case, Step};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [traces(), waits()].concat()
}

/// A break on the line shows who waits for whom, also in a system that hangs.
fn waits() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    vec![
        Case::terminal(
            "waits: a break names a deadlock, and a server that waits for a person",
            &[
                see("kamen:"),
                keys("trace --waits\r"),
                see("nobody waits for anybody"),
                see("> "),
                keys("circle\r"),
                see("calling in a circle"),
                Step::Break,
                see("who waits for whom:"),
                see("deadlock: circle ("),
                keys("\x03"),
                see("> "),
                keys("exit 0\r"),
            ],
        )
        .logs(&[
            "who waits for whom:",
            "deadlock: circle (",
            ") -> circle (",
            "circle (",
            "waits for circle (",
            ": it waits for circle (",
        ]),
        Case::terminal(
            "waits: a break is heard while a program reads",
            &[
                see("kamen:"),
                keys("sh -c 'echo be''gun; cat'\r"),
                see("begun"),
                keys("first\r"),
                see("first\r\nfirst"),
                // Once it rests, it reads.
                Step::Rest { span: std::time::Duration::from_secs(1), percent: 50 },
                Step::Break,
                see("unix"),
                see("waits for unix (read)"),
                keys("typed\r"),
                see("typed\r\ntyped"),
                keys("\x03"),
                see("> "),
                keys("exit 0\r"),
            ],
        ),
    ]
}

fn traces() -> Vec<Case> {
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
            "cat (unix 2) -> unix: openat(AT_FDCWD, 0x",
            "  unix -> ramfs: File::lookup 0x100000001 \"etc\" = ok",
            "  unix -> ramfs: File::lookup",
            "\"hostname\" = ok",
            "cat (unix 2) -> unix: sendfile(1, 3, NULL, ",
            "  unix -> console: Stream::write +1 lease = ok 6",
            "cat (unix 2) -> unix: exit_group",
        ]),
        Case::program(
            "trace: a Linux program's system calls alone, in words",
            &["trace", "--linux", "unix", "cat", "/etc/hostname", "/missing"],
        )
        .mentions(&[
            "cat (unix 2): openat(AT_FDCWD, 0x",
            ", O_RDONLY) = 3",
            "cat (unix 2): openat(AT_FDCWD, 0x",
            ", O_RDONLY) = -1 ENOENT",
            "cat (unix 2): exit_group(1)",
        ])
        .exits(1),
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
