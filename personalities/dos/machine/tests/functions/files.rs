//! Functions on handles: 3C to 46, 57, 5A to 5C, 67, 68, 6C.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Di, Dx, Si};

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("there.txt", b"0123456789");
    host
}

#[test]
fn f3c_creates_or_empties_and_gives_the_lowest_handle() {
    let mut p = Probe::new();
    let name = p.text("NEW.TXT");
    let there = p.text("THERE.TXT");
    let made = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    let emptied = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, there.into())]);
    let missing = p.text("NODIR\\X");
    let lost = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, missing.into())]);
    let out = p.run(host());
    // 0 to 4 are the standard handles.
    assert_eq!((out.result(made), out.result(emptied)), (Ok(5), Ok(6)));
    assert_eq!(out.result(lost), Err(3));
    assert_eq!(out.host.file("NEW.TXT"), Some(&b""[..]));
    assert_eq!(out.host.file("there.txt"), Some(&b""[..]));
}

#[test]
fn f3c_makes_a_file_with_attributes_and_refuses_read_only_ones() {
    let mut p = Probe::new();
    let name = p.text("HID.TXT");
    p.dos(0x3c00, &[(Cx, 0x07.into()), (Dx, name.into())]);
    let attributes = p.dos(0x4300, &[(Dx, name.into())]);
    let again = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    let write = p.dos(0x3d02, &[(Dx, name.into())]);
    let read = p.dos(0x3d00, &[(Dx, name.into())]);
    let out = p.run(host());
    assert_eq!(out.word(attributes, Cx), 0x27);
    assert_eq!((out.result(again), out.result(write)), (Err(5), Err(5)));
    assert!(out.result(read).is_ok());
}

#[test]
fn a_name_is_cut_to_eight_and_three() {
    let mut p = Probe::new();
    let long = p.text("verylongname.text");
    let short = p.text("VERYLONG.TEX");
    let made = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, long.into())]);
    let found = p.dos(0x3d00, &[(Dx, short.into())]);
    let out = p.run(host());
    assert_eq!((out.result(made), out.result(found)), (Ok(5), Ok(6)));
    assert!(out.host.file("VERYLONG.TEX").is_some());
}

#[test]
fn f3d_refuses_what_is_not_there_and_modes_that_are_not() {
    let mut p = Probe::new();
    let [missing, there] = ["NONE", "THERE.TXT"].map(|name| p.text(name));
    let absent = p.dos(0x3d00, &[(Dx, missing.into())]);
    let mode = p.dos(0x3d03, &[(Dx, there.into())]);
    let out = p.run(host());
    assert_eq!((out.result(absent), out.result(mode)), (Err(2), Err(0x0c)));
}

#[test]
fn f3e_closes_once() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let open = p.dos(0x3d00, &[(Dx, there.into())]);
    let close = p.dos(0x3e00, &[(Bx, Value::After(open, Ax))]);
    let again = p.dos(0x3e00, &[(Bx, Value::After(open, Ax))]);
    let out = p.run(host());
    assert!(out.result(close).is_ok());
    assert_eq!(out.result(again), Err(6));
    assert_eq!(out.host.open, 0);
}

#[test]
fn f3f_f40_f42_move_and_cut() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let buffer = p.space(16);
    let open = p.dos(0x3d02, &[(Dx, there.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let read = p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, buffer.into())]);
    let back = p.dos(0x4201, &[handle, (Cx, 0xffff.into()), (Dx, 0xfffe.into())]);
    p.dos(0x4000, &[handle, (Cx, 1.into()), (Dx, buffer.into())]);
    let end = p.dos(0x4202, &[handle, (Cx, 0.into()), (Dx, 0.into())]);
    let nothing = p.dos(0x3f00, &[handle, (Cx, 4.into()), (Dx, buffer.into())]);
    p.dos(0x4200, &[handle, (Cx, 0.into()), (Dx, 6.into())]);
    let cut = p.dos(0x4000, &[handle, (Cx, 0.into()), (Dx, buffer.into())]);
    let bad = p.dos(0x4203, &[handle]);
    let out = p.run(host());
    assert_eq!((out.result(read), out.bytes(buffer, 4)), (Ok(4), &b"0123"[..]));
    assert_eq!((out.ax(back), out.word(back, Dx)), (2, 0));
    assert_eq!((out.ax(end), out.result(nothing), out.result(cut)), (10, Ok(0), Ok(0)));
    assert_eq!(out.result(bad), Err(1));
    assert_eq!(out.host.file("there.txt"), Some(&b"010345"[..]));
}

