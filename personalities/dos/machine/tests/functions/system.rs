//! Functions 25, 2A to 30, 33 to 35, 37, 54: vectors, time, version, switches; and unknown ones.

use crate::probe::{Probe, Reg};
use crate::support::MemoryHost;
use Reg::{Bx, Cx, Ds, Dx, Es};

#[test]
fn f25_f35_set_and_get_vectors() {
    let mut p = Probe::new();
    p.dos(0x2560, &[(Ds, 0x1234.into()), (Dx, 0x5678.into())]);
    let vector = p.dos(0x3560, &[]);
    let memory = p.peek(0.into(), 0x180.into(), 4);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.word(vector, Es), out.word(vector, Bx)), (0x1234, 0x5678));
    assert_eq!(out.bytes(memory, 4), [0x78, 0x56, 0x34, 0x12]);
}

#[test]
fn f2a_f2c_tell_the_time() {
    let mut p = Probe::new();
    let date = p.dos(0x2a00, &[]);
    let time = p.dos(0x2c00, &[]);
    let out = p.run(MemoryHost::new(b""));
    // Tuesday, 2000-02-29, 12:34:56.
    assert_eq!((out.al(date), out.word(date, Cx), out.word(date, Dx)), (2, 2000, 0x021d));
    assert_eq!((out.word(time, Cx), out.word(time, Dx) >> 8), (0x0c22, 56));
}

#[test]
fn f2b_f2d_set_what_makes_sense() {
    let mut p = Probe::new();
    let set = p.dos(0x2b00, &[(Cx, 1999.into()), (Dx, 0x0c1f.into())]);
    let date = p.dos(0x2a00, &[]);
    let bad = [(1979, 0x0101), (2000, 0x0d01), (2000, 0x0100)]
        .map(|(year, day): (u16, u16)| p.dos(0x2b00, &[(Cx, year.into()), (Dx, day.into())]));
    let clock = p.dos(0x2d00, &[(Cx, 0x0102.into()), (Dx, 0x0304.into())]);
    let time = p.dos(0x2c00, &[]);
    let ticks = p.interrupt(0x1a, 0, &[]);
    let no_time = p.dos(0x2d00, &[(Cx, 0x1800.into()), (Dx, 0.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(set), out.al(clock), out.al(no_time)), (0, 0, 0xff));
    // 1999-12-31 was a Friday.
    assert_eq!((out.al(date), out.word(date, Cx), out.word(date, Dx)), (5, 1999, 0x0c1f));
    assert_eq!(bad.map(|call| out.al(call)), [0xff; 3]);
    assert_eq!((out.word(time, Cx), out.word(time, Dx) >> 8), (0x0102, 3));
    // 1:02:03.04 is 67,782 ticks after midnight (RBIL INT 1A/AH=00: 1,573,040 a day).
    let ticks = u32::from(out.word(ticks, Cx)) << 16 | u32::from(out.word(ticks, Dx));
    assert!((67_782..67_790).contains(&ticks), "{ticks}");
}

#[test]
fn f2b_knows_the_days_of_months() {
    let mut p = Probe::new();
    let days = [(1999, 0x021d), (2000, 0x021d), (2000, 0x041f), (2100, 0x0101)]
        .map(|(year, day): (u16, u16)| p.dos(0x2b00, &[(Cx, year.into()), (Dx, day.into())]));
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(days.map(|call| out.al(call)), [0xff, 0, 0xff, 0xff]);
}

#[test]
fn f2e_f54_keep_the_verify_flag() {
    let mut p = Probe::new();
    let old = p.dos(0x5400, &[]);
    p.dos(0x2e01, &[(Dx, 0.into())]);
    let new = p.dos(0x5400, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(old), out.al(new)), (0, 1));
}

#[test]
fn f30_is_5_0_and_f3306_the_true_version() {
    let mut p = Probe::new();
    let version = p.dos(0x3000, &[]);
    let place = p.dos(0x3001, &[]);
    let truth = p.dos(0x3306, &[]);
    let boot = p.dos(0x3305, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.ax(version), out.word(truth, Bx)), (0x0005, 0x0005));
    // BH: FF for Microsoft; with AL=01 bits 3 and 4 tell of ROM and high memory.
    assert_eq!((out.word(version, Bx) >> 8, out.word(place, Bx) >> 8), (0xff, 0));
    assert_eq!(out.word(boot, Dx) as u8, 3);
}

#[test]
fn f33_keeps_the_break_flag() {
    let mut p = Probe::new();
    p.dos(0x3301, &[(Dx, 1.into())]);
    let on = p.dos(0x3300, &[]);
    let swapped = p.dos(0x3302, &[(Dx, 0.into())]);
    let off = p.dos(0x3300, &[]);
    let bad = p.dos(0x33ff, &[]);
    let out = p.run(MemoryHost::new(b""));
    let states = [on, swapped, off].map(|call| out.word(call, Dx) as u8);
    assert_eq!((states, out.al(bad)), ([1, 1, 0], 0xff));
}

#[test]
fn f37_has_a_slash() {
    let mut p = Probe::new();
    let told = p.dos(0x3700, &[]);
    let bad = p.dos(0x37ff, &[]);
    // RBIL: 3702 gives DL=FF since DOS 3, devices being found with and without \DEV\.
    let devices = p.dos(0x3702, &[(Dx, 0.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(told), out.word(told, Dx) as u8, out.al(bad)), (0, b'/', 0xff));
    assert_eq!((out.al(devices), out.word(devices, Dx) as u8), (0, 0xff));
}

#[test]
fn functions_that_are_none_answer_zero() {
    let mut p = Probe::new();
    // RBIL: 18, 1D, 1E, 20 give AL=0.
    let old = [0x18, 0x1d, 0x1e, 0x20].map(|function: u16| p.dos(function << 8 | 0x55, &[]));
    let null = [0x61, 0x6b].map(|function: u16| p.dos(function << 8 | 0x55, &[]));
    // MS-DOS 4.0's source, DISP.ASM, BADCALL: beyond the last function AL=0, and CF stays.
    let set = p.dos(0x71ff, &[]);
    let new = [0x6d, 0x72, 0xff].map(|function: u16| p.dos(function << 8 | 0x55, &[]));
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(old.map(|call| out.al(call)), [0; 4]);
    assert_eq!(null.map(|call| out.al(call)), [0; 2]);
    // The function for long names has set CF before.
    assert!(out.result(set).is_err());
    assert_eq!(new.map(|call| out.ax(call)), [0x6d00, 0x7200, 0xff00]);
    assert_eq!(new.map(|call| out.result(call).is_err()), [true; 3]);
}

#[test]
fn int28_rests() {
    let mut p = Probe::new();
    p.interrupt(0x28, 0, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.host.idles, 1);
}

#[test]
fn a_font_of_eight_lines_makes_fifty_rows() {
    // RBIL INT 10/AX=1110: rows are recalculated; AX=1130: bytes per character, highest row.
    let mut p = Probe::new();
    p.interrupt(0x10, 0x1110, &[(Bx, 0x0800.into()), (Cx, 0.into()), (Dx, 0.into())]);
    let told = p.interrupt(0x10, 0x1130, &[(Bx, 0.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.word(told, Cx), out.word(told, Dx) as u8), (8, 49));
}
