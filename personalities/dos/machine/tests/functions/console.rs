//! Functions 01 to 0C: characters and lines.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Bx, Cx, Dx};
use dos_machine::{End, Session};

#[test]
fn f02_f06_f09_print_and_leave_the_last_character_in_al() {
    let mut p = Probe::new();
    let text = p.bytes(b"lo$ not this");
    let put = p.dos(0x0200, &[(Reg::Dx, u16::from(b'H').into())]);
    p.dos(0x0600, &[(Reg::Dx, u16::from(b'e').into())]);
    p.dos(0x0200, &[(Reg::Dx, u16::from(b'l').into())]);
    let string = p.dos(0x0900, &[(Reg::Dx, text.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.host.output, b"Hello");
    assert_eq!((out.al(put), out.al(string)), (b'H', b'$'));
}

#[test]
fn f01_echoes_and_f07_f08_do_not() {
    let mut p = Probe::new();
    let calls = [p.dos(0x0100, &[]), p.dos(0x0700, &[]), p.dos(0x0800, &[]), p.dos(0x0800, &[])];
    let out = p.run(MemoryHost::new(b"abc"));
    assert_eq!(calls.map(|call| out.al(call)), [b'a', b'b', b'c', 0x1a]);
    assert_eq!(out.host.output, b"a");
}

#[test]
fn f06_input_tells_by_zf_whether_there_was_a_character() {
    let mut p = Probe::new();
    let there = p.dos(0x0600, &[(Reg::Dx, 0xff.into())]);
    let out = p.run(MemoryHost::new(b"x"));
    assert_eq!(out.al(there), b'x');
    assert_eq!(out.word(there, Reg::Flags) & 0x40, 0);
    let mut p = Probe::new();
    let none = p.dos(0x0600, &[(Reg::Dx, 0xff.into())]);
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.interrupt_at = Some(1 << 60);
    let out = p.run(host);
    assert_eq!((out.al(none), out.word(none, Reg::Flags) & 0x40), (0, 0x40));
}

#[test]
fn f0a_stores_the_count_without_cr_and_the_line_with_it() {
    let mut p = Probe::new();
    let buffer = p.bytes(&[6, 0, 9, 9, 9, 9, 9, 9, 9]);
    p.dos(0x0a00, &[(Reg::Dx, buffer.into())]);
    let rest = p.dos(0x0c0a, &[(Reg::Dx, buffer.into())]);
    let out = p.run(MemoryHost::new(b"abc\r\nlonger\r\n"));
    // The second line is cut to five characters and CR.
    assert_eq!(out.bytes(buffer, 8), b"\x06\x05longe\r");
    assert_eq!(out.al(rest), 0x0a);
}

#[test]
fn f0a_with_a_buffer_of_no_length_reads_nothing() {
    let mut p = Probe::new();
    let buffer = p.bytes(&[0, 9, 9]);
    p.dos(0x0a00, &[(Reg::Dx, buffer.into())]);
    let next = p.dos(0x0100, &[]);
    let out = p.run(MemoryHost::new(b"ab"));
    assert_eq!(out.bytes(buffer, 3), [0, 9, 9]);
    assert_eq!(out.al(next), b'a');
}

#[test]
fn f0b_tells_whether_there_is_input() {
    let mut p = Probe::new();
    let there = p.dos(0x0b00, &[]);
    let out = p.run(MemoryHost::new(b"x"));
    assert_eq!(out.al(there), 0xff);
}

#[test]
fn f0c_with_another_function_only_flushes() {
    let mut p = Probe::new();
    let flush = p.dos(0x0c00, &[]);
    let read = p.dos(0x0c08, &[]);
    let out = p.run(MemoryHost::new(b"y"));
    assert_eq!((out.al(flush), out.al(read)), (0, b'y'));
}

#[test]
fn f03_reads_nothing_from_aux_and_f04_f05_do_not_fail() {
    let mut p = Probe::new();
    let read = p.dos(0x0300, &[]);
    p.dos(0x0400, &[(Reg::Dx, 0x41.into())]);
    for byte in b"paper" {
        p.dos(0x0500, &[(Reg::Dx, u16::from(*byte).into())]);
    }
    let mut host = MemoryHost::new(b"");
    host.add_directory("tmp");
    let out = p.run(host);
    assert_eq!(out.al(read), 0x1a);
    assert_eq!(out.host.read_path("tmp/printer.txt").as_deref(), Some(&b"paper"[..]));
}

/// RBIL INT 17/AH=00, 02: the first printer prints and is ready, of others nothing is told; PORTS.LST 0378:
/// a byte on the data lines is taken with the strobe.
#[test]
fn the_bios_and_the_port_print_on_paper() {
    let mut p = Probe::new();
    let printed = p.interrupt(0x17, u16::from(b'a'), &[(Reg::Dx, 0.into())]);
    let [status, other] =
        [0, 1].map(|port: u16| p.interrupt(0x17, 0x0200, &[(Reg::Dx, port.into())]));
    let port = p.peek(0x40.into(), 8.into(), 2);
    let mut host = MemoryHost::new(b"");
    host.add_directory("tmp");
    // mov dx, 378, mov al, 'b', out dx, al; inc dx, inc dx, mov al, 0d, out dx, al; int 20.
    host.add("port.com", b"\xba\x78\x03\xb0b\xee\x42\x42\xb0\x0d\xee\xcd\x20");
    let out = p.run(host);
    assert_eq!([printed, status, other].map(|call| out.ax(call) >> 8), [0x90, 0x90, 0x02]);
    assert_eq!(out.data16(port), 0x378);
    let (_, host) = crate::support::run(out.host, "port.com", &[]);
    assert_eq!(host.read_path("tmp/printer.txt").as_deref(), Some(&b"ab"[..]));
}

/// AUX is the file that a start names: AH=04 and handle 3 append to it.
#[test]
fn f04_and_handle_3_send_to_the_file_of_aux() {
    // mov ah, 4, mov dl, 'x', int 21; mov ah, 40, mov bx, 3, mov cx, 2, mov dx, 100, int 21; int 20.
    let program =
        b"\xb4\x04\xb2x\xcd\x21\xb4\x40\xbb\x03\x00\xb9\x02\x00\xba\x00\x01\xcd\x21\xcd\x20";
    let mut host = MemoryHost::new(b"");
    host.add("send.com", program);
    host.add_directory("tmp");
    let mut start = crate::support::start("send.com", &[]);
    start.auxiliary = b"/tmp/line".to_vec();
    let mut session = Session::new(host);
    assert_eq!(session.run(&start), End::Exit(0));
    let sent = session.into_host().read_path("tmp/line");
    assert_eq!(sent.as_deref(), Some(&b"x\xb4\x04"[..]));
}

/// AH=02 prints where handle 1 leads (RBIL INT 21/AH=02: standard output).
#[test]
fn f02_prints_on_paper_where_handle_1_is_prn() {
    let mut p = Probe::new();
    p.dos(0x4600, &[(Reg::Bx, 4.into()), (Reg::Cx, 1.into())]);
    p.dos(0x0200, &[(Reg::Dx, 0x41.into())]);
    let mut host = MemoryHost::new(b"");
    host.add_directory("tmp");
    let out = p.run(host);
    assert_eq!(out.host.read_path("tmp/printer.txt").as_deref(), Some(&b"A"[..]));
}

#[test]
fn int29_prints_al() {
    let mut p = Probe::new();
    p.interrupt(0x29, 0x0041, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.host.output, b"A");
}

/// RBIL INT 21/AH=02: tabs become blanks, and AL is one; MS-DOS 4.0's source, CPMIO2.ASM, CTRLOUT: control
/// characters take no column. Functions 06 and 40 print them as they are.
#[test]
fn f02_f09_print_blanks_for_tabs() {
    let mut p = Probe::new();
    let text = p.text("ab\x07\tc\r\n\t\x08\td$");
    p.dos(0x0200, &[(Dx, u16::from(b'x').into())]);
    let tab = p.dos(0x0200, &[(Dx, 9.into())]);
    p.dos(0x0900, &[(Dx, text.into())]);
    let direct = p.dos(0x0600, &[(Dx, 9.into())]);
    p.dos(0x4000, &[(Bx, 1.into()), (Cx, 4.into()), (Dx, text.into())]);
    let out = p.run(MemoryHost::new(b""));
    let expected = "x       ab\x07      c\r\n        \x08 d\tab\x07\t";
    assert_eq!(String::from_utf8_lossy(&out.host.output), expected);
    assert_eq!((out.al(tab), out.al(direct)), (0x20, 9));
}

/// MS-DOS 4.0's source, DISP.ASM: functions below 38h leave CF, and AX but for AL, where handle 1 is
/// closed; what they print to a file changes it as AH=40 does (AX=4400, bit 6: not written).
#[test]
fn f02_prints_to_files_as_f40_and_to_nothing_without_an_error() {
    let mut p = Probe::new();
    let name = p.text("OUT.TXT");
    let file = p.dos(0x3c00, &[(Reg::Cx, 0.into()), (Reg::Dx, name.into())]);
    p.dos(0x4600, &[(Reg::Bx, Value::After(file, Reg::Ax)), (Reg::Cx, 1.into())]);
    p.dos(0x0200, &[(Reg::Dx, u16::from(b'x').into())]);
    let told = p.dos(0x4400, &[(Reg::Bx, Value::After(file, Reg::Ax))]);
    p.dos(0x3e00, &[(Reg::Bx, 1.into())]);
    let lost = p.dos(0x0200, &[(Reg::Dx, u16::from(b'y').into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.host.file("OUT.TXT"), Some(&b"x"[..]));
    assert_eq!(out.word(told, Reg::Dx) & 0x40, 0);
    assert_eq!(out.result(lost).map(|ax| ax >> 8), Ok(2));
}

/// MS-DOS 4.0's source, STRIN.ASM, SAVCH, and CPMIO2.ASM, BUFOUT: with a caret, also from a file.
#[test]
fn f0a_shows_control_characters_of_its_line() {
    let mut p = Probe::new();
    let buffer = p.bytes(&[&[20, 0][..], &[0; 20]].concat());
    p.dos(0x0a00, &[(Dx, buffer.into())]);
    let out = p.run(MemoryHost::new(b"a\x1a\x14b\r\n"));
    assert_eq!(out.bytes(buffer + 1, 6), b"\x04a\x1a\x14b\r");
    assert_eq!(out.host.output, b"a^Z\x14b\r");
}

/// Tabs may make more than 64 KiB of what AH=09 prints to a file; what is printed next is behind it.
#[test]
fn f09_prints_more_than_64_kib_of_tabs_to_a_file() {
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Reg::Es, Value::Own), (Bx, 0x1000.into())]);
    let name = p.text("OUT.TXT");
    let text = p.bytes(&[&[b'\t'; 9000][..], b"$"].concat());
    let file = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    p.dos(0x4600, &[(Bx, Value::After(file, Reg::Ax)), (Cx, 1.into())]);
    p.dos(0x0900, &[(Dx, text.into())]);
    p.dos(0x0200, &[(Dx, u16::from(b'x').into())]);
    let out = p.run(MemoryHost::new(b""));
    let printed = out.host.file("OUT.TXT").expect("it was made");
    assert_eq!((printed.len(), printed.last()), (72_001, Some(&b'x')));
}
