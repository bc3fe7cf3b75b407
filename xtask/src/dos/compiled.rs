//! C programs on DOS and on this host: one source, two compilers, the same results.
//!
//! ```text
//!                 ┌── gcc ──────────── this host ─────────┐
//!   compiled/X.c ─┤                                       ├─ output, file written, exit status
//!                 └── Debian's bcc ─── cargo xtask dos ───┘
//! ```
//! bcc's `-Md` makes .COM files with a C library of its own, which runs on INT 21h alone: arguments
//! out of the command tail, streams, files by handles, memory, and the exit status are DOS's.

use crate::packages;
use crate::workspace;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program writes, in those runs that write a file; DOS gives it a name in small letters.
const WRITTEN: &str = "OUT.TXT";

/// One run of a program.
struct Run {
    arguments: &'static [&'static str],
    input: &'static str,
}

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    output: String,
    errors: String,
    written: Option<String>,
    status: Option<i32>,
}

/// Lines for programs that read text: repetitions, numbers, blanks, an empty line, no DOS line ends.
const TEXT: &str = "the quick brown fox\njumps over 12 lazy dogs\n\nuse x::y;\nuse a::b; // why\n\
    100 apples\n20 pears\n-3 plums\nuse x::y;\n\ttabs\tand  blanks\nend.\n";

#[test]
fn a_sorter_sorts_files_and_streams() {
    let text = |arguments| Run { arguments, input: TEXT };
    same(
        "sort",
        &[
            text(&[]),
            text(&["-r", "-u"]),
            text(&["-n"]),
            text(&["-o", WRITTEN, "IN.TXT"]),
            text(&["NOFILE.TXT"]),
        ],
    );
}

#[test]
fn a_searcher_finds_lines() {
    let text = |arguments| Run { arguments, input: TEXT };
    same(
        "grep",
        &[
            text(&["^use.*;$"]),
            text(&["-n", "[0-9][0-9]*"]),
            text(&["-c", "-v", "[^a-m]s*$"]),
            text(&["nothing"]),
            text(&[]),
        ],
    );
}

#[test]
fn a_calculator_has_32_bits() {
    // How a quotient with a negative side is rounded, C89 leaves to compilers (ANSI C 3.3.5).
    let input = "(1+2)*-3\na=123456*7891\na%97\na/-13\n~a>3\n5<29\n1/0\n2+\n100000*100000\n\
        b=a&65535|1048576\nb-a*2\n2147483647+1\n7/2\n7%2\n";
    same("calc", &[Run { arguments: &[], input }]);
}

#[test]
fn an_editor_changes_a_file() {
    let input = "2P\n3A inserted line\n1D\nS use/take\n99D\nP\nW OUT.TXT\n?\n6Q\n";
    same(
        "edit",
        &[
            Run { arguments: &["IN.TXT"], input },
            Run { arguments: &["NEW.TXT"], input: "1A a\n1A b\nW OUT.TXT\n" },
        ],
    );
}

#[test]
fn blocks_of_the_heap_keep_their_contents() {
    same("heap", &[Run { arguments: &[], input: "" }, Run { arguments: &["5000"], input: "" }]);
}

#[test]
fn a_copier_seeks_in_both_files() {
    same(
        "copy",
        &[
            Run { arguments: &["IN.TXT", WRITTEN], input: "" },
            Run { arguments: &["NOFILE.TXT", WRITTEN], input: "" },
            Run { arguments: &["IN.TXT"], input: "" },
        ],
    );
}

#[test]
fn a_dump_shows_arguments_and_bytes() {
    same(
        "dump",
        &[
            Run { arguments: &["a", "-B", "x=y", "/?"], input: TEXT },
            Run { arguments: &[], input: "caf\u{e9} \u{2500}\u{1}\u{7f}" },
            Run { arguments: &[], input: "" },
        ],
    );
}

/// Asserts that each run of a program comes to the same on DOS and on this host.
#[track_caller]
fn same(name: &str, runs: &[Run]) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let source = workspace::root().join(format!("xtask/src/dos/compiled/{name}.c"));
    let (here, dos) = (folder.path().join("here"), folder.path().join("PROG.COM"));
    perform(Command::new("gcc").args(["-std=gnu89", "-w", "-o"]).args([&here, &source]));
    perform(bcc().arg("-o").args([&dos, &source]));
    let xtask = xtask();
    for run in runs {
        let expected = outcome(Command::new(&here), run, folder.path());
        let mut command = Command::new(&xtask);
        command.arg("dos").arg(&dos);
        let found = outcome(command, run, folder.path());
        assert_eq!(found, expected, "{name} {:?}", run.arguments);
    }
}

/// Returns bcc out of Debian's packages, which are not installed.
fn bcc() -> Command {
    let compiler = packages::folder("bcc").expect("bcc can be fetched").join("usr");
    let linker = packages::folder("bin86").expect("bin86 can be fetched").join("usr/bin");
    let library = packages::folder("elks-libc").expect("elks-libc can be fetched");
    let library = library.join("usr/lib/bcc");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(compiler.join("bin/bcc"));
    command.env("PATH", format!("{}:{path}", linker.display())).arg("-Md");
    command.arg(format!("-B{}/", compiler.join("lib/bcc").display()));
    command.arg(format!("-L{}/", library.display()));
    command.arg(format!("-I{}/include", library.display()));
    command
}

/// Returns this program's path; the tests of a program are not it, and don't build it.
fn xtask() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    perform(Command::new(cargo).args(["build", "--quiet", "--package=xtask"]));
    workspace::target("debug/xtask")
}

#[track_caller]
fn perform(command: &mut Command) {
    let output = command.output().expect("the program is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} fails: {errors}");
}

/// Runs a program in a folder that has but its input, also as a file.
fn outcome(mut command: Command, run: &Run, folder: &Path) -> Outcome {
    let input = folder.join("IN.TXT");
    fs::write(&input, if run.input.is_empty() { TEXT } else { run.input }).expect("it is written");
    fs::write(folder.join("STDIN"), run.input).expect("it is written");
    if let Some(before) = written(folder) {
        fs::remove_file(before).expect("it can be removed");
    }
    let stdin = File::open(folder.join("STDIN")).expect("it was written");
    let output = command.args(run.arguments).current_dir(folder).stdin(stdin).output();
    let output = output.expect("the program runs");
    Outcome {
        output: unix_text(&output.stdout),
        errors: unix_text(&output.stderr),
        written: written(folder).map(|path| unix_text(&fs::read(path).expect("it is there"))),
        status: output.status.code(),
    }
}

/// Returns the file that a program wrote, if it wrote one.
fn written(folder: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).expect("the folder is there").flatten();
    let is_it = |name: &std::ffi::OsStr| name.eq_ignore_ascii_case(WRITTEN);
    entries.find(|entry| is_it(&entry.file_name())).map(|entry| entry.path())
}

/// Returns text without DOS's line ends.
fn unix_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}