#[test]
fn access_is_checked_by_handle() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let read = p.dos(0x3d00, &[(Dx, there.into())]);
    let write = p.dos(0x3d01, &[(Dx, there.into())]);
    let a = p.dos(0x4000, &[(Bx, Value::After(read, Ax)), (Cx, 1.into()), (Dx, there.into())]);
    let b = p.dos(0x3f00, &[(Bx, Value::After(write, Ax)), (Cx, 1.into()), (Dx, there.into())]);
    let c = p.dos(0x3f00, &[(Bx, 19.into()), (Cx, 1.into()), (Dx, there.into())]);
    let out = p.run(host());
    assert_eq!([a, b, c].map(|call| out.result(call)), [Err(5), Err(5), Err(6)]);
}

#[test]
fn f45_f46_share_a_position_and_redirect() {
    let mut p = Probe::new();
    let name = p.text("OUT.TXT");
    let text = p.bytes(b"to the file$");
    let make = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    let save = p.dos(0x4500, &[(Bx, 1.into())]);
    p.dos(0x4600, &[(Bx, Value::After(make, Ax)), (Cx, 1.into())]);
    p.dos(0x0900, &[(Dx, text.into())]);
    p.dos(0x4600, &[(Bx, Value::After(save, Ax)), (Cx, 1.into())]);
    p.dos(0x0200, &[(Dx, u16::from(b'!').into())]);
    let place = p.dos(0x4201, &[(Bx, Value::After(make, Ax)), (Cx, 0.into()), (Dx, 0.into())]);
    let out = p.run(host());
    assert_eq!(out.host.file("OUT.TXT"), Some(&b"to the file"[..]));
    assert_eq!(out.host.output, b"!");
    assert_eq!(out.ax(place), 11);
}

#[test]
fn output_is_redirected_by_writing_the_job_file_table() {
    let mut p = Probe::new();
    let name = p.text("OUT.TXT");
    let text = p.bytes(b"by hand$");
    p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    // The file has handle 5; its byte goes to handle 1's place (RBIL INT 21/AH=26, offset 18).
    let entry = p.peek(Value::Own, 0x1d.into(), 2);
    p.poke_data(Value::Own, 0x19.into(), entry, 1);
    p.dos(0x0900, &[(Dx, text.into())]);
    let out = p.run(host());
    assert_eq!(out.host.file("OUT.TXT"), Some(&b"by hand"[..]));
    assert_eq!(out.host.output, b"");
    assert_eq!(out.bytes(entry, 2)[1], 0xff);
}

