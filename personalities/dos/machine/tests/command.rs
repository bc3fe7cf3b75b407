//! COMMAND.COM in the machine: what it prints, and what it does to files.
//!
//! Expected texts are those of MS-DOS 5.0 (User's Guide and Reference, chapters 5, 10 and 14).

#[path = "command/batch.rs"]
mod batch_corners;
#[path = "support/dice.rs"]
mod dice;
#[path = "command/extensions.rs"]
mod extensions;
#[path = "command/random.rs"]
mod random;
mod support;

use dos_machine::End;
use support::{MemoryHost, run};

/// Runs commands with /C and returns how it ended, what was printed, and the host.
fn command(host: MemoryHost, line: &str) -> (End, String, MemoryHost) {
    let (end, mut host) = run(host, "COMMAND.COM", &["/C", line]);
    let text = String::from_utf8(std::mem::take(&mut host.output)).expect("ASCII");
    (end, text, host)
}

/// Runs a batch file without echo and returns what it printed.
fn batch(lines: &str) -> String {
    batch_in(MemoryHost::new(b""), lines)
}

fn batch_in(mut host: MemoryHost, lines: &str) -> String {
    host.add("T.BAT", format!("@echo off\r\n{}", lines.replace('\n', "\r\n")).as_bytes());
    host.add("SUB.BAT", b"@echo sub %1 %2\r\n");
    let (end, text, host) = command(host, "t one two three");
    assert!(matches!(end, End::Exit(_)), "{end:?}: {text}");
    assert_eq!(host.open, 0, "files are closed");
    text.replace("\r\n", "\n")
}

/// Types lines at the prompt and returns what was printed, echo included.
fn session(input: &str) -> String {
    let (end, host) = run(MemoryHost::new(input.as_bytes()), "COMMAND.COM", &[]);
    assert_eq!(end, End::Exit(0));
    String::from_utf8(host.output).expect("ASCII").replace("\r\n", "\n")
}

#[test]
fn a_command_is_carried_out_and_the_shell_ends() {
    let (end, text, _) = command(MemoryHost::new(b""), "echo  two words");
    assert_eq!((end, &text[..]), (End::Exit(0), " two words\r\n"));
}

#[test]
fn the_prompt_is_shown_and_lines_are_read_until_exit() {
    assert_eq!(session("echo hello\r\nexit\r\necho no\r\n"), "\nC>echo hello\nhello\n\nC>exit\n");
    assert_eq!(session("prompt $p$g\nver\n").matches("C:\\>").count(), 2);
}

#[test]
fn programs_run_and_their_codes_come_back() {
    let (end, text, _) = command(MemoryHost::new(b""), "hello");
    assert_eq!((end, &text[..]), (End::Exit(0), "Hello from DOS\r\n"));
    let (end, text, _) = command(MemoryHost::new(b""), "EXITCODE.COM 42");
    assert_eq!((end, &text[..]), (End::Exit(42), ""));
    let (_, text, _) = command(MemoryHost::new(b""), "nothere /x");
    assert_eq!(text, "Bad command or file name\r\n");
}

#[test]
fn arguments_are_passed_without_redirections() {
    let (_, text, host) = command(MemoryHost::new(b""), "args a b >out.txt c");
    assert_eq!(text, "");
    let plain = command(MemoryHost::new(b""), "args a b  c").1;
    assert_eq!(host.file("out.txt"), Some(plain.as_bytes()));
}

#[test]
fn output_is_appended_and_input_is_read() {
    let text = batch("echo banana>x\necho apple>>x\nsorter <x >y\ntype y\n");
    assert_eq!(text, "apple\nbanana\n");
}

#[test]
fn pipes_lead_from_one_program_to_the_next() {
    let (_, text, host) = command(MemoryHost::new(b""), "type in.txt | sorter");
    assert_eq!(text, "File not found - IN.TXT\r\n");
    assert_eq!(host.open, 0);
    let text = batch(
        "echo b>x\necho a>>x\ntype x | sorter | sorter > z\ntype z\ndel x\ndel z\ndir /b *.\n",
    );
    assert_eq!(text, "a\nb\nFile not found\n", "temporary files are deleted");
}

