//! The sample programs in a session whose host is memory.

mod support;

use dos_machine::End;
use support::{MemoryHost, run};

fn output_of(program: &str, arguments: &[&str], input: &[u8]) -> (End, String) {
    let (end, host) = run(MemoryHost::new(input), program, arguments);
    assert_eq!(host.open, 0, "{program} left files open");
    (end, String::from_utf8_lossy(&host.output).into_owned())
}

#[test]
fn hello_prints_and_ends() {
    assert_eq!(output_of("HELLO.COM", &[], b""), (End::Exit(0), "Hello from DOS\r\n".into()));
}

#[test]
fn names_are_found_in_any_case_and_with_a_path() {
    for name in ["hello.com", "/Hello.Com", "C:\\HELLO.COM", "./HELLO.COM"] {
        assert_eq!(output_of(name, &[], b"").1, "Hello from DOS\r\n", "{name}");
    }
}

#[test]
fn pipes_are_binary_clean() {
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let (end, host) = run(MemoryHost::new(&bytes), "ECHOIN.COM", &[]);
    assert_eq!(end, End::Exit(0));
    assert!(host.output == bytes);
}

#[test]
fn arguments_become_the_command_tail() {
    assert_eq!(output_of("ARGS.COM", &["one", "two"], b"").1, "[ one two]\r\n");
    assert_eq!(output_of("ARGS.COM", &[], b"").1, "[]\r\n");
}

#[test]
fn exit_codes_reach_the_host() {
    assert_eq!(output_of("EXITCODE.COM", &["42"], b"").0, End::Exit(42));
}

#[test]
fn files_are_copied_with_the_names_given() {
    let mut host = MemoryHost::new(b"");
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    host.add("from.bin", &bytes);
    let (end, host) = run(host, "COPYFILE.COM", &["from.bin", "To.bin"]);
    assert_eq!(end, End::Exit(0));
    assert!(host.file("To.bin") == Some(&bytes));
    assert_eq!(host.open, 0);
    assert_eq!(run(host, "COPYFILE.COM", &["nothere", "x"]).0, End::Exit(1));
}

#[test]
fn lines_are_sorted() {
    let input = b"pear\napple\r\nfig\n\nbanana\napple\nlast";
    let (end, output) = output_of("SORTER.COM", &[], input);
    assert_eq!(end, End::Exit(0));
    assert_eq!(output, "\napple\napple\nbanana\nfig\nlast\npear\n");
}

#[test]
fn files_are_found_with_short_names() {
    let mut host = MemoryHost::new(b"");
    host.add("a long name.text", b"");
    host.add("note.txt", b"");
    host.add_directory("sub.txt");
    let (end, host) = run(host, "FINDER.COM", &["*.T*"]);
    assert_eq!(end, End::Exit(0));
    let output = String::from_utf8_lossy(&host.output);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[1..], ["NOTE.TXT", "SUB.TXT"]);
    assert!(lines[0].starts_with("ALON~") && lines[0].ends_with(".TEX"), "{output}");
    assert_eq!(output_of("FINDER.COM", &["*.ZZZ"], b"").0, End::Exit(18));
}

#[test]
fn seeks_and_deletes() {
    let (end, host) = run(MemoryHost::new(b""), "SEEKER.COM", &[]);
    assert_eq!((end, host.output.as_slice()), (End::Exit(0), &b"ABC"[..]));
    assert!(host.file("SEEK.TMP").is_none());
}

#[test]
fn memory_is_allocated_and_freed() {
    assert_eq!(output_of("MEMORY.COM", &[], b""), (End::Exit(0), "memory ok\r\n".into()));
}

#[test]
fn a_parent_gets_its_childs_exit_code() {
    assert_eq!(output_of("PARENT.COM", &[], b""), (End::Exit(8), "child ended with 7\n".into()));
}

#[test]
fn exe_programs_are_relocated() {
    assert_eq!(output_of("RELOC.EXE", &[], b""), (End::Exit(5), "relocated\r\n".into()));
}

