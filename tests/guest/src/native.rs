//! Tests of init, the native shell and native programs.

use crate::case::{Case, Step};

/// Returns the tests.
pub fn cases() -> Vec<Case> {
    [containment(), log(), terminal()].concat()
}

/// Lines of the log carry time and level, and are filtered by the one who writes them.
fn log() -> Vec<Case> {
    let both = |name, filter| {
        Case::line(name, "hello; crash panic 2> /dev/null; true").filters(
            filter,
            &["error crash: panic at"],
            &["hello, I am hello"],
        )
    };
    vec![
        Case::line(
            "log: lines carry time, level and name",
            "hello; crash panic 2> /dev/null; true",
        )
        .filters(
            "info",
            &["info console: ready", "info hello: hello, I am hello", "error crash: panic at"],
            &[" debug ", " trace "],
        ),
        both("log: what the default level leaves out is not there", "error"),
        both("log: what a program's own level leaves out is not there", "hello=warn,info"),
    ]
}

/// A native program's fault stays its own, and is told.
fn containment() -> Vec<Case> {
    vec![
        Case::program("native: a program prints and ends", &["hello"]).prints("hello from kamen\n"),
        Case::program("sample: a typed call is answered", &["sample-client"]).prints("sample: 1\n"),
        Case::line("sample: one server counts for all", "sample-client; sample-client")
            .prints("sample: 1\nsample: 2\n"),
        Case::line(
            "mixed: a UNIX shell runs native programs",
            "hello | cat; crash panic 2>&1 | wc -l",
        )
        .prints("hello from kamen\n1\n"),
        Case::program("fault: a native program's is its own", &["crash", "overflow"])
            .mentions(&["crash (pid", "ended: page fault writing 0x7ffcff"])
            .logs(&["init: crash (pid", "ended: page fault writing"])
            .exits(139),
        Case::program("fault: a quota that is used up", &["crash", "eat"])
            .mentions(&["crash (pid", "quota"])
            .exits(139),
        Case::program("native: a panic is told", &["crash", "panic"])
            .mentions(&["panic at", "as asked\n"])
            .logs(&["crash: panic at", "as asked"])
            .exits(101),
    ]
}

/// A person at the native shell.
fn terminal() -> Vec<Case> {
    let see = |text: &str| Step::See(text.to_owned());
    let keys = |text: &str| Step::Type(text.to_owned());
    vec![
        Case::terminal(
            "shell: help, processes, editing, history",
            &[
                see("kamen:"),
                keys("help\r"),
                see("unix PROGRAM"),
                keys("ps\r"),
                see("server      init"),
                see("native      shell"),
                keys("hullo\x1b[D\x1b[D\x1b[D\x7fe\r"),
                see("hello from kamen"),
                keys("echo a | b\r"),
                see("unix sh -c"),
                keys("\x1b[A\x1b[A\r"),
                see("hello from kamen"),
                keys("exit 4\r"),
            ],
        )
        .exits(4),
        Case::terminal(
            "shell: a trace tells who called whom",
            &[
                see("kamen:"),
                keys("trace --table hello\r"),
                see("hello from kamen"),
                see("CALLER"),
                see("hello            console"),
                keys("trace hello\r"),
                see("hello from kamen"),
                see("trace -> init: Process::spawn"),
                see("hello -> console: Stream::write"),
                see("> "),
                keys("exit 5\r"),
            ],
        )
        .exits(5),
        Case::terminal(
            "shell: Ctrl-C ends a native program that spins",
            &[
                see("kamen:"),
                keys("crash spin\r"),
                see("spin\r\n"),
                keys("\x03"),
                see("[130]> "),
                keys("hello\r"),
                see("hello from kamen"),
                see("> "),
                keys("\x04"),
            ],
        ),
        Case::terminal(
            "restart: killed servers come back, the file server with its contents",
            &[
                see("kamen:"),
                keys("sh -c 'echo ke''pt > /tmp/x'\r"),
                see("> "),
                keys("kill -9 native 5\r"), // ramfs, by the order in servers/system.toml
                see("> "),
                keys("cat /tmp/x\r"),
                see("kept\r\n"),
                see("> "),
                keys("kill -9 native 2\r"), // console
                see("> "),
                keys("kill -9 native 6\r"), // unix
                see("> "),
                keys("cat /tmp/x\r"),
                see("kept\r\n"),
                see("> "),
                keys("exit\r"),
            ],
        )
        .logs(&["server ramfs (pid 5) is killed", "took up the file system as it was"]),
        Case::terminal(
            "shell: goes on after a program's fault",
            &[
                see("kamen:"),
                keys("crash\r"),
                see("page fault"),
                see("[139]> "),
                keys("hello\r"),
                see("hello from kamen"),
                keys("exit\r"),
            ],
        ),
    ]
}