#[test]
fn parameters_are_replaced_and_shifted() {
    assert_eq!(batch("echo %0 %1 %3 %4.\nshift\necho %0 %1 %9.\n"), "t one three .\none two .\n");
    assert_eq!(batch("set a=b c\necho %A%-%none%-%%a\n"), "b c--%a\n");
}

#[test]
fn commands_of_a_batch_file_are_echoed_with_the_prompt() {
    let mut host = MemoryHost::new(b"");
    host.add("E.BAT", b"rem hi\n@rem no\necho off\nrem off\n");
    assert_eq!(command(host, "e").1, "\r\nC>rem hi\r\n\r\nC>echo off\r\n");
}

#[test]
fn batch_files_are_called_and_chained() {
    assert_eq!(batch("call sub x y\necho back\n"), "sub x y\nback\n");
    assert_eq!(batch("sub x y\necho never\n"), "sub x y\n");
}

#[test]
fn goto_finds_labels_by_eight_characters() {
    assert_eq!(batch("goto longlabel1\necho no\n:LONGLABEL2\necho yes\n"), "yes\n");
    assert_eq!(batch("goto nowhere\necho no\n"), "Label not found\n");
}

#[test]
fn a_batch_file_can_loop_by_goto_and_shift() {
    assert_eq!(
        batch(":next\nif \"%1\"==\"\" goto end\necho %1\nshift\ngoto next\n:end\necho end\n"),
        "one\ntwo\nthree\nend\n"
    );
}

#[test]
fn if_compares_looks_for_files_and_exit_codes() {
    assert_eq!(
        batch("if a==a echo equal\nif a==A echo no\nif not a == A echo differ\n"),
        "equal\ndiffer\n"
    );
    assert_eq!(
        batch("if exist t.bat echo file\nif exist *.zzz echo no\nif not exist q echo none\n"),
        "file\nnone\n"
    );
    assert_eq!(batch("exitcode 5\nif errorlevel 6 echo 6\nif errorlevel 5 echo 5\n"), "5\n");
    assert_eq!(batch("md d\nif exist d\\nul echo dir\nif exist e\\nul echo no\n"), "dir\n");
    assert_eq!(batch("if a=b echo\n"), "Syntax error\n");
}

#[test]
fn for_goes_through_words_and_files() {
    assert_eq!(batch("for %%f in (a,b c) do echo [%%f]\n"), "[a]\n[b]\n[c]\n");
    assert_eq!(batch("for %%f in (*.bat x) do echo %%f\n"), "SUB.BAT\nT.BAT\nx\n");
    assert_eq!(batch("for %%f in (a b) do if %%f==b echo b\n"), "b\n");
    assert_eq!(batch("for %%f in (a b) do call sub %%f\n"), "sub a \nsub b \n");
    assert_eq!(batch("for %%a in (a) do for %%b in (b) do echo x\n"), "FOR cannot be nested\n");
}

#[test]
fn variables_reach_programs_and_other_shells() {
    let text = batch("set x=1\ncommand /c set\nset x=\ncommand /c set\n");
    assert_eq!(text.matches("X=1").count(), 1);
    assert!(text.contains("COMSPEC=C:\\COMMAND.COM"), "{text}");
    assert_eq!(batch("path c:\\a;c:\\b\npath\npath ;\npath\n"), "PATH=C:\\A;C:\\B\nNo Path\n");
}

#[test]
fn a_large_environment_moves() {
    let set: String = (0..40).map(|n| format!("set V{n}={}\n", "x".repeat(60))).collect();
    let text = batch(&format!("{set}command /c echo ok\necho %V39%\n"));
    assert_eq!(text, format!("ok\n{}\n", "x".repeat(60)));
}

#[test]
fn programs_are_found_along_the_path() {
    let text = batch("md bin\ncopy hello.com bin\\greet.com >nul\npath c:\\bin\ngreet\n");
    assert_eq!(text, "Hello from DOS\n");
}

#[test]
fn directories_are_made_entered_and_removed() {
    let text =
        batch("md a\nmd a\\b\ncd a\\b\ncd\ncd ..\nrd b\ncd\ncd \\\nrd a\nmd t.bat\ncd a\nrd a\n");
    assert_eq!(
        text,
        "C:\\A\\B\nC:\\A\nDirectory already exists\nInvalid directory\n\
        Invalid path, not directory,\nor directory not empty\n"
            .replace("Directory already exists", "Unable to create directory")
    );
}