#[test]
fn f57_keeps_time_and_date() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let open = p.dos(0x3d02, &[(Dx, there.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let old = p.dos(0x5700, &[handle]);
    p.dos(0x5701, &[handle, (Cx, 0x7bcd.into()), (Dx, 0x1a21.into())]);
    let new = p.dos(0x5700, &[handle]);
    let out = p.run(host());
    // 2000-02-29 12:34:56, packed: (20 << 9 | 2 << 5 | 29), (12 << 11 | 34 << 5 | 28).
    assert_eq!((out.word(old, Dx), out.word(old, Cx)), (0x285d, 0x645c));
    assert_eq!((out.word(new, Dx), out.word(new, Cx)), (0x1a21, 0x7bcd));
}

#[test]
fn f5a_makes_a_name_of_its_own_and_f5b_only_what_is_new() {
    let mut p = Probe::new();
    let path = p.bytes(b"C:\\\0             ");
    let there = p.text("THERE.TXT");
    let made = p.dos(0x5a00, &[(Cx, 0.into()), (Dx, path.into())]);
    let exists = p.dos(0x5b00, &[(Cx, 0.into()), (Dx, there.into())]);
    let out = p.run(host());
    assert_eq!((out.result(made), out.result(exists)), (Ok(5), Err(0x50)));
    let name = out.text(path);
    assert!(name.starts_with("C:\\") && name.len() > 3, "{name}");
    assert!(out.host.file(&name[3..]).is_some());
}

#[test]
fn f5c_locks_and_unlocks_exactly() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let open = p.dos(0x3d42, &[(Dx, there.into())]);
    let range = |al: u16, start: u16, len: u16| {
        let handle = (Bx, Value::After(open, Ax));
        let parts = [(Cx, 0.into()), (Dx, start.into()), (Si, 0.into()), (Di, len.into())];
        (0x5c00 | al, [vec![handle], parts.to_vec()].concat())
    };
    let mut call = |al, start, len| {
        let (function, registers) = range(al, start, len);
        p.dos(function, &registers)
    };
    let calls =
        [call(0, 0, 5), call(0, 4, 5), call(1, 0, 4), call(1, 0, 5), call(1, 0, 5), call(2, 0, 5)];
    let out = p.run(host());
    let ends = calls.map(|call| out.result(call).err());
    assert_eq!(ends, [None, Some(0x21), Some(0x21), None, Some(0x21), Some(1)]);
}

#[test]
fn what_another_session_locked_is_not_moved() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let open = p.dos(0x3d42, &[(Dx, there.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let read = p.dos(0x3f00, &[handle, (Cx, 1.into()), (Dx, there.into())]);
    let write = p.dos(0x4000, &[handle, (Cx, 1.into()), (Dx, there.into())]);
    let mut host = host();
    host.foreign_lock = host.node("there.txt");
    let out = p.run(host);
    assert_eq!((out.result(read), out.result(write)), (Err(0x21), Err(0x21)));
}

#[test]
fn f67_gives_room_for_more_handles() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    p.dos(0x4a00, &[(Reg::Es, Value::Own), (Bx, 0x1000.into())]);
    let more = p.dos(0x6700, &[(Bx, 40.into())]);
    let opens: Vec<usize> = (0..30).map(|_| p.dos(0x3d00, &[(Dx, there.into())])).collect();
    let out = p.run(host());
    assert!(out.result(more).is_ok());
    assert_eq!(out.result(opens[29]), Ok(34));
    assert_eq!(out.host.open, 0);
}

/// MS-DOS 4.0's source, HANDLE.ASM, $ExtHandle: each growth has a block of its own and frees the one
/// before; 20 handles or fewer are the table in the PSP again.
#[test]
fn f67_frees_the_table_it_leaves() {
    let mut p = Probe::new();
    let own = Value::Own;
    p.dos(0x4a00, &[(Reg::Es, own), (Bx, 0x1000.into())]);
    let free = |p: &mut Probe| p.dos(0x4800, &[(Bx, 0xffff.into())]);
    let before = free(&mut p);
    let sizes = [40, 60, 30, 5].map(|count: u16| {
        let set = p.dos(0x6700, &[(Bx, count.into())]);
        (set, p.peek(own, 0x32.into(), 2))
    });
    let table = p.peek(own, 0x34.into(), 2);
    let after = free(&mut p);
    let most = p.dos(0x6700, &[(Bx, 0xffff.into())]);
    let out = p.run(host());
    assert!(sizes.iter().all(|(set, _)| out.result(*set).is_ok()));
    assert_eq!(sizes.map(|(_, len)| out.data16(len)), [40, 60, 30, 20]);
    assert_eq!(out.data16(table), 0x18);
    assert_eq!(out.word(before, Bx), out.word(after, Bx));
    assert_eq!(out.result(most), Err(1));
}

/// There, chck_handles: error 4 where a handle is open that would be lost.
#[test]
fn f67_keeps_room_for_what_is_open() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    p.dos(0x4a00, &[(Reg::Es, Value::Own), (Bx, 0x1000.into())]);
    p.dos(0x6700, &[(Bx, 40.into())]);
    let opens: Vec<usize> = (0..17).map(|_| p.dos(0x3d00, &[(Dx, there.into())])).collect();
    let refused = p.dos(0x6700, &[(Bx, 21.into())]);
    p.dos(0x3e00, &[(Bx, 21.into())]);
    let set = p.dos(0x6700, &[(Bx, 21.into())]);
    let last = p.dos(0x3d00, &[(Dx, there.into())]);
    p.dos(0x3e00, &[(Bx, 20.into())]);
    let out = p.run(host());
    assert_eq!((out.result(opens[16]), out.result(refused)), (Ok(21), Err(4)));
    assert!(out.result(set).is_ok());
    assert_eq!(out.result(last), Err(4));
    assert_eq!(out.host.open, 0);
}

#[test]
fn twenty_handles_are_all_without_f67() {
    let mut p = Probe::new();
    let there = p.text("THERE.TXT");
    let opens: Vec<usize> = (0..16).map(|_| p.dos(0x3d00, &[(Dx, there.into())])).collect();
    let last = p.dos(0x3e00, &[(Bx, 19.into())]);
    let out = p.run(host());
    assert_eq!((out.result(opens[14]), out.result(opens[15])), (Ok(19), Err(4)));
    assert!(out.result(last).is_ok());
}

#[test]
fn f68_commits_open_handles_only() {
    let mut p = Probe::new();
    let good = p.dos(0x6800, &[(Bx, 1.into())]);
    let bad = p.dos(0x6800, &[(Bx, 9.into())]);
    let out = p.run(host());
    assert!(out.result(good).is_ok());
    assert_eq!(out.result(bad), Err(6));
}

#[test]
fn f6c_tells_what_it_did() {
    let mut p = Probe::new();
    let [there, new] = ["THERE.TXT", "NEW.TXT"].map(|name| p.text(name));
    let mut open = |name: u16, action: u16| {
        p.dos(0x6c00, &[(Bx, 2.into()), (Cx, 0.into()), (Dx, action.into()), (Si, name.into())])
    };
    let calls = [open(there, 1), open(there, 0x10), open(new, 1), open(new, 0x11), open(new, 2)];
    let out = p.run(host());
    let told = calls.map(|call| out.result(call).map(|_| out.word(call, Cx)));
    assert_eq!(told, [Ok(1), Err(0x50), Err(2), Ok(2), Ok(3)]);
}

#[test]
fn f44_tells_devices_from_files() {
    let mut p = Probe::new();
    let names = ["NUL", "CON", "PRN", "THERE.TXT"].map(|name| p.text(name));
    let opens = names.map(|name| p.dos(0x3d02, &[(Dx, name.into())]));
    let kinds = opens.map(|open| p.dos(0x4400, &[(Bx, Value::After(open, Ax))]));
    let raw = p.dos(0x4401, &[(Bx, Value::After(opens[0], Ax)), (Dx, 0x00a0.into())]);
    let now = p.dos(0x4400, &[(Bx, Value::After(opens[0], Ax))]);
    let file = p.dos(0x4401, &[(Bx, Value::After(opens[3], Ax)), (Dx, 0x00a0.into())]);
    let end = p.dos(0x4406, &[(Bx, Value::After(opens[3], Ax))]);
    let bad = p.dos(0x4400, &[(Bx, 99.into())]);
    let out = p.run(host());
    let bits = kinds.map(|kind| out.word(kind, Dx));
    // Bit 7 device, 2 NUL, 1 and 0 standard output and input, 6 clear in a file: written.
    assert_eq!((bits[0] & 0x84, bits[1] & 0x83, bits[2] & 0x80), (0x84, 0x83, 0x80));
    assert_eq!(bits[3] & 0xff, 0x42);
    assert!(out.result(raw).is_ok());
    assert_eq!(out.word(now, Dx) & 0x20, 0x20);
    assert_eq!((out.result(file), out.al(end), out.result(bad)), (Err(1), 0xff, Err(6)));
}

#[test]
fn prn_is_a_file_of_the_host() {
    let mut p = Probe::new();
    let name = p.text("PRN");
    let line = p.bytes(b"printed\r\n");
    let open = p.dos(0x3d01, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    for _ in 0..2 {
        p.dos(0x4000, &[handle, (Cx, 9.into()), (Dx, line.into())]);
    }
    p.dos(0x4000, &[(Bx, 4.into()), (Cx, 9.into()), (Dx, line.into())]);
    let mut host = host();
    host.add_directory("tmp");
    let out = p.run(host);
    let paper = out.host.read_path("tmp/printer.txt").unwrap_or_default();
    assert_eq!(paper, b"printed\r\n".repeat(3));
}

/// RBIL INT 21/AX=6C00: BX is the open mode, also of what is created.
#[test]
fn f6c_creates_for_the_access_asked_for() {
    let mut p = Probe::new();
    let name = p.text("NEW.TXT");
    let registers = [(Bx, 1.into()), (Cx, 0.into()), (Dx, 0x12.into()), (Si, name.into())];
    let made = p.dos(0x6c00, &registers);
    let handle = (Bx, Value::After(made, Ax));
    let write = p.dos(0x4000, &[handle, (Cx, 3.into()), (Dx, name.into())]);
    let read = p.dos(0x3f00, &[handle, (Cx, 3.into()), (Dx, name.into())]);
    let out = p.run(host());
    assert_eq!((out.result(write), out.result(read)), (Ok(3), Err(5)));
}

#[test]
fn a_file_that_cannot_be_begun_is_not_left_open() {
    let mut p = Probe::new();
    let name = p.text("THERE.TXT");
    let made = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, name.into())]);
    let mut host = host();
    host.failing_resize = true;
    let out = p.run(host);
    assert!(out.result(made).is_err());
    assert_eq!(out.host.open, 0);
}

