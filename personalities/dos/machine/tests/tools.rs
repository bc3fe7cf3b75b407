//! ATTRIB, DOSKEY, FC, MEM, TREE and XCOPY in the machine: what they print, and do to files.
//!
//! Expected: MS-DOS 5.0 User's Guide and Reference, chapter 14; the texts of MS-DOS 4.0, USA-MS.MSG
//! and FC.C; the columns of ATTRIB and TREE as MS-DOS 6.22 prints them.

mod support;

use dos_machine::End;
use support::{MemoryHost, run};

/// Runs a batch file without echo on a host with some files; returns the status, what it printed,
/// and the host.
fn batch_on(mut host: MemoryHost, lines: &str) -> (End, String, MemoryHost) {
    host.add("T.BAT", format!("@echo off\r\n{}", lines.replace('\n', "\r\n")).as_bytes());
    let (end, mut host) = run(host, "COMMAND.COM", &["/C", "t"]);
    assert_eq!(host.open, 0, "files are closed: {lines}");
    let text: String = host.output.drain(..).map(char::from).collect();
    (end, text.replace("\r\n", "\n"), host)
}

/// A host with nothing in it but what the test adds.
fn host(input: &str, files: &[(&str, &str)]) -> MemoryHost {
    let mut host = MemoryHost::new(input.as_bytes());
    for name in host.names() {
        host.remove(&name);
    }
    for (name, text) in files {
        host.add(name, text.replace('\n', "\r\n").as_bytes());
    }
    host
}

fn prints(files: &[(&str, &str)], lines: &str, text: &str) {
    assert_eq!(batch_on(host("", files), lines).1, text, "{lines}");
}

#[test]
fn attrib_shows_and_changes_attributes() {
    prints(
        &[("A.TXT", ""), ("B.TXT", "")],
        "attrib +r +h a.txt\nattrib *.txt\nattrib -h a.txt\nattrib a.txt\ndel a.txt\n",
        "  A   HR     C:\\A.TXT\n  A          C:\\B.TXT\n  A    R     C:\\A.TXT\nAccess denied\n",
    );
    prints(
        &[("A.TXT", "")],
        "attrib +s a.txt\nattrib -r a.txt\nattrib none\nattrib +x a.txt\n",
        "Not resetting system file C:\\A.TXT\nFile not found - NONE\n\
         Parameter format not correct - +x\n",
    );
}

#[test]
fn attrib_goes_into_directories() {
    prints(
        &[("A.TXT", "x")],
        "md d\nmd d\\e\ncopy a.txt d\\e >nul\nattrib -a a.txt /s\nattrib /s a.*\nattrib d\n",
        "             C:\\A.TXT\n             C:\\D\\E\\A.TXT\n             C:\\D\n",
    );
}

#[test]
fn tree_draws_directories_and_files() {
    let make = "md a\nmd a\\b\nmd c\ncopy x a\\b >nul\n";
    let text = batch_on(host("", &[("X", "x")]), &format!("{make}tree /a\n")).1;
    let (title, rest) = text.split_once("\nC:.\n").expect("the root");
    assert!(title.contains("Directory PATH listing for Volume KAMEN_C"), "{text}");
    assert_eq!(rest, "+---A\n|   \\---B\n\\---C\n");
    let text = batch_on(host("", &[("X", "x")]), &format!("{make}tree c:\\ /f\n")).1;
    let (_, rest) = text.split_once("\nC:\\\n").expect("the root");
    let drawn = "|   X\n|   T.BAT\n|\n+---A\n|   L---B\n|           X\n|\nL---C\n";
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        lines[..2].sort();
        lines
    };
    let drawn = drawn.replace("---", "\u{c4}\u{c4}\u{c4}").replace('+', "\u{c3}");
    let drawn = drawn.replace('L', "\u{c0}").replace('|', "\u{b3}");
    assert_eq!(lines(rest), lines(&drawn));
    assert!(batch_on(host("", &[]), "tree none\n").1.ends_with("Invalid path - NONE\n"));
    assert!(batch_on(host("", &[]), "tree\n").1.ends_with("C:.\nNo sub-directories exist\n\n"));
}