#[test]
fn files_are_copied_renamed_and_deleted() {
    let text = batch(
        "echo 1>a.txt\ncopy a.txt b.txt\ncopy *.txt c*.bak\nren b.txt d.*\ntype d.txt\n\
        del c*.bak\ndir /b *.bak\ncopy a.txt a.txt\ncopy none x\n",
    );
    assert_eq!(
        text,
        "        1 file(s) copied\nA.TXT\nB.TXT\n        2 file(s) copied\n1\n\
        File not found\nFile cannot be copied onto itself\n        0 file(s) copied\n\
        File not found - NONE\n        0 file(s) copied\n"
    );
}

#[test]
fn files_are_put_together_as_texts() {
    let mut host = MemoryHost::new(b"");
    host.add("A", b"one\x1arest");
    host.add("B", b"two");
    let (_, _, host) = command(host, "copy a+b c");
    assert_eq!(host.file("c"), Some(&b"onetwo\x1a"[..]));
    let mut host = MemoryHost::new(b"");
    host.add("A", b"one\x1arest");
    host.add("B", b"two");
    let (_, _, host) = command(host, "copy a /b + b c");
    assert_eq!(host.file("c"), Some(&b"one\x1aresttwo"[..]));
}

#[test]
fn deleting_everything_is_asked_for() {
    let ask = "All files in directory will be deleted!\r\nAre you sure (Y/N)?";
    let mut host = MemoryHost::new(b"n\r\n");
    host.add("KEEP", b"x");
    let (_, text, host) = command(host, "del *.*");
    assert_eq!(text, format!("{ask}n\r\n"));
    assert!(host.file("KEEP").is_some());
    let mut host = MemoryHost::new(b"y\r\n");
    host.add("LOSE", b"x");
    let (_, _, host) = command(host, "del *.*");
    assert!(host.file("LOSE").is_none());
}

#[test]
fn dir_lists_as_dos_5_does() {
    let mut host = MemoryHost::new(b"");
    host.add("LONG.TXT", &[b'x'; 1234]);
    host.add_directory("LONG");
    let (_, text, _) = command(host, "dir long");
    // The directory is what LONG means.
    assert!(text.contains(" Directory of C:\\LONG\r\n\r\n"), "{text}");
    let mut host = MemoryHost::new(b"");
    host.add("LONG.TXT", &[b'x'; 1234]);
    let (_, text, _) = command(host, "dir long");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[..2], ["", " Volume in drive C is KAMEN_C"]);
    let at = lines.iter().position(|line| *line == " Directory of C:\\").expect("the directory");
    assert_eq!(
        lines[at + 1..at + 4],
        ["", "LONG     TXT      1234 02-29-00  12:34p", "        1 file(s)       1234 bytes",]
    );
    assert!(lines[at + 4].ends_with(" bytes free"), "{text}");
    assert_eq!(lines[at + 4].len(), 28 + " bytes free".len());
}

#[test]
fn dir_goes_into_directories() {
    let text = batch("md d\nmd d\\e\necho 1 >d\\e\\f.q\ndir /s /b *.q\n");
    assert_eq!(text, "C:\\D\\E\\F.Q\n");
}

#[test]
fn date_and_time_are_shown_and_set() {
    let text = batch("date 12-31-1999\ntime 3:04:05p\ndate <nul\n");
    assert!(text.starts_with("Current date is Fri 12-31-1999\n"), "{text}");
    let (_, text, _) = command(MemoryHost::new(b"99-99-99\r\n\r\n"), "date");
    assert_eq!(
        text,
        "Current date is Tue 02-29-2000\r\nEnter new date (mm-dd-yy): 99-99-99\r\n\
        Invalid date\r\nEnter new date (mm-dd-yy): \r\n"
    );
}