#[test]
fn the_far_call_in_the_psp_works() {
    assert_eq!(output_of("CALLFIVE.COM", &[], b""), (End::Exit(0), "call five\r\n".into()));
}

#[test]
fn buffered_input_takes_any_line_ending() {
    let (_, output) = output_of("LINES.COM", &[], b"one\r\ntwo\nthree");
    assert_eq!(output, "one\r\r\n[one]\r\ntwo\r\r\n[two]\r\nthree\r\r\n[three]\r\n\r");
}

#[test]
fn what_a_terminal_echoes_itself_is_not_echoed_again() {
    let mut host = MemoryHost::new(b"one\ntwo\n\n");
    host.echoes = true;
    let (_, host) = run(host, "LINES.COM", &[]);
    assert_eq!(host.output, b"\r\n[one]\r\n\r\n[two]\r\n");
}

#[test]
fn the_last_line_comes_back_by_f3() {
    // F3 as xterm has it; then F1 twice and an x.
    let mut host = MemoryHost::new(b"kamen\r\x1bOR\r\x1bOP\x1bOPx\r\r");
    host.terminal = true;
    let (end, host) = run(host, "LINES.COM", &[]);
    assert_eq!(end, End::Exit(0));
    let text = String::from_utf8_lossy(&host.output).into_owned();
    assert_eq!(text.matches("[kamen]").count(), 2, "{text}");
    assert!(text.contains("[kax]"), "{text}");
}

#[test]
fn a_line_is_edited_on_the_terminal() {
    let mut host = MemoryHost::new("häx\x7fllo\r\r".as_bytes());
    host.terminal = true;
    let (end, host) = run(host, "LINES.COM", &[]);
    assert_eq!(end, End::Exit(0));
    let output = String::from_utf8_lossy(&host.output).into_owned();
    assert_eq!(output, "häx\x08 \x08llo\r\n[hällo]\n\r");
}

#[test]
fn a_closed_pipe_ends_the_program() {
    let mut host = MemoryHost::new(b"");
    host.output_limit = 10_000;
    assert_eq!(run(host, "ENDLESS.COM", &[]).0, End::BrokenPipe);
}

#[test]
fn ctrl_c_ends_programs_that_spin_or_wait() {
    for program in ["SPIN.COM", "WAITKEY.COM"] {
        let mut host = MemoryHost::new(b"");
        host.terminal = true;
        host.interrupt_at = Some(500_000_000);
        let (end, host) = run(host, program, &[]);
        assert_eq!((&end, end.status()), (&End::Interrupted, 256 + 2), "{program}");
        assert!(host.output.ends_with(b"ing\n"));
    }
}

#[test]
fn faults_name_program_and_address() {
    let (end, _) = output_of("BADCODE.COM", &[], b"");
    let End::Fault(text) = &end else { panic!("{end:?}") };
    assert!(text.starts_with("C:\\BADCODE.COM: invalid instruction at "), "{text}");
    assert!(text.ends_with(":0102"), "{text}");
    assert_eq!(end.status(), 255);
    let (end, _) = output_of("DIVZERO.COM", &[], b"");
    assert!(matches!(&end, End::Fault(text) if text.contains("division by zero")), "{end:?}");
    let (end, _) = output_of("STOPPED.COM", &[], b"");
    let End::Fault(text) = &end else { panic!("{end:?}") };
    assert!(text.starts_with("C:\\STOPPED.COM: halted with interrupts off at "), "{text}");
    assert!(text.ends_with(":0102"), "{text}");
}

#[test]
fn a_fault_whose_program_lost_its_name_is_told_without_it() {
    let (end, _) = output_of("WILD.COM", &[], b"");
    let text = "a DOS program: halted with interrupts off at 34F4:34F5";
    assert_eq!(end, End::Fault(text.to_owned()));
}