#[test]
fn fc_shows_the_lines_that_differ() {
    let files = [("A", "1\n2\n3\n4\n5\n"), ("B", "1\n2\nx\n4\n5\n")];
    let shown = "Comparing files A and B\n***** A\n2\n3\n4\n***** B\n2\nx\n4\n*****\n\n\n";
    prints(&files, "fc a b\n", shown);
    assert_eq!(batch_on(host("", &files), "fc a b >nul\n").0, End::Exit(1));
    let same = "Comparing files A and A\nFC: no differences encountered\n\n";
    prints(&files, "fc a a\n", same);
    assert_eq!(batch_on(host("", &files), "fc a a >nul\n").0, End::Exit(0));
    prints(
        &files,
        "fc /n a b\n",
        "Comparing files A and B\n***** A\n    2:  2\n    3:  3\n    4:  4\n\
         ***** B\n    2:  2\n    3:  x\n    4:  4\n*****\n\n\n",
    );
    prints(&[("A", "a b\n"), ("B", "A  B\n")], "fc /c /w a b\n", &same.replace("and A", "and B"));
    prints(
        &files,
        "fc a none\n",
        "Comparing files A and NONE\nFC: cannot open NONE - No such file or directory\n",
    );
}

#[test]
fn fc_shows_what_was_put_in_and_taken_out() {
    let files = [("A", "1\n2\n3\n4\n"), ("B", "1\n2\nnew\n3\n4\n")];
    prints(
        &files,
        "fc a b\n",
        "Comparing files A and B\n***** A\n2\n3\n***** B\n2\nnew\n3\n*****\n\n\n",
    );
    let files = [("A", "1\n2\n"), ("B", "1\n2\n3\n4\n")];
    prints(&files, "fc a b\n", "Comparing files A and B\n***** A\n***** B\n3\n4\n*****\n\n\n");
}

#[test]
fn fc_compares_bytes() {
    prints(
        &[("A", "abcd"), ("B", "aXcdef")],
        "fc /b a b\n",
        "Comparing files A and B\n00000001: 62 58\nFC: B longer than A\n\n",
    );
    // Files of programs are compared so in any case; patterns pair files.
    prints(
        &[("A.COM", "1"), ("A.BAK", "2")],
        "fc *.com *.bak\n",
        "Comparing files A.COM and A.BAK\n00000000: 31 32\n\n",
    );
}

#[test]
fn mem_tells_of_memory() {
    let text = batch_on(host("", &[]), "mem\n").1;
    assert!(text.contains("    655360 bytes total conventional memory\n"), "{text}");
    let text = batch_on(host("", &[]), "mem /c\n").1;
    assert!(text.contains("\n  COMMAND "), "{text}");
}

#[test]
fn xcopy_copies_a_tree() {
    let make = "md s\nmd s\\d\nmd s\\e\ncopy a s >nul\ncopy a s\\d\\b >nul\n";
    let (end, text, host) = batch_on(host("", &[("A", "x")]), &format!("{make}xcopy s t\\ /s\n"));
    assert_eq!(text, "Reading source file(s)...\nS\\A\nS\\D\\B\n        2 File(s) copied\n");
    assert_eq!(end, End::Exit(0));
    assert_eq!(host.read_path("t/A").as_deref(), Some(&b"x"[..]));
    assert_eq!(host.read_path("t/D/B").as_deref(), Some(&b"x"[..]));
    assert_eq!(host.read_path("t/E"), None, "an empty directory takes /E");
    let (_, _, host) =
        batch_on(self::host("", &[("A", "x")]), &format!("{make}xcopy s t\\ /s /e\n"));
    assert!(host.read_path("t/E").is_some());
}

#[test]
fn xcopy_asks_what_a_new_name_is() {
    let ask = "Does T specify a file name\nor directory name on the target\n\
               (F = file, D = directory)?";
    let (_, text, host) = batch_on(host("?\r\nf\r\n", &[("A", "x")]), "xcopy a t\n");
    let rest = "Reading source file(s)...\nA\n        1 File(s) copied\n";
    assert_eq!(text, format!("{ask}?\n{ask}f\n{rest}"));
    assert_eq!(host.file("t"), Some(&b"x"[..]));
    let (_, _, host) = batch_on(self::host("d\r\n", &[("A", "x")]), "xcopy a t\n");
    assert_eq!(host.read_path("t/A").as_deref(), Some(&b"x"[..]));
    // The input ends.
    assert_eq!(batch_on(self::host("", &[("A", "x")]), "xcopy a t\n").0, End::Exit(4));
}