#[test]
fn dates_and_times_have_the_form_of_the_country() {
    // Sweden: MS-DOS 4.0 sources, MKCNTRY.ASM, sv437_info.
    let mut host = MemoryHost::new(b"00-03-01\r\n");
    host.add("A", b"a");
    host.add("T.BAT", b"@echo off\r\ndate\r\ndir a\r\ndate <nul\r\n");
    let start = dos_machine::Start { country: 46, ..support::start("COMMAND.COM", &["/C", "t"]) };
    let mut session = dos_machine::Session::new(host);
    assert_eq!(session.run(&start), End::Exit(0));
    let text = String::from_utf8(session.into_host().output).expect("ASCII");
    let date = "Current date is Tue 2000-02-29\r\nEnter new date (yy-mm-dd): 00-03-01\r\n";
    assert!(text.starts_with(date), "{text}");
    assert!(text.contains(" 00-02-29  12.34\r\n"), "{text}");
    assert!(text.contains("Current date is Wed 2000-03-01\r\n"), "{text}");
}

#[test]
fn small_commands_answer() {
    assert_eq!(
        batch("echo.\necho\nverify\nverify on\nverify\nbreak\n"),
        "\nECHO is off\nVERIFY is off\nVERIFY is on\nBREAK is off\n"
    );
    assert_eq!(
        batch("chcp\nctty t.bat\nz:\ntruename t.bat\nvol\n"),
        "Active code page: 437\nInvalid device\nInvalid drive specification\n\nC:\\T.BAT\n\n \
         Volume in drive C is KAMEN_C\n"
            .replace("KAMEN_C\n", &volume_rest())
    );
    assert_eq!(batch("lh echo high\nloadhigh hello\nrem x\n"), "high\nHello from DOS\n");
}

/// What follows from the label on: the serial number, where the drive has one.
fn volume_rest() -> String {
    let text = batch("vol\n");
    let at = text.find("KAMEN_C\n").expect("the label");
    text[at..].to_string()
}

/// Types keys at a terminal and returns what it showed, and the host.
fn type_keys(keys: &[u8]) -> (u16, String, MemoryHost) {
    let mut host = MemoryHost::new(keys);
    host.terminal = true;
    let (end, mut host) = run(host, "COMMAND.COM", &[]);
    let text = String::from_utf8(std::mem::take(&mut host.output)).expect("ASCII");
    // The terminal was told to begin a line by one character.
    (end.status(), text.replace("\r\n", "\n"), host)
}

#[test]
fn a_terminal_edits_completes_and_repeats_lines() {
    let (_, text, _) = type_keys(b"hellp\x7fo\r\x1b[A\rexit\r");
    assert_eq!(text.matches("Hello from DOS").count(), 2, "{text}");
    let (status, text, _) = type_keys(b"exitco\t 3\rif errorlevel 3 echo three\rexit\r");
    assert!(text.contains("\nthree\n"), "{text}");
    assert_eq!(status, 3, "the last program's code");
}

#[test]
fn a_terminal_that_ends_ends_the_shell() {
    type_keys(b"ver\r");
    type_keys(b"ver");
}

#[test]
fn ctrl_c_ends_the_program_and_not_the_shell() {
    for program in ["spin", "echoin"] {
        let mut host = MemoryHost::new(b"");
        host.add("C.BAT", format!("@{program}\r\n@echo no\r\n").as_bytes());
        host.interrupt_at = Some(30_000_000);
        let (end, mut host) = run(host, "COMMAND.COM", &["/C", "c"]);
        let text = String::from_utf8(std::mem::take(&mut host.output)).expect("ASCII");
        // Nobody answers the question; the batch file goes on.
        assert!(text.ends_with("^C\r\n\r\nTerminate batch job (Y/N)?no\r\n"), "{text}");
        assert_eq!(end, End::Exit(0), "{program}");
    }
}

#[test]
fn what_is_typed_is_copied_to_a_file() {
    let (_, text, host) = type_keys(b"copy con f.txt\rone\rtwo\r\x1a\rexit\r");
    assert!(text.contains("        1 file(s) copied\n"), "{text:?}");
    assert_eq!(host.file("f.txt"), Some(&b"one\r\ntwo\r\n"[..]));
    assert_eq!(host.open, 0);
}

