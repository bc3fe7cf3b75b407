//! Function 59 and 5D0A, and interrupt 24h.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Ds, Dx, Es};
use dos_machine::End;

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("disk.txt", b"text");
    host
}

#[test]
fn f59_tells_class_action_and_locus() {
    let mut p = Probe::new();
    let name = p.text("NONE");
    p.dos(0x3d00, &[(Dx, name.into())]);
    p.dos(0x3000, &[]);
    let error = p.dos(0x5900, &[(Bx, 0.into())]);
    let out = p.run(host());
    // RBIL tables 01682 to 01684: not found, prompt the user, block device.
    assert_eq!((out.ax(error), out.word(error, Bx), out.word(error, Cx) >> 8), (2, 0x0803, 2));
}

#[test]
fn f5d0a_sets_what_f59_tells() {
    let mut p = Probe::new();
    let words: Vec<u8> = [0x1234u16, 0x0506, 0x0700, 0, 0, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let registers = p.bytes(&words);
    let set = p.dos(0x5d0a, &[(Dx, registers.into())]);
    let error = p.dos(0x5900, &[(Bx, 0.into())]);
    let out = p.run(host());
    assert!(out.result(set).is_ok());
    assert_eq!((out.ax(error), out.word(error, Bx), out.word(error, Cx) >> 8), (0x1234, 0x0506, 7));
}

/// RBIL INT 21/AX=5D00, table 01686: AX, BX, CX, DX, SI, DI, DS, ES, 0, computer, program. PRINT of
/// MS-DOS 4.0 opens its files so (PRINT_R.ASM, `TO_DOS`).
#[test]
fn f5d00_performs_the_function_in_its_list() {
    let mut p = Probe::new();
    let [there, missing] = ["DISK.TXT", "NONE"].map(|name| p.text(name));
    let segment = p.dos(0x6200, &[]);
    let mut call = |words: [u16; 4]| {
        let list = p.bytes(&words.map(u16::to_le_bytes).concat());
        p.bytes(&[0; 4]);
        let segments = p.space(4);
        p.space(6);
        for place in [segments, segments + 2] {
            p.poke_data(Value::Own, place.into(), Probe::place_of(segment, Bx), 2);
        }
        p.dos(0x5d00, &[(Dx, list.into())])
    };
    let opened = call([0x3d00, 0, 0, there]);
    let refused = call([0x3d00, 0, 0, missing]);
    let again = call([0x5d00, 0, 0, 0x5000]);
    let out = p.run(host());
    assert_eq!((out.result(opened), out.result(refused)), (Ok(5), Err(2)));
    assert_eq!(out.result(again), Err(1));
}

/// A program that opens and reads, with a handler of interrupt 24h that counts and answers, the
/// number of its read among the calls, and where the handler's count and error are.
fn with_handler(answer: u8) -> (Probe, usize, u16) {
    let mut p = Probe::new();
    let name = p.text("DISK.TXT");
    let buffer = p.space(8);
    let seen = p.space(2);
    let [low, high] = seen.to_le_bytes();
    // inc byte [cs:seen], mov [cs:seen + 1], di low, mov al, answer, iret
    let handler = p.bytes(&[
        0x2e,
        0xfe,
        0x06,
        low,
        high,
        0x89,
        0xf8,
        0x2e,
        0xa2,
        low + 1,
        high,
        0xb0,
        answer,
        0xcf,
    ]);
    p.dos(0x2524, &[(Dx, handler.into()), (Ds, Value::Own)]);
    let open = p.dos(0x3d00, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let read = p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, buffer.into())]);
    p.dos(0x5900, &[(Bx, 0.into())]);
    (p, read, seen)
}

/// The first reads of a run load the program; they succeed.
fn run(p: Probe, failing: u32) -> crate::probe::Outcome {
    let mut host = host();
    host.failing_after = Some((2, failing));
    p.run(host)
}