#[test]
fn xcopy_takes_what_is_wanted() {
    let files = [("A.T", "a"), ("B.T", "b")];
    let (_, text, host) = batch_on(host("n\r\ny\r\n", &files), "md t\nxcopy *.t t /p\n");
    assert_eq!(text, "A.T (Y/N)?n\nB.T (Y/N)?y\n        1 File(s) copied\n");
    assert!(host.read_path("t/A.T").is_none() && host.read_path("t/B.T").is_some());
    let lines = "md t\nattrib -a a.t\nxcopy *.t t /m\nattrib b.t\nxcopy *.t t /a\n";
    prints(
        &files,
        lines,
        "Reading source file(s)...\nB.T\n        1 File(s) copied\n             C:\\B.T\n\
         Reading source file(s)...\nFile not found - *.T\n        0 File(s) copied\n",
    );
    assert_eq!(batch_on(self::host("", &files), "md t\nxcopy *.z t\n").0, End::Exit(1));
    // The files of the test are of 2000-02-29.
    let none = "Reading source file(s)...\nFile not found - *.T\n        0 File(s) copied\n";
    prints(&files, "md t\nxcopy *.t t /d:3-1-00\n", none);
    prints(&files, "xcopy . t\\ /s /x\n", "Invalid switch - /X\n");
    prints(&files, "md t\nxcopy . t /s\n", "Cannot perform a cyclic copy\n");
}

#[test]
fn doskey_has_macros_for_the_prompt() {
    let input = "doskey say=echo [$1] $*$techo $$2\r\nsay a b\r\n say a\r\ndoskey /macros\r\n\
                 doskey say=\r\nsay a\r\nexit\r\n";
    let (_, host) = run(host(input, &[]), "COMMAND.COM", &[]);
    let text = String::from_utf8(host.output).expect("ASCII").replace("\r\n", "\n");
    assert!(text.contains("say a b\n[a] a b\n$2\n"), "{text}");
    // After a blank it is no macro.
    assert!(text.contains(" say a\nBad command or file name\n"), "{text}");
    assert!(text.contains("\nSAY=echo [$1] $*$techo $$2\n"), "{text}");
    assert_eq!(text.matches("Bad command or file name").count(), 2, "{text}");
}

#[test]
fn doskey_shows_what_was_entered() {
    let (_, host) = run(host("ver\r\ndoskey /history\r\nexit\r\n", &[]), "COMMAND.COM", &[]);
    let text = String::from_utf8(host.output).expect("ASCII").replace("\r\n", "\n");
    assert!(text.contains("doskey /history\nver\ndoskey /history\n"), "{text}");
    let mut host = self::host("ver\r\x1b[18~exit\r", &[]);
    host.terminal = true;
    let (_, host) = run(host, "COMMAND.COM", &[]);
    let text = String::from_utf8(host.output).expect("ASCII").replace("\r\n", "\n");
    assert!(text.contains("\n1: ver\n"), "F7: {text}");
}

/// The files of the tools do what the interpreter's commands do, with the parent's streams.
#[test]
fn tools_are_files_too() {
    let mut host = host("", &[("IN", "b\na\n")]);
    for (name, bytes) in dos_command::tool_files() {
        host.add(std::str::from_utf8(name).expect("ASCII"), &bytes);
    }
    let lines =
        ".\\sort <in >out\ntype out\n.\\find \"z\" in\nif errorlevel 1 echo none\nsort in\n";
    let (end, text, _) = batch_on(host, lines);
    assert_eq!(text, "a\nb\n\n---------- IN\nnone\na\nb\n");
    assert_eq!(end, End::Exit(0));
}

/// MS-DOS 6 Help, "choice": the exit code is the key's place; 255 where none came.
#[test]
fn choice_tells_which_key_was_pressed() {
    let lines = "choice /c:abc Which\nif errorlevel 3 echo c\nchoice /n /t:n,0 Go?\n\
                 if errorlevel 2 echo no\n";
    let (_, text, _) = batch_on(host("xc", &[]), lines);
    assert_eq!(text, "Which[A,B,C]?C\nc\nGo?N\nno\n");
    let (_, text, _) = batch_on(host("", &[]), "choice\nif errorlevel 255 echo none\n");
    assert_eq!(text, "[Y,N]?\nnone\n");
}

