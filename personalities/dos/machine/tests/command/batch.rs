//! The batch language and COPY in their corners.
//!
//! Expected: MS-DOS 4.0's source, TBATCH2.ASM, TFOR.ASM, TMISC1.ASM, TMISC2.ASM, TCODE.ASM, TUCODE.ASM
//! and COPY.ASM, by the labels named; MS-DOS 6 Help, "copy", for empty files.

use super::{batch, batch_in, command, session, type_keys};
use crate::support::MemoryHost;

/// TCODE.ASM, OKPARSE: a command's name ends where an FCB's does.
#[test]
fn names_of_commands_end_as_those_of_fcbs() {
    assert_eq!(
        batch("echo:one\necho/two\necho+three\necho.\necho;four\n"),
        "one\ntwo\nthree\n\nfour\n"
    );
    assert_eq!(batch("echo x>f\ntype\\f\nmd\\d\ncd\\d\ncd\n"), "x\nC:\\D\n");
}

/// TBATCH2.ASM, IFSTRING: the second string begins behind the first `==`.
#[test]
fn if_compares_up_to_separators() {
    let lines = "if not not a==a echo 1\nif \"\"==\"\" echo 2\nif a==a if b==b echo 3\n\
                 if a ==a echo 4\nif a== a echo 5\nif a==\n";
    assert_eq!(batch(lines), "1\n2\n3\n4\n5\nSyntax error\n");
    assert_eq!(batch("if \"%1\"==\"one\" echo x\nif not \"%9\"==\"\" echo y\n"), "x\n");
    // IFERLEV: eight bits.
    assert_eq!(
        batch("exitcode 3\nif errorlevel 259 echo 3\nif not errorlevel 4 echo less\n"),
        "3\nless\n"
    );
    assert_eq!(
        batch("if not exist d\\nul md d\nif exist d\\nul echo there\nif exist d echo no\n"),
        "there\n"
    );
}

/// TBATCH2.ASM, GOTO: the label is parsed as an FCB's name.
#[test]
fn labels_end_as_names_of_fcbs() {
    assert_eq!(batch("goto :end\necho no\n:end of it\necho yes\n"), "yes\n");
    assert_eq!(batch("goto end:x\necho no\n : end\necho yes\n"), "yes\n");
    assert_eq!(batch("goto %1\n:two\necho no\n:ONE\necho yes\n"), "yes\n");
    assert_eq!(batch("call sub x\ngoto end\necho no\n:end\n"), "sub x \n");
}

/// TFOR.ASM: `IN(` needs no blank; a list may be empty; words and patterns mix.
#[test]
fn for_takes_lists_in_any_form() {
    assert_eq!(batch("for %%f in(a b) do echo %%f\nfor %%f in () do echo no\n"), "a\nb\n");
    assert_eq!(batch("for %%f in (1;2,3=4) do echo %%f%%f\n"), "11\n22\n33\n44\n");
    assert_eq!(batch("for %%f in (s*.bat nothing.* x) do if exist %%f echo %%f\n"), "SUB.BAT\n");
    assert_eq!(batch("for %%f in (a b) do echo %%f>>x\ntype x\n"), "a\nb\n");
    assert_eq!(batch("for %%f in (a) do command /c for %%g in (b c) do echo %%f%%g\n"), "ab\nac\n");
    assert_eq!(batch("for %%f in (a b\nfor %%f (a) do echo\n"), "Syntax error\nSyntax error\n");
}

/// TFOR.ASM, FOR_MADE_COM: what FOR does is shown at the prompt, too.
#[test]
fn for_shows_its_commands_at_the_prompt() {
    let text = session("for %f in (a b) do echo %f\r\nexit\r\n");
    assert!(text.contains("\nC>echo a\na\n\nC>echo b\nb\n"), "{text}");
}

#[test]
fn shift_goes_beyond_the_ninth_parameter() {
    let mut host = MemoryHost::new(b"");
    host.add("S.BAT", b"@echo %9\r\n@shift\r\n@echo %0 %9\r\n@shift\r\n@echo %0 %9.\r\n");
    let text = batch_in(host, "call s 1 2 3 4 5 6 7 8 9 10\n");
    assert_eq!(text, "9\n1 10\n2 .\n");
}

/// TBATCH.ASM, GETENV1 and NEEDPARM: a sign without a partner goes, its text stays.
#[test]
fn percent_signs_without_a_partner_go() {
    assert_eq!(
        batch("set x=y\necho %x% 5%\necho 5% of\necho %%x%% 10%%\n"),
        "y 5\n5 of\n%x% 10%\n"
    );
}

/// TMISC1.ASM, PRESCAN.
#[test]
fn redirections_stand_anywhere() {
    assert_eq!(batch(">x echo a b\n>>x echo c\ntype x\n"), "a b\nc\n");
    assert_eq!(batch("echo a >x b\ntype x\nsorter <x >y\ntype y\n"), "a  b\na  b\n");
    assert_eq!(batch("echo no >nul:\necho 5\" >x\ntype x\n"), "5\" \n");
    assert_eq!(
        batch("echo a >\necho b\nsort <none\nsort <d\\none\n"),
        "Syntax error\nb\nFile not found\nPath not found\n"
    );
    assert_eq!(
        batch("rem >x\nif exist x echo made\nif a==b echo no >y\nif exist y echo no\n"),
        "made\n"
    );
}

/// TMISC2.ASM, TESTDOREOUT: what is appended goes over the Ctrl-Z at the end.
#[test]
fn what_is_appended_replaces_the_end_mark() {
    let mut host = MemoryHost::new(b"");
    host.add("A", b"one\r\n\x1a");
    let (_, _, host) = command(host, "echo two>>a");
    assert_eq!(host.file("A"), Some(&b"one\r\ntwo\r\n"[..]));
}

