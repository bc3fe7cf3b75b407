//! MORE, SORT and FIND in the machine: what they print of which text.
//!
//! Expected: MS-DOS 5.0 User's Guide and Reference, chapter 14, "find", "more" and "sort".

mod support;

use dos_machine::{End, Session, Start};
use support::{MemoryHost, run, start};

const FRUIT: &[u8] = b"pear\r\nApple\r\nfig\r\napple\r\n\r\nbanana";

/// Runs a command on a host with a file IN; returns how it ended and what it printed.
fn command(line: &str) -> (End, String) {
    let mut host = MemoryHost::new(b"");
    host.add("IN", FRUIT);
    let (end, host) = run(host, "COMMAND.COM", &["/C", line]);
    assert_eq!(host.open, 0, "{line} left files open");
    (end, String::from_utf8(host.output).expect("ASCII"))
}

fn prints(line: &str, text: &str) {
    assert_eq!(command(line).1, text, "{line}");
}

#[test]
fn find_shows_lines_with_a_string() {
    prints("find \"pp\" <in", "Apple\r\napple\r\n");
    prints("type in | find \"an\"", "banana\r\n");
    prints("find/i \"APP\" in", "\r\n---------- IN\r\nApple\r\napple\r\n");
    prints("find \"ap\" /n in", "\r\n---------- IN\r\n[4]apple\r\n");
    prints("find /v \"a\" <in", "Apple\r\nfig\r\n\r\n");
    prints("find /c \"a\" in", "\r\n---------- IN: 3\r\n");
    prints("find /c /v \"\" <in", "6\r\n");
    prints("find \"\" <in", "");
    prints("echo say \"hi\"| find \"\"\"hi\"", "say \"hi\"\r\n");
}

#[test]
fn find_looks_at_several_files_and_tells_by_its_code() {
    let (end, text) = command("find \"fig\" in none");
    assert_eq!(text, "\r\n---------- IN\r\nfig\r\nFile not found - NONE\r\n");
    assert_eq!(end, End::Exit(2));
    assert_eq!(command("find \"kiwi\" in").0, End::Exit(1));
    assert_eq!(command("find \"fig\" in").0, End::Exit(0));
    assert_eq!(command("find fig in").1, "FIND: Parameter format not correct\r\n");
}

#[test]
fn sort_takes_capitals_for_small_letters() {
    prints("sort <in", "\r\nApple\r\napple\r\nbanana\r\nfig\r\npear\r\n");
    prints("type in | sort /r", "pear\r\nfig\r\nbanana\r\nApple\r\napple\r\n\r\n");
    // From the third column on: nothing, anana less "ba", "pple" less "p" …
    prints("sort /+3 in", "\r\npear\r\nfig\r\nbanana\r\nApple\r\napple\r\n");
    prints("sort /x <in", "Invalid switch\r\n");
}

#[test]
fn sort_puts_letters_of_the_code_page_where_its_country_has_them() {
    // 84h is a with diaeresis, an a in the table of the USA (INT 21/AX=6506); who is alike stays.
    let mut host = MemoryHost::new(b"");
    host.add("IN", b"b\n\x84\na\n");
    let (_, host) = run(host, "COMMAND.COM", &["/C", "sort <in"]);
    assert_eq!(host.output, b"\x84\r\na\r\nb\r\n");
}

#[test]
fn sort_says_where_it_has_no_room() {
    let mut host = MemoryHost::new(b"");
    host.add("IN", &b"12345678\n".repeat(65_537));
    let (end, host) = run(host, "COMMAND.COM", &["/C", "sort <in"]);
    assert_eq!((end, &host.output[..]), (End::Exit(2), &b"SORT: Insufficient memory\r\n"[..]));
}

#[test]
fn a_program_of_that_name_goes_first() {
    let mut host = MemoryHost::new(b"");
    let hello = host.file("HELLO.COM").expect("a sample").to_vec();
    host.add("SORT.COM", &hello);
    // One of the other world does not.
    host.add("find", b"\x7fELF\x02\x01\x01");
    host.add("T.BAT", b"@sort\r\n@echo x| find.exe \"x\"\r\n");
    let (_, host) = run(host, "COMMAND.COM", &["/C", "t"]);
    assert_eq!(host.output, b"Hello from DOS\r\nx\r\n");
}

/// Runs a batch file at a terminal at which these keys are typed; returns what is on it.
fn typed(lines: &str, keys: &[u8], text: &[u8]) -> String {
    let mut host = MemoryHost::new(keys);
    host.terminal = true;
    host.add("IN", text);
    host.add("T.BAT", lines.replace('\n', "\r\n").as_bytes());
    let start: Start = start("COMMAND.COM", &["/C", "t"]);
    let mut session = Session::new(host);
    session.run(&start);
    String::from_utf8(session.into_host().output).expect("ASCII")
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|number| format!("{number}\n")).collect()
}

#[test]
fn more_shows_a_screen_and_waits_for_a_key() {
    let text = numbers(1..=50);
    let pages = [numbers(1..=24), numbers(25..=48), numbers(49..=50)].join("-- More --\n");
    assert_eq!(typed("@more <in\n@echo end\n", b"  ", text.as_bytes()), format!("{pages}end\n"));
    assert_eq!(typed("@type in | more\n@echo end\n", b"x\r", text.as_bytes()), pages + "end\n");
}

#[test]
fn more_copies_what_nobody_reads_a_page_at_a_time() {
    let text = numbers(1..=50);
    assert_eq!(typed("@more <in >out\n@type out\n", b"", text.as_bytes()), text);
    let short = numbers(1..=24);
    assert_eq!(typed("@more <in\n", b"", short.as_bytes()), short);
}

#[test]
fn ctrl_c_ends_more_and_leaves_the_terminal_s_keys() {
    let text = numbers(1..=50);
    let shown = typed("@more <in\n", b"\x03n exit\r", text.as_bytes());
    let expected = numbers(1..=24) + "-- More --^C\n\nTerminate batch job (Y/N)?";
    assert!(shown.starts_with(&expected), "{shown}");
}

#[test]
fn what_is_typed_is_sorted() {
    let shown = typed("@sort\n@echo end\n", b"pear\rfig\r\x1a\r", b"");
    assert_eq!(shown, "pear\nfig\n^Z\nfig\npear\nend\n");
}