#[test]
fn choice_waits_for_keys_and_for_its_time() {
    let typed = |keys: &str, line: &str| {
        let mut host = host(keys, &[]);
        host.terminal = true;
        let (end, host) = run(host, "COMMAND.COM", &["/C", line]);
        (end, String::from_utf8(host.output).expect("ASCII").replace("\r\n", "\n"))
    };
    assert_eq!(typed("qn", "choice Sure"), (End::Exit(2), "Sure[Y,N]?\x07N\n".into()));
    assert_eq!(typed("y", "choice /t:n,9"), (End::Exit(1), "[Y,N]?Y\n".into()));
}

/// MS-DOS 6 Help, "move" and "deltree".
#[test]
fn files_and_directories_are_moved() {
    let files = [("A.TXT", "a\n"), ("B.TXT", "b")];
    let lines = "md d\nmove *.txt d\nmove d e\nmove e\\a.txt c\ntype c\nmove none d\n";
    prints(
        &files,
        lines,
        "c:\\a.txt => c:\\d\\a.txt [ok]\nc:\\b.txt => c:\\d\\b.txt [ok]\nc:\\d => c:\\e [ok]\n\
         c:\\e\\a.txt => c:\\c [ok]\na\nCannot move none - No such file or directory\n",
    );
}

#[test]
fn trees_are_deleted() {
    let make = "md d\nmd d\\e\necho x>d\\e\\f\nattrib +r d\\e\\f\n";
    let ask = "Delete directory \"d\" and all its subdirectories? [yn] ";
    let (_, text, host) = batch_on(host("n\r\n", &[]), &format!("{make}deltree d\n"));
    assert_eq!(text, format!("{ask}n\n"));
    assert!(host.read_path("d/e/f").is_some());
    let (_, text, host) = batch_on(self::host("", &[]), &format!("{make}deltree /y d\n"));
    assert_eq!(text, "Deleting d...\n");
    assert!(host.node("d").is_none());
}

#[test]
fn drives_get_labels_and_stand_for_directories() {
    prints(&[], "label new name\nvol | find \"drive\"\n", " Volume in drive C is NEW NAME\n");
    let (_, text, _) = batch_on(host("\r\ny\r\n", &[]), "label >nul\nvol | find \"label\"\n");
    assert!(text.ends_with(" Volume in drive C has no label\n"), "{text}");
    prints(
        &[],
        "md d\necho x>d\\f\nsubst e: d\nsubst\ntype e:f\nsubst e: /d\nsubst\nsubst e: none\n",
        "E: => C:\\D\nx\nPath not found - NONE\n",
    );
}

/// Drives may overlap, as C: and D: do by default: a file that both lead to is one file.
#[test]
fn one_file_by_two_drives_is_neither_moved_nor_copied_onto_itself() {
    let mut host = host("", &[("A.TXT", "text\n")]);
    host.second_drive = Some(host.add_directory("SUB"));
    let lines = "copy a.txt sub >nul\nmove c:\\sub\\a.txt d:\\\ncopy c:\\sub\\a.txt d:\\\n\
                 xcopy c:\\sub\\a.txt d:\\\ntype c:\\sub\\a.txt\n";
    let (_, text, _) = batch_on(host, lines);
    assert!(text.ends_with("\ntext\n"), "{text}");
    assert!(text.contains("Unable to move"), "{text}");
    assert_eq!(text.matches("File cannot be copied onto itself").count(), 2, "{text}");
}

/// What a name replaces goes only when the other file can take its place.
#[test]
fn move_replaces_a_file_by_another() {
    let lines = "move a.txt b.txt >nul\ntype b.txt\nif exist a.txt echo both\n";
    prints(&[("A.TXT", "new\n"), ("B.TXT", "old\n")], lines, "new\n");
}

#[test]
fn choice_ends_with_its_input() {
    let lines = "choice /n <nul\nif errorlevel 255 echo none\n";
    let (end, text, _) = batch_on(host("", &[]), lines);
    assert!(text.ends_with("none\n") && end == End::Exit(255), "{text}");
}

/// A path that ends as a directory's does is none of a file.
#[test]
fn copy_makes_no_file_of_a_directory_that_is_not_there() {
    let lines = "copy a.txt zop\\\nif exist zop echo made\n";
    let text = "File not found - ZOP\\\n        0 file(s) copied\n";
    prints(&[("A.TXT", "x")], lines, text);
}