/// COPY.ASM, SHOWCPNAM and CLOSEDEST; MS-DOS 6 Help, "copy".
#[test]
fn copy_tells_names_and_makes_no_empty_file() {
    let lines = "echo 1>a.x\necho 2>b.x\ncopy a.x+b.x c >nul\ncopy a.x+b.x c\ncopy *.x d\n\
                 copy a.x+b.x\ntype d\n";
    assert_eq!(
        batch(lines),
        "A.X\nB.X\n        1 file(s) copied\nA.X\nB.X\n        1 file(s) copied\n\
         A.X\nB.X\n        1 file(s) copied\n1\n2\n"
    );
    let none = "        0 file(s) copied\n";
    assert_eq!(
        batch("rem >e\ncopy e f\nif exist f echo no\ncopy nul g\nif exist g echo no\n"),
        none.repeat(2)
    );
    assert_eq!(
        batch("echo x>f\nrem >e\ncopy e f\nif not exist f echo gone\n"),
        format!("{none}gone\n")
    );
    assert_eq!(
        batch("rem >e\nxcopy e g\\\nif exist g\\e echo there\n"),
        "Reading source file(s)...\nE\n        1 File(s) copied\nthere\n"
    );
}

/// COPY.ASM, CLOSEDEST: as a file without a byte.
#[test]
fn copying_nothing_from_the_console_makes_no_file() {
    let (_, text, host) = type_keys(b"copy con f.txt\r\x1a\rexit\r");
    assert!(text.contains("        0 file(s) copied\n"), "{text:?}");
    assert_eq!(host.file("f.txt"), None);
}

/// TUCODE.ASM, ASKAGN.
#[test]
fn del_asks_until_it_is_told() {
    let ask = "All files in directory will be deleted!\r\nAre you sure (Y/N)?";
    let mut host = MemoryHost::new(b"\r\nwhat\r\n n\r\n");
    host.add("KEEP", b"x");
    let (_, text, host) = command(host, "del *.*");
    assert_eq!(text, format!("{ask}\r\n{ask}what\r\n{ask} n\r\n"));
    assert!(host.file("KEEP").is_some());
}

/// A name with more than one extension is none of a program: DOS would open another file.
#[test]
fn programs_have_one_extension() {
    let text = batch("t.bat.. x\nhello.com.x\nhello.\nt.bat:x\n");
    let bad = "Bad command or file name\n";
    assert_eq!(text, format!("{bad}{bad}Hello from DOS\n{bad}"));
}

#[test]
fn a_drive_is_changed_by_its_root_too() {
    assert_eq!(batch("md d\ncd d\nc:\\\ncd\nc:\nx:\n"), "C:\\D\nInvalid drive specification\n");
}

/// MS-DOS 5.0 User's Guide, "ctty" and "loadhigh"; MS-DOS 6 Help, "loadhigh".
#[test]
fn streams_become_a_device_and_the_console_again() {
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    let text = batch_in(host, "ctty nul\necho no\nnothere\nctty con\necho back\nctty t.bat\n");
    assert_eq!(text, "back\nInvalid device\n");
    assert_eq!(batch("lh /l:0;1,4560 /s echo high\nlh\n"), "high\n");
}

/// MS-DOS 5.0 User's Guide, "command": /E is the environment's size; a program that looks for room
/// behind the last string finds it. The shell itself has 4 KiB.
#[test]
fn a_shell_s_environment_has_room() {
    let text = batch("command /e:2048 /c mem /d | find \"COMMAND\"\n");
    let sizes = text.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse().ok());
    assert_eq!(sizes.filter(|size: &u32| *size >= 4096 + 2048).count(), 1, "{text}");
}

#[test]
fn dir_takes_one_path() {
    assert_eq!(batch("dir a b\n"), "Too many parameters - b\n");
}

/// TMISC1.ASM, FINDCOM: the drives of two parameters are looked at before the command.
#[test]
fn a_drive_that_is_not_there_is_told_first() {
    let text = batch("dir q:\ntype q:\\x\ncopy t.bat q:\ndel q:x\ncd q:\\\nren q:a b\nmd q:\\d\n");
    assert_eq!(text, "Invalid drive specification\n".repeat(7));
}

/// MS-DOS 6 Help, "copy": `+,,` sets the date of a file. The clock of the tests stands in 2000.
#[test]
fn copy_dates_a_file_anew() {
    let text = batch("date 1-2-99\necho x>a.t\ndate 3-4-99\ncopy a.t+,,\ndir a.t | find \"A  \"\n");
    assert!(text.starts_with("A.T\n        1 file(s) copied\nA        T"), "{text}");
    assert!(text.contains(" 03-04-99 "), "{text}");
}

/// MS-DOS 5.0 User's Guide, chapter 2: every command tells its parameters by /?.
#[test]
fn commands_tell_what_they_take() {
    let text = batch("vol /?\nif /?\nmem /? >x\ntype x\nhelp tree\nhelp nothing\n");
    assert_eq!(
        text,
        "VOL [drive:]\n\
         IF [NOT] ERRORLEVEL number | string1==string2 | EXIST filename command\n\
         MEM [/CLASSIFY | /DEBUG | /PROGRAM]\nTREE [drive:][path] [/F] [/A]\n\
         HELP knows no such command\n"
    );
    assert_eq!(batch("help | find \"XCOPY\"\n").lines().count(), 1);
}