/// MS-DOS 4.0's source: a buffer is taken from the paragraph that it begins in (HANDLE.ASM,
/// `Align_Buffer`), and what does not fit into 64 KiB from there is not transferred (DISK2.ASM,
/// `SETUP`).
#[test]
fn f3f_f40_go_on_behind_the_segment_and_do_not_wrap() {
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Reg::Es, Value::Own), (Bx, 0x1000.into())]);
    let [from, to] = ["LONG.BIN", "COPY.BIN"].map(|name| p.text(name));
    let block = p.dos(0x4800, &[(Bx, 0x2100.into())]);
    let open = p.dos(0x3d00, &[(Dx, from.into())]);
    let made = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, to.into())]);
    let mut call = |function, handle, offset: u16, len: u16| {
        let buffer = [(Reg::Ds, Value::After(block, Ax)), (Dx, offset.into()), (Cx, len.into())];
        p.dos(function, &[buffer.to_vec(), vec![(Bx, Value::After(handle, Ax))]].concat())
    };
    let read = call(0x3f00, open, 0xfff0, 0x20);
    let written = call(0x4000, made, 0xfff0, 0x20);
    let most = call(0x3f00, open, 8, 0xffff);
    let low = p.peek(Value::After(block, Ax), 0.into(), 4);
    let mut host = MemoryHost::new(b"");
    host.add("long.bin", &vec![7; 0x12000]);
    let out = p.run(host);
    assert_eq!([read, written, most].map(|call| out.ax(call)), [0x20, 0x20, 0xfff8]);
    assert_eq!(out.bytes(low, 4), [0; 4]);
    assert_eq!(out.host.file("COPY.BIN"), Some(&[7; 0x20][..]));
}