#[test]
fn primes_below_16384_are_1900() {
    // OEIS A007053(14).
    assert_eq!(output_of("PRIMES.COM", &[], b""), (End::Exit(0), "1900\r\n".into()));
}

#[test]
fn what_is_no_program_is_refused_with_a_reason() {
    let mut host = MemoryHost::new(b"");
    host.add("cut.exe", b"MZ\x10");
    host.add("empty.com", b"");
    host.add("big.com", &[0x90; 70_000]);
    host.add("elf", b"\x7fELF\x02\x01\x01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    host.add_directory("dir");
    for (name, reason) in [
        ("cut.exe", "its EXE header is cut off"),
        ("empty.com", "the file is empty"),
        ("big.com", "65,278 bytes at most"),
        ("elf", "ELF program"),
        ("dir", "not a file"),
        ("nowhere", "no such program"),
        ("no/where", "no such directory"),
    ] {
        let (end, back) = run(host, name, &[]);
        assert!(matches!(&end, End::Fault(text) if text.contains(reason)), "{name}: {end:?}");
        host = back;
    }
}

#[test]
fn file_control_blocks_read_and_write_records() {
    let (end, host) = run(MemoryHost::new(b""), "FCBFILE.COM", &[]);
    assert_eq!((end, host.output.as_slice()), (End::Exit(0), &b"BBC"[..]));
    assert!(host.file("FCB.TMP").is_none());
    assert_eq!(host.open, 0);
}

#[test]
fn the_trap_flag_traces_instruction_by_instruction() {
    assert_eq!(output_of("TRACER.COM", &[], b""), (End::Exit(0), "5".into()));
}

#[test]
fn a_ctrl_c_handler_is_called_and_the_function_starts_anew() {
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.interrupt_at = Some(500_000_000);
    let (end, host) = run(host, "BREAKER.COM", &[]);
    // After the handler the terminal has ended: the function gives 1A, which a console shows so.
    assert_eq!((end, host.output.as_slice()), (End::Exit(0), "break\n→".as_bytes()));
}

#[test]
fn a_program_that_looks_for_keys_rests() {
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.ends_at = Some(2_000_000_000);
    let (end, host) = run(host, "POLLKEY.COM", &[]);
    assert_eq!(end, End::Terminated);
    // From each tick to the next: 18.2 a second.
    assert!((30..=40).contains(&host.idles), "rested {} times", host.idles);
}

#[test]
fn the_environment_ends_with_the_programs_short_path() {
    let mut host = MemoryHost::new(b"");
    let bytes = host.file("OWNPATH.COM").unwrap_or_default().to_vec();
    host.add("a long program name.com", &bytes);
    let output = run(host, "a long program name.com", &[]).1.output;
    assert!(output.starts_with(b"C:\\ALON~") && output.ends_with(b".COM"), "{output:?}");
    assert_eq!(output_of("./ownpath.com", &[], b"").1, "C:\\OWNPATH.COM");
}

#[test]
fn text_memory_is_shown_and_keys_come_to_a_full_screen_program() {
    let mut host = MemoryHost::new(b"\x1b[Aq");
    host.terminal = true;
    let (end, host) = run(host, "SCREEN.COM", &[]);
    assert_eq!(end, End::Exit(5));
    let output = String::from_utf8_lossy(&host.output).into_owned();
    let shown = output.find("\x1b[3;11H\x1b[0;97;44mfull screen");
    let key = output.find("\x1b[5;1H\x1b[0;37;40mU");
    assert!(shown.is_some() && shown < key, "{output:?}");
    assert!(output.ends_with("\x1b[?1049l"));
}

#[test]
fn a_loop_over_the_tick_count_ends_in_time() {
    let (end, host) = run(MemoryHost::new(b""), "TICKWAIT.COM", &[]);
    assert_eq!(end, End::Exit(0));
    // 99 to 100 ticks of 54.9 ms.
    assert!((5_437_000_000..5_600_000_000).contains(&host.now()), "{} ns", host.now());
}