#[test]
fn int24_retry_reads_again() {
    let (p, read, seen) = with_handler(1);
    let out = run(p, 3);
    assert_eq!(out.result(read), Ok(4));
    // Three questions about error 0C, general failure.
    assert_eq!(out.bytes(seen, 2), [3, 0x0c]);
}

#[test]
fn int24_fail_is_error_53() {
    let (p, read, seen) = with_handler(3);
    let out = run(p, 1);
    assert!(out.result(read).is_err());
    assert_eq!(out.ax(read + 1), 0x53);
    assert_eq!(out.bytes(seen, 1), [1]);
}

#[test]
fn int24_abort_ends_the_program() {
    let (p, ..) = with_handler(2);
    let out = run(p, 1);
    assert_eq!(out.end, End::Exit(0));
    assert!(out.host.file("PROBE.OUT").is_none());
    assert_eq!(out.host.open, 0);
}

#[test]
fn without_handler_and_terminal_the_function_fails() {
    let mut p = Probe::new();
    let name = p.text("DISK.TXT");
    let open = p.dos(0x3d00, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let read = p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, name.into())]);
    let out = run(p, 1);
    assert!(out.result(read).is_err());
    assert_eq!(out.host.output, b"");
}

#[test]
fn without_a_handler_a_person_is_asked() {
    let mut p = Probe::new();
    let name = p.text("DISK.TXT");
    let open = p.dos(0x3d00, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let buffer = p.space(4);
    let read = p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, buffer.into())]);
    let mut host = MemoryHost::new(b"xr");
    host.add("disk.txt", b"text");
    host.terminal = true;
    host.failing_after = Some((2, 1));
    let out = p.run(host);
    assert_eq!(out.result(read), Ok(4));
    let shown = String::from_utf8_lossy(&out.host.output).into_owned();
    assert_eq!(shown.matches("Abort, Retry, Fail? ").count(), 1, "{shown}");
}

/// Reads a record by an FCB, as `with_handler`; returns the calls of opening and reading.
fn fcb_with_handler(answer: u8) -> (Probe, [usize; 2], u16) {
    let (mut p, _, seen) = with_handler(answer);
    let block = p.bytes(&[&b"\0DISK    TXT"[..], &[0; 25]].concat());
    let open = p.dos(0x0f00, &[(Dx, block.into())]);
    let read = p.dos(0x1400, &[(Dx, block.into())]);
    p.dos(0x1000, &[(Dx, block.into())]);
    (p, [open, read], seen)
}

/// RBIL INT 24: functions on FCBs ask as well; a read that is to fail is an end of file.
#[test]
fn int24_is_asked_by_functions_on_fcbs() {
    for (answer, bad, al, asked) in [(1, 2, 3, 2), (3, 1, 1, 1), (0, 1, 0, 1)] {
        let (p, [open, read], seen) = fcb_with_handler(answer);
        let mut host = host();
        // Two reads load the program, one is that by the handle.
        host.failing_after = Some((3, bad));
        let out = p.run(host);
        assert_eq!((out.al(open), out.al(read)), (0, al), "answer {answer}");
        assert_eq!(out.bytes(seen, 2), [asked, 0x0c]);
    }
}

/// A program with a handler that keeps AH, the error and two characters of the device's name, and lets
/// the function fail; and where these are.
fn with_telling_handler() -> (Probe, u16) {
    let mut p = Probe::new();
    let seen = p.space(4);
    // mov [cs:seen], ah; mov es, bp; mov ax, [es:si + 0A]; mov [cs:seen + 2], ax; mov ax, di;
    // mov [cs:seen + 1], al; mov al, 3; iret
    let [[a, b], [c, d], [e, f]] = [0, 2, 1].map(|at| (seen + at).to_le_bytes());
    #[rustfmt::skip]
    let handler = p.bytes(&[
        0x2e, 0x88, 0x26, a, b, 0x8e, 0xc5, 0x26, 0x8b, 0x44, 0x0a, 0x2e, 0xa3, c, d,
        0x89, 0xf8, 0x2e, 0xa2, e, f, 0xb0, 3, 0xcf,
    ]);
    p.dos(0x2524, &[(Dx, handler.into()), (Ds, Value::Own)]);
    (p, seen)
}