/// COPY makes the file when it first writes (MS-DOS 4.0, COPYPR2.ASM, FLSHFIL).
#[test]
fn ctrl_c_ends_copying_what_is_typed_without_a_file() {
    let (_, text, host) = type_keys(b"copy con f.txt\rone\rtw\x03echo next\rexit\r");
    assert!(text.contains("^C"), "{text:?}");
    assert!(!text.contains("file(s) copied"), "{text:?}");
    assert!(text.contains("\nnext\n"), "{text:?}");
    assert_eq!(host.file("f.txt"), None);
    assert_eq!(host.open, 0);
}

#[test]
fn autoexec_runs_first() {
    let mut host = MemoryHost::new(b"exit\r\n");
    host.add("AUTOEXEC.BAT", b"@echo started\r\n");
    let (_, host) = run(host, "COMMAND.COM", &[]);
    assert!(host.output.starts_with(b"started\r\n"));
}

#[test]
fn a_batch_file_that_starts_itself_anew_does_not_pile_up() {
    let mut host = MemoryHost::new(b"");
    host.add("LOOP.BAT", b"@echo round\r\n@loop\r\n");
    // More rounds than tasks may lie on top of each other.
    host.output_limit = 1000 * "round\r\n".len();
    let (end, host) = run(host, "COMMAND.COM", &["/C", "loop"]);
    assert_eq!(end, End::BrokenPipe);
    assert!(host.output.len() >= host.output_limit);
}

#[test]
fn programs_of_the_other_world_run_with_paths_of_theirs() {
    let mut host = MemoryHost::new(b"");
    host.add("upper", b"\x7fELF\x02\x01\x01");
    host.add_directory("sub");
    let lines = "@cd sub\r\n@set x=1\r\n@path c:\\none;c:\\sub\r\n@..\\upper -l \"a b\"\r\n";
    host.add("T.BAT", lines.as_bytes());
    let (end, text, host) = command(host, "t");
    assert_eq!((end, &text[..]), (End::Exit(7), ""));
    let ran = &host.foreign[0];
    assert_eq!(ran.path, b"/upper");
    assert_eq!(ran.arguments, [&b"-l"[..], b"a b"]);
    assert_eq!(ran.directory, b"/sub");
    assert!(ran.environment.contains(&b"PATH=/sub".to_vec()), "{:?}", ran.environment);
    assert!(ran.environment.contains(&b"X=1".to_vec()));
    assert_eq!(ran.input, None, "standard input is the session's");
}

/// POSIX 2.8.2: 128 and a signal's number is the status of what the signal ended.
#[test]
fn a_program_of_the_other_world_that_ctrl_c_ended_ends_its_loop() {
    for (status, rounds) in [(130, 1), (1, 3)] {
        let mut host = MemoryHost::new(b"");
        host.add("upper", b"\x7fELF\x02\x01\x01");
        host.foreign_status = status;
        let (_, _, host) = command(host, "for %a in (1 2 3) do upper");
        assert_eq!(host.foreign.len(), rounds, "status {status}");
    }
}

#[test]
fn pipes_lead_through_both_worlds() {
    let mut host = MemoryHost::new(b"");
    host.add("upper", b"\x7fELF\x02\x01\x01");
    host.add("IN", b"pear\r\nfig\r\n");
    let (_, text, host) = command(host, "type in | upper | sorter >out");
    assert_eq!(text, "");
    assert_eq!(host.file("out"), Some(&b"FIG\nPEAR\n"[..]));
    assert_eq!(host.open, 0);
}

#[test]
fn pipes_to_programs_of_the_other_world_have_no_bound() {
    let mut host = MemoryHost::new(b"");
    host.add("upper", b"\x7fELF\x02\x01\x01");
    let text = "abcdefghijklmno\n".repeat(100_000);
    host.add("IN", text.as_bytes());
    let (_, _, host) = command(host, "upper <in >out");
    assert!(host.file("out") == Some(text.to_uppercase().as_bytes()));
    // Nothing is left behind.
    assert_eq!(host.open, 0);
    assert_eq!(host.names().iter().filter(|name| name.ends_with(".tmp")).count(), 0);
}

#[test]
fn nesting_has_a_bound() {
    let mut host = MemoryHost::new(b"");
    host.add("DEEP.BAT", b"@call deep\r\n");
    let (end, text, _) = command(host, "deep");
    assert_eq!(end, End::Exit(0));
    assert_eq!(text, "Batch files or loops are nested too deeply\r\n");
}
