//! INT 2Fh: what is installed, and DOS's internal services.

use crate::probe::{Outcome, Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Di, Ds, Dx, Es, Flags, Si};

#[test]
fn what_is_not_there_says_so() {
    let mut p = Probe::new();
    // PRINT, ASSIGN, XMS, DOSKEY, APPEND, COMMAND.COM's extension.
    let calls = [0x0100, 0x0600, 0x4800, 0xb700, 0xae00]
        .map(|function| p.interrupt(0x2f, function, &[(Dx, 0xffff.into())]));
    let share = p.interrupt(0x2f, 0x1000, &[]);
    let windows = p.interrupt(0x2f, 0x1600, &[]);
    let high = p.interrupt(0x2f, 0x4a01, &[(Bx, 7.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(calls.map(|call| out.al(call)), [0; 5]);
    assert_eq!((out.al(share), out.al(windows)), (0xff, 0));
    assert_eq!((out.word(high, Bx), out.word(high, Es)), (0, 0xffff));
}

#[test]
fn f1680_rests() {
    let mut p = Probe::new();
    let idle = p.interrupt(0x2f, 0x1680, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(idle), out.host.idles), (0, 1));
}

#[test]
fn f12_works_on_strings_and_names() {
    let mut p = Probe::new();
    let [text, path] = ["12345", "a/b\\c"].map(|text| p.text(text));
    let to = p.space(16);
    let installed = p.interrupt(0x2f, 0x1200, &[]);
    let len = p.interrupt(0x2f, 0x1212, &[(Es, Value::Own), (Di, text.into())]);
    let source = p.interrupt(0x2f, 0x1225, &[(Si, text.into())]);
    p.interrupt(0x2f, 0x1211, &[(Si, path.into()), (Es, Value::Own), (Di, to.into())]);
    let same = p.interrupt(0x2f, 0x121e, &[(Si, path.into()), (Es, Value::Own), (Di, to.into())]);
    let differs =
        p.interrupt(0x2f, 0x121e, &[(Si, path.into()), (Es, Value::Own), (Di, text.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.al(installed), 0xff);
    // The length counts the terminating 0.
    assert_eq!((out.word(len, Cx), out.word(source, Cx)), (6, 6));
    assert_eq!(out.text(to), "A\\B\\C");
    assert_eq!((out.word(same, Flags) & 0x40, out.word(differs, Flags) & 0x40), (0x40, 0));
}

#[test]
fn f1216_f1220_lead_from_a_handle_to_its_file() {
    let mut p = Probe::new();
    let name = p.text("there.txt");
    p.dos(0x3d40, &[(Dx, name.into())]);
    let at = p.interrupt(0x2f, 0x1220, &[(Bx, 5.into())]);
    let byte = p.peek(Value::After(at, Es), Value::After(at, Di), 1);
    let bad = p.interrupt(0x2f, 0x1220, &[(Bx, 99.into())]);
    // Entry 6 is the first behind AUX, CON, PRN and the three streams of this host.
    let entry = p.interrupt(0x2f, 0x1216, &[(Bx, 6.into())]);
    let file = p.peek(Value::After(entry, Es), Value::After(entry, Di), 0x3b);
    let outside = p.interrupt(0x2f, 0x1216, &[(Bx, 0x1ff.into())]);
    let mut host = MemoryHost::new(b"");
    host.add("there.txt", b"0123456789");
    let out = p.run(host);
    assert_eq!((out.result(bad), out.result(outside)), (Err(6), Err(6)));
    assert_eq!(out.bytes(byte, 1), [6]);
    // Table 01642: references, mode, size, position, name.
    let file_bytes = out.bytes(file, 0x3b);
    assert_eq!((out.data16(file), out.data16(file + 2)), (1, 0x40));
    assert_eq!((out.data16(file + 0x11), out.data16(file + 0x15)), (10, 0));
    assert_eq!(&file_bytes[0x20..0x2b], b"THERE   TXT");
}

#[test]
fn f122c_is_the_device_chain_and_f1203_dos_segment() {
    let mut p = Probe::new();
    let chain = p.interrupt(0x2f, 0x122c, &[]);
    let null = p.peek(Value::After(chain, Bx), Value::After(chain, Ax), 18);
    let segment = p.interrupt(0x2f, 0x1203, &[]);
    let lists = p.dos(0x5200, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(&out.bytes(null, 18)[10..], b"NUL     ");
    assert_eq!(out.word(segment, Ds), out.word(lists, Es));
}

/// Returns what the table at that place says of an error: MS-DOS 4.0 src/INC/MSGSERV.ASM,
/// `$M_FIND_SPECIFIED_MSG`.
fn text_of(out: &Outcome, table: u16, error: u16) -> Option<String> {
    let count = out.bytes(table + 3, 1)[0] as u16;
    let header = (0..count).map(|place| table + 4 + place * 4);
    let found = header.into_iter().find(|at| out.data16(*at) == error)?;
    let text = found + out.data16(found + 2);
    let len = out.bytes(text, 1)[0] as usize;
    Some(String::from_utf8_lossy(out.bytes(text + 1, len)).into_owned())
}

#[test]
fn f122e_has_tables_for_the_utilities_of_dos_4() {
    let mut p = Probe::new();
    let tables = [0u16, 2, 4].map(|which| {
        let table = p.interrupt(0x2f, 0x122e, &[(Dx, which.into())]);
        p.peek(Value::After(table, Es), Value::After(table, Di), 0x400)
    });
    let routine = p.interrupt(0x2f, 0x122e, &[(Dx, 8.into())]);
    let out = p.run(MemoryHost::new(b""));
    // RBIL table 02614: FF, version 4.0, how many follow; the errors are those of tables 01680 and
    // 02616.
    for table in tables {
        assert_eq!(out.bytes(table, 3), [0xff, 4, 0]);
    }
    let [errors, command_line, devices] = tables;
    assert_eq!(text_of(&out, errors, 2).as_deref(), Some("File not found"));
    assert_eq!(text_of(&out, errors, 0x57).as_deref(), Some("Invalid parameter"));
    assert_eq!(text_of(&out, command_line, 2).as_deref(), Some("Required parameter missing"));
    assert_eq!(text_of(&out, devices, 0x21).as_deref(), Some("Lock violation"));
    assert_eq!(text_of(&out, errors, 0x21), None);
    assert_ne!(out.word(routine, Es), 0);
}

#[test]
fn f1226_to_f1229_work_as_int21_does() {
    let mut p = Probe::new();
    let name = p.text("there.txt");
    let buffer = p.space(4);
    let open = p.interrupt(0x2f, 0x1226, &[(Cx, 0.into()), (Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let seek = [handle, (Reg::Bp, 0x4200.into()), (Cx, 0.into()), (Dx, 8.into())];
    p.interrupt(0x2f, 0x1228, &seek);
    let read = p.interrupt(0x2f, 0x1229, &[handle, (Cx, 4.into()), (Dx, buffer.into())]);
    let close = p.interrupt(0x2f, 0x1227, &[handle]);
    let mut host = MemoryHost::new(b"");
    host.add("there.txt", b"0123456789");
    let out = p.run(host);
    assert_eq!((out.result(read), out.bytes(buffer, 2)), (Ok(2), &b"89"[..]));
    assert!(out.result(close).is_ok());
    assert_eq!(out.host.open, 0);
}