/// RBIL INT 24: bit 7 of AH and the header at BP:SI tell of a character device, 0A in DI of a fault in
/// writing.
#[test]
fn int24_tells_which_device_failed() {
    let (mut p, seen) = with_telling_handler();
    let text = p.text("text$");
    let handle = p.dos(0x4000, &[(Bx, 4.into()), (Cx, 4.into()), (Dx, text.into())]);
    let first = p.peek(Value::Own, seen.into(), 4);
    p.poke(Value::Own, seen.into(), &[0; 4]);
    let character = p.dos(0x0500, &[(Dx, 0x41.into())]);
    let second = p.peek(Value::Own, seen.into(), 4);
    // Nowhere is a directory for the printer's file.
    let out = p.run(host());
    assert!(out.result(handle).is_err());
    for seen in [first, second] {
        let [ah, error, rest @ ..] = out.bytes(seen, 4) else { unreachable!() };
        assert_eq!((ah & 0x81, *error, rest), (0x81, 0x0a, &b"PR"[..]));
    }
    assert_eq!(out.ax(character) >> 8, 5);
}

/// The same told to a person, as MS-DOS does: "Write fault error writing device PRN".
#[test]
fn a_person_is_told_which_device_failed() {
    let mut p = Probe::new();
    p.dos(0x0500, &[(Dx, 0x41.into())]);
    let mut host = MemoryHost::new(b"f");
    host.terminal = true;
    let out = p.run(host);
    let shown = String::from_utf8_lossy(&out.host.output).into_owned();
    assert!(shown.contains("Write fault error writing device PRN"), "{shown}");
}

/// And of CON, where the terminal fails: 0C is a general failure.
#[test]
fn int24_tells_of_the_console() {
    let (mut p, seen) = with_telling_handler();
    p.dos(0x0800, &[]);
    let mut host = MemoryHost::new(b"x");
    host.terminal = true;
    host.failing_input = 1;
    let out = p.run(host);
    let [ah, error, rest @ ..] = out.bytes(seen, 4) else { unreachable!() };
    assert_eq!((ah & 0x81, *error, rest), (0x80, 0x0c, &b"CO"[..]));
}

/// RBIL INT 24, and MS-DOS 4.0's source, RUCODE.ASM, BLKERR: bit 15 of the attributes at BP:SI tells drives
/// from devices; the drive's parameter block leads to the same header, which is in the chain.
#[test]
fn int24_tells_of_a_drive() {
    let (mut p, seen) = with_telling_handler();
    let name = p.text("DISK.TXT");
    let open = p.dos(0x3d00, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, name.into())]);
    let block = p.dos(0x3200, &[(Dx, 3.into())]);
    let pointer = p.peek(Value::After(block, Ds), Value::After(block, Bx), 0x17);
    let lists = p.dos(0x5200, &[]);
    let table = p.peek(Value::After(lists, Es), 0.into(), 0x800);
    let out = run(p, 1);
    let [ah, error, units, name] = out.bytes(seen, 4) else { unreachable!() };
    assert_eq!((ah & 0x80, *error, *units, *name), (0, 0x0c, 1, 0));
    let (offset, segment) = (out.data16(pointer + 0x13), out.data16(pointer + 0x15));
    assert_eq!(segment, out.word(lists, Es));
    // From NUL on: next, attributes, two routines, name.
    let mut header = out.word(lists, Bx) + 0x22;
    let mut chain = Vec::new();
    while header != 0xffff {
        chain.push((header, out.data16(table + header + 4) & 0x8000));
        header = out.data16(table + header);
    }
    let blocks: Vec<_> = chain.iter().filter(|(_, character)| *character == 0).collect();
    assert_eq!(blocks, [&(offset, 0)]);
}
