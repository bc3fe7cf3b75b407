//! Lines made of pieces of commands: none may break the interpreter.

use dos_machine::End;

use crate::dice::Dice;
use crate::support::{MemoryHost, run};

/// What lines are put together of: commands, switches, paths, signs.
const PIECES: [&str; 96] = [
    "attrib",
    "break",
    "call",
    "cd",
    "chcp",
    "choice",
    "cls",
    "copy",
    "ctty",
    "date",
    "del",
    "deltree",
    "dir",
    "doskey",
    "echo",
    "fc",
    "find",
    "for",
    "goto",
    "help",
    "if",
    "label",
    "lh",
    "md",
    "mem",
    "more",
    "move",
    "path",
    "pause",
    "prompt",
    "rd",
    "rem",
    "ren",
    "set",
    "shift",
    "sort",
    "subst",
    "time",
    "tree",
    "truename",
    "type",
    "ver",
    "verify",
    "vol",
    "xcopy",
    "t.bat",
    "hello",
    "/?",
    "/a",
    "/b",
    "/s",
    "/e",
    "/p",
    "/d:1-1-90",
    "/c:xy",
    "/t:y,0",
    "/n",
    "/y",
    "+r",
    "-h",
    "*.*",
    "a?.*",
    "con",
    "nul",
    "prn",
    "c:",
    "q:",
    "c:\\",
    ".",
    "..",
    "\\",
    "d\\e",
    "a.txt",
    "b.txt",
    "none",
    "e:",
    "==",
    "=",
    ",",
    ";",
    "+",
    "|",
    "<",
    ">",
    ">>",
    "\"",
    "%1",
    "%x%",
    "%",
    "%f",
    "in",
    "(",
    ")",
    "do",
    "not",
    "exist",
];

fn line(dice: &mut Dice) -> String {
    let count = 1 + dice.below(7);
    let mut line = String::new();
    for _ in 0..count {
        line += dice.one(&PIECES);
        line += dice.one(&["", " ", " ", " "]);
    }
    line
}

#[test]
fn lines_of_any_kind_leave_the_interpreter_whole() {
    let mut dice = Dice::new(0x5eed);
    for _ in 0..150 {
        let lines: Vec<String> = (0..20).map(|_| line(&mut dice)).collect();
        let mut host = MemoryHost::new(b"y\r\nn\r\nd\r\n\r\n");
        host.add("A.TXT", b"one\r\ntwo\r\n\x1arest");
        host.add("B.TXT", b"");
        let batch = lines.join("\r\n") + "\r\n@ctty con\r\n";
        host.add("T.BAT", b"@echo sub %1\r\n");
        host.add("R.BAT", batch.as_bytes());
        let (end, host) = run(host, "COMMAND.COM", &["/C", "r one two"]);
        assert!(matches!(end, End::Exit(_)), "{end:?}: {lines:#?}");
        assert_eq!(host.open, 0, "files are closed: {lines:#?}");
    }
}
