//! Functions on drives: 0D, 0E, 19, 1B, 1C, 1F, 32, 36, 44/08 to 44/0F, 53, 5E, 5F, 69.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Bp, Bx, Cx, Ds, Dx, Es, Si};

#[test]
fn f0e_f19_select_and_tell() {
    let mut p = Probe::new();
    p.dos(0x0d00, &[]);
    let select = p.dos(0x0e00, &[(Dx, 2.into())]);
    let missing = p.dos(0x0e00, &[(Dx, 7.into())]);
    let current = p.dos(0x1900, &[]);
    let out = p.run(MemoryHost::new(b""));
    // AL is LASTDRIVE, at least 5 (RBIL INT 21/AH=0E).
    assert!(out.al(select) >= 5);
    assert_eq!((out.al(missing), out.al(current)), (out.al(select), 2));
}

#[test]
fn f1b_f1c_f36_agree_about_sizes() {
    let mut p = Probe::new();
    let info = p.dos(0x1b00, &[]);
    let media = p.peek(Value::After(info, Ds), Value::After(info, Bx), 1);
    let same = p.dos(0x1c00, &[(Dx, 3.into())]);
    let bad = p.dos(0x1c00, &[(Dx, 9.into())]);
    let space = p.dos(0x3600, &[(Dx, 0.into())]);
    let none = p.dos(0x3600, &[(Dx, 9.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(info), out.word(info, Cx)), (out.al(same), 512));
    assert_eq!((out.al(bad), out.ax(none)), (0xff, 0xffff));
    assert_eq!(out.bytes(media, 1), [0xf8]);
    // The host has 64 MiB, half of them free.
    let bytes = |clusters| out.ax(space) as u64 * 512 * out.word(space, clusters) as u64;
    assert_eq!((bytes(Dx), bytes(Bx)), (64 << 20, 32 << 20));
    assert_eq!(out.word(space, Dx), out.word(info, Dx));
}

#[test]
fn f1f_f32_point_at_the_drives_parameters() {
    let mut p = Probe::new();
    let first = p.dos(0x1f00, &[]);
    let block = p.peek(Value::After(first, Ds), Value::After(first, Bx), 0x21);
    let named = p.dos(0x3200, &[(Dx, 3.into())]);
    let bad = p.dos(0x3200, &[(Dx, 1.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(first), out.al(named), out.al(bad)), (0, 0, 0xff));
    assert_eq!(out.word(first, Bx), out.word(named, Bx));
    // RBIL table 01395: drive, unit, bytes of a sector.
    assert_eq!(out.bytes(block, 4), [2, 0, 0, 2]);
}

#[test]
fn f44_tells_what_a_drive_is() {
    let mut p = Probe::new();
    let calls = [0x4408, 0x4409, 0x440e].map(|f| p.dos(f, &[(Bx, 3.into())]));
    let bad = [0x4408, 0x4409, 0x440e, 0x4404].map(|f| p.dos(f, &[(Bx, 1.into())]));
    let handle = p.dos(0x440a, &[(Bx, 1.into())]);
    let out = p.run(MemoryHost::new(b""));
    // Fixed; not remote; one letter for it.
    assert_eq!((out.result(calls[0]), out.word(calls[1], Dx) & 0x1000), (Ok(1), 0));
    assert_eq!(out.al(calls[2]), 0);
    assert_eq!(bad.map(|call| out.result(call)), [Err(15); 4]);
    assert_eq!(out.word(handle, Dx) & 0x8000, 0);
}

#[test]
fn f440d_gives_parameters_and_serial_number_as_f69_does() {
    let mut p = Probe::new();
    let parameters = p.space(40);
    let [first, second] = [p.space(25), p.space(25)];
    let drive = (Bx, 3.into());
    let a = p.dos(0x440d, &[drive, (Cx, 0x0860.into()), (Dx, parameters.into())]);
    let b = p.dos(0x440d, &[drive, (Cx, 0x0866.into()), (Dx, first.into())]);
    let c = p.dos(0x6900, &[drive, (Dx, second.into())]);
    let bad = p.dos(0x440d, &[drive, (Cx, 0x0861.into()), (Dx, parameters.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert!([a, b, c].iter().all(|call| out.result(*call).is_ok()));
    assert_eq!(out.result(bad), Err(1));
    // Table 01560: device type 5 is a fixed disk; 512 bytes in a sector.
    assert_eq!((out.bytes(parameters, 2)[1], out.data16(parameters + 7)), (5, 512));
    assert_eq!(out.bytes(first, 25), out.bytes(second, 25));
    assert_eq!(&out.bytes(first, 25)[6..], b"KAMEN_C    FAT16   ");
}

#[test]
fn f53_converts_a_parameter_block() {
    let mut p = Probe::new();
    // A floppy of 1.44 MB: 512, 1, 1, 2, 224, 2880, F0, 9 (RBIL table 01663).
    let bios = p.bytes(&[0, 2, 1, 1, 0, 2, 0xe0, 0, 0x40, 0x0b, 0xf0, 9, 0]);
    let block = p.space(0x21);
    p.dos(0x5300, &[(Si, bios.into()), (Es, Value::Own), (Bp, block.into())]);
    let out = p.run(MemoryHost::new(b""));
    // First data sector 1 + 18 + 14, 2847 clusters, root directory at 19.
    let word = |offset| out.data16(block + offset);
    assert_eq!((word(2), word(0x0b), word(0x0d), word(0x11)), (512, 33, 2848, 19));
}

#[test]
fn f5e_f5f_know_of_no_network() {
    let mut p = Probe::new();
    let buffer = p.space(16);
    let name = p.dos(0x5e00, &[(Dx, buffer.into())]);
    let printer = p.dos(0x5e02, &[]);
    let list = p.dos(0x5f02, &[(Bx, 0.into())]);
    let other = p.dos(0x5f03, &[]);
    let out = p.run(MemoryHost::new(b""));
    // CH = 0: no name was set.
    assert!(out.result(name).is_ok() && out.word(name, Cx) >> 8 == 0);
    let ends = [printer, list, other].map(|call| out.result(call));
    assert_eq!(ends, [Err(1), Err(0x12), Err(1)]);
}

#[test]
fn int25_int26_are_refused_and_leave_the_flags_on_the_stack() {
    let mut p = Probe::new();
    let read = p.interrupt(0x25, 2, &[(Cx, 1.into()), (Dx, 0.into()), (Bx, 0x6000.into())]);
    let write = p.interrupt(0x26, 2, &[(Cx, 1.into()), (Dx, 0.into()), (Bx, 0x6000.into())]);
    let after = p.dos(0x3000, &[]);
    let out = p.run(MemoryHost::new(b""));
    // RBIL INT 25: CF, in AL drive not ready, in AH the attachment did not respond.
    assert_eq!((out.result(read), out.result(write)), (Err(0x8002), Err(0x8002)));
    assert_eq!(out.al(after), 5);
}