/// RBIL INT 21/AX=440C, CX=037F, table 01545: level 0, 14 bytes, columns at 0E and rows at 10. MORE of
/// MS-DOS 4.0 fills that many.
#[test]
fn f440c_tells_the_size_of_the_screen() {
    let mut p = Probe::new();
    let packet = p.bytes(&[0, 0, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let name = p.text("CON");
    let open = p.dos(0x3d02, &[(Dx, name.into())]);
    p.interrupt(0x10, 0x1112, &[(Bx, 0.into())]);
    let asked =
        p.dos(0x440c, &[(Bx, Value::After(open, Ax)), (Cx, 0x037f.into()), (Dx, packet.into())]);
    let out = p.run(host());
    assert!(out.result(asked).is_ok());
    assert_eq!((out.data16(packet + 0x0e), out.data16(packet + 0x10)), (80, 50));
}

/// RBIL INT 17: the state has bit 7 for not busy, 5 for no paper, 4 for selected, 3 and 0 for errors;
/// bits 14 and 15 of INT 11h count printers.
#[test]
fn int17_prints_where_prn_does() {
    let mut p = Probe::new();
    let prints = [b'H', b'i'].map(|letter| p.interrupt(0x17, letter.into(), &[(Dx, 0.into())]));
    let asks = [0x0100, 0x0200].map(|function| p.interrupt(0x17, function, &[(Dx, 0.into())]));
    let missing = p.interrupt(0x17, 0x0200, &[(Dx, 2.into())]);
    let equipment = p.interrupt(0x11, 0, &[]);
    let mut host = host();
    host.add_directory("tmp");
    let out = p.run(host);
    for call in prints.into_iter().chain(asks) {
        assert_eq!(out.ax(call) >> 8 & 0xb9, 0x90);
    }
    assert_eq!((out.ax(missing), out.ax(equipment) >> 14), (0x0200, 1));
    assert_eq!(out.host.read_path("tmp/printer.txt").unwrap_or_default(), b"Hi");
}
