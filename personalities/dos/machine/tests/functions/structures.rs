//! Functions 34, 50 to 52, 5D06, 62: the tables that programs read.

use crate::probe::{Outcome, Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Ds, Dx, Es, Si};

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add_directory("sub");
    host
}

fn far(out: &Outcome, at: u16) -> (u16, u16) {
    (out.data16(at + 2), out.data16(at))
}

#[test]
fn f52_leads_to_the_first_memory_block_devices_and_drives() {
    let mut p = Probe::new();
    let lists = p.dos(0x5200, &[]);
    let (segment, offset) = (Value::After(lists, Es), Value::After(lists, Bx));
    let table = p.peek(segment, offset, 0x47);
    let before = p.peek(segment, 0x24.into(), 2);
    let out = p.run(host());
    assert_eq!(out.word(lists, Bx), 0x26);
    // RBIL table 01627: 10 sector size, 20 block devices, 21 LASTDRIVE, 22 NUL's header.
    assert_eq!((out.data16(table + 0x10), out.bytes(table + 0x20, 1)), (512, &[1][..]));
    assert!((5..=26).contains(&out.bytes(table + 0x21, 1)[0]));
    assert_eq!(out.bytes(table + 0x2c, 8), b"NUL     ");
    assert!(out.data16(before) > 0x60);
    // 43 boot drive, 45 KiB of extended memory, which MEM of MS-DOS 4.0 tells if it is not 0.
    assert_eq!((out.bytes(table + 0x43, 1), out.data16(table + 0x45)), (&[3][..], 4096));
    for offset in [0, 4, 8, 0x0c, 0x16, 0x1a] {
        assert_ne!(far(&out, table + offset), (0, 0), "{offset:x}");
    }
}

#[test]
fn the_chain_of_memory_blocks_ends_where_upper_memory_is_linked() {
    let mut p = Probe::new();
    let lists = p.dos(0x5200, &[]);
    let before = p.peek(Value::After(lists, Es), 0x24.into(), 2);
    let first = p.run(host()).data16(before);
    let (mut control, mut owners) = (first, Vec::new());
    loop {
        let mut p = Probe::new();
        let block = p.peek(control.into(), 0.into(), 16);
        let own = p.dos(0x6200, &[]);
        let out = p.run(host());
        let bytes = out.bytes(block, 16);
        owners.push((out.data16(block + 1), bytes[8..16].to_vec(), out.word(own, Bx)));
        control += out.data16(block + 3) + 1;
        match bytes[0] {
            b'M' => {}
            kind => break assert_eq!((kind, control), (b'Z', 0x9fff)),
        }
    }
    let own = owners.iter().filter(|(owner, _, psp)| owner == psp).collect::<Vec<_>>();
    // Environment and program; the program's block carries its name.
    assert_eq!(own.len(), 2, "{owners:x?}");
    assert!(own.iter().any(|(_, name, _)| name.starts_with(b"PROBE\0")));
}

#[test]
fn the_current_directory_structure_follows() {
    let mut p = Probe::new();
    let sub = p.text("SUB");
    let lists = p.dos(0x5200, &[]);
    let pointer = p.peek(Value::After(lists, Es), 0x3c.into(), 4);
    p.dos(0x3b00, &[(Dx, sub.into())]);
    let out = p.run(host());
    let (segment, offset) = far(&out, pointer);
    let mut p = Probe::new();
    let sub = p.text("SUB");
    p.dos(0x3b00, &[(Dx, sub.into())]);
    // Table 01643: 58h bytes a drive; path, flags at 43 (4000: a drive), parameters at 45.
    let structure = p.peek(segment.into(), (offset + 2 * 0x58).into(), 0x58);
    let out = p.run(host());
    assert_eq!(out.text(structure), "C:\\SUB");
    assert_eq!(out.data16(structure + 0x43) & 0x4000, 0x4000);
    assert_eq!(out.data16(structure + 0x4f), 2);
}

#[test]
fn the_device_chain_has_all_devices() {
    let mut p = Probe::new();
    let chain = p.interrupt(0x2f, 0x122c, &[]);
    let mut next = p.peek(Value::After(chain, Bx), Value::After(chain, Ax), 18);
    let out = p.run(host());
    let mut names = vec![out.bytes(next, 18)[10..].to_vec()];
    let mut at = far(&out, next);
    while at.1 != 0xffff {
        let mut p = Probe::new();
        next = p.peek(at.0.into(), at.1.into(), 18);
        let out = p.run(host());
        names.push(out.bytes(next, 18)[10..].to_vec());
        at = far(&out, next);
    }
    for name in [b"NUL     ", b"CON     ", b"AUX     ", b"PRN     ", b"CLOCK$  ", b"LPT1    "] {
        assert!(names.iter().any(|known| known == name));
    }
}

#[test]
fn f5d06_is_where_psp_transfer_area_and_drive_are() {
    let mut p = Probe::new();
    let area = p.dos(0x5d06, &[]);
    let (segment, offset) = (Value::After(area, Ds), Value::After(area, Si));
    let transfer = p.space(43);
    p.dos(0x1a00, &[(Dx, transfer.into())]);
    let copy = p.peek(segment, offset, 0x18);
    let own = p.dos(0x6200, &[]);
    let flag = p.dos(0x3400, &[]);
    let out = p.run(host());
    assert!(out.result(area).is_ok());
    assert!(out.word(area, Cx) >= out.word(area, Dx) && out.word(area, Dx) >= 0x18);
    // Table 01690: 0C transfer area, 10 PSP, 16 drive; the InDOS flag is its second byte.
    let psp = out.word(own, Bx);
    assert_eq!(far(&out, copy + 0x0c), (psp, transfer));
    assert_eq!((out.data16(copy + 0x10), out.bytes(copy + 0x16, 1)), (psp, &[2][..]));
    assert_eq!(out.word(flag, Bx), out.word(area, Si) + 1);
    assert_eq!(out.word(flag, Es), out.word(area, Ds));
}

#[test]
fn f5d0b_lists_the_swappable_areas() {
    let mut p = Probe::new();
    let area = p.dos(0x5d06, &[]);
    let list = p.dos(0x5d0b, &[]);
    let table = p.peek(Value::After(list, Ds), Value::After(list, Si), 14);
    let out = p.run(host());
    assert!(out.result(list).is_ok());
    // RBIL INT 21/AX=5D0B: count; address, length and bit 15 for always, of each.
    assert_eq!(out.data16(table), 2);
    assert_eq!(far(&out, table + 2), (out.word(area, Ds), out.word(area, Si)));
    let (always, rest) = (out.data16(table + 6), out.data16(table + 12));
    assert_eq!((always, always & 0x7fff), (out.word(area, Dx) | 0x8000, out.word(area, Dx)));
    assert_eq!((always & 0x7fff) + rest, out.word(area, Cx));
}

/// A driver's routines, called as PRINT of MS-DOS 4.0 does (PRINT_R.ASM, `DOCALL`): ES:BX at the request,
/// DS:SI at the header, first the strategy routine, then the interrupt routine.
#[test]
fn the_drivers_of_devices_perform_requests() {
    let mut p = Probe::new();
    let chain = p.interrupt(0x2f, 0x122c, &[]);
    let null = p.peek(Value::After(chain, Bx), Value::After(chain, Ax), 4);
    let out = p.run(host());
    let (segment, console) = far(&out, null);
    // Headers of 18 bytes, in the order CON, AUX, PRN.
    let header = console + 2 * 18;
    let mut p = Probe::new();
    let name = p.peek(segment.into(), (header + 10).into(), 8);
    let routines = p.peek(segment.into(), (header + 6).into(), 4);
    let text = p.bytes(b"paper");
    let request = p.bytes(&[22, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let [low, high] = text.to_le_bytes();
    p.bytes(&[low, high]);
    let own = p.space(2);
    p.bytes(&[5, 0, 0, 0]);
    let status = p.bytes(&[22, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let read = p.bytes(&[22, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    let unknown = p.bytes(&[22, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let psp = p.dos(0x6200, &[]);
    p.poke_data(Value::Own, own.into(), Probe::place_of(psp, Bx), 2);
    // An interrupt's handler calls the routines, whose addresses are in the program: an own INT 60h.
    let [seg_low, seg_high] = segment.to_le_bytes();
    let handler = p.bytes(&[
        0x2e, 0xff, 0x1e, 0, 0, // call far [cs:strategy]
        0x2e, 0xff, 0x1e, 0, 0,    // call far [cs:interrupt]
        0xcf, // iret
    ]);
    let pointers = p.bytes(&[0, 0, seg_low, seg_high, 0, 0, seg_low, seg_high]);
    p.poke_data(Value::Own, pointers.into(), routines, 2);
    p.poke_data(Value::Own, (pointers + 4).into(), routines + 2, 2);
    p.poke(Value::Own, (handler + 3).into(), &pointers.to_le_bytes());
    p.poke(Value::Own, (handler + 8).into(), &(pointers + 4).to_le_bytes());
    p.dos(0x2560, &[(Dx, handler.into())]);
    // The fifth is the drives'.
    let drives = console + 4 * 18;
    for (request, header) in
        [(request, header), (status, header), (unknown, header), (read, drives)]
    {
        let at = [(Bx, request.into()), (Es, Value::Own), (Si, header.into())];
        p.interrupt(0x60, 0, &[&at[..], &[(Ds, segment.into())]].concat());
    }
    let mut host = host();
    host.add_directory("tmp");
    let out = p.run(host);
    assert_eq!(out.bytes(name, 8), b"PRN     ");
    assert_eq!(out.host.read_path("tmp/printer.txt").unwrap_or_default(), b"paper");
    // Bit 8 done, 9 busy, 15 error; error 2 not ready, 3 an unknown command.
    let states = [request, status, unknown, read].map(|request| out.data16(request + 3));
    assert_eq!(states, [0x0100, 0x0100, 0x8103, 0x8102]);
}

#[test]
fn what_is_written_into_the_swappable_area_counts() {
    let mut p = Probe::new();
    let area = p.dos(0x5d06, &[]);
    let out = p.run(host());
    let (segment, offset) = (out.word(area, Ds), out.word(area, Si));
    let mut p = Probe::new();
    p.poke(segment.into(), (offset + 0x0c).into(), &[0x34, 0x12, 0x78, 0x56]);
    let transfer = p.dos(0x2f00, &[]);
    let out = p.run(host());
    assert_eq!((out.word(transfer, Es), out.word(transfer, Bx)), (0x5678, 0x1234));
}

#[test]
fn f50_f51_f62_change_and_tell_the_current_program() {
    let mut p = Probe::new();
    let own = p.dos(0x5100, &[]);
    p.dos(0x5000, &[(Bx, 0x2345.into())]);
    let other = p.dos(0x6200, &[]);
    p.dos(0x5000, &[(Bx, Value::After(own, Bx))]);
    let again = p.dos(0x6200, &[]);
    let out = p.run(host());
    assert_eq!(out.word(other, Bx), 0x2345);
    assert_eq!(out.word(own, Bx), out.word(again, Bx));
}

#[test]
fn the_psp_is_as_documented() {
    let mut p = Probe::new();
    p.argument("one.txt");
    p.argument("/x");
    let psp = p.peek(Value::Own, 0.into(), 256);
    let own = p.dos(0x6200, &[]);
    let out = p.run(host());
    // RBIL INT 21/AH=26, table 01378.
    let bytes = out.bytes(psp, 256);
    assert_eq!((&bytes[..2], bytes[5]), (&[0xcd, 0x20][..], 0x9a));
    assert_eq!(out.data16(psp + 2), 0x9fff);
    assert_eq!(&bytes[0x1d..0x2c], [0xff; 15]);
    assert_eq!((out.data16(psp + 0x32), far(&out, psp + 0x34)), (20, (out.word(own, Bx), 0x18)));
    assert_eq!((bytes[0x40], bytes[0x41]), (5, 0));
    assert_eq!(&bytes[0x50..0x53], [0xcd, 0x21, 0xcb]);
    assert_eq!(&bytes[0x5c..0x68], b"\0ONE     TXT");
    assert_eq!(&bytes[0x80..0x8d], b"\x0b one.txt /x\r");
    assert_ne!(out.data16(psp + 0x2c), 0);
}

/// What DOS keeps where programs can write it is taken for what it may be: the current drive (RBIL table
/// 01690, offset 16), and how far a search has gone.
#[test]
fn values_of_memory_that_make_no_sense_end_nothing() {
    let mut p = Probe::new();
    let name = p.text("NUL");
    let all = p.text("*.*");
    let (full, area) = (p.space(128), p.space(43));
    p.dos(0x1a00, &[(Dx, area.into())]);
    let first = p.dos(0x4e00, &[(Cx, 0.into()), (Dx, all.into())]);
    p.poke(Value::Own, (area + 0x11).into(), &[0xff, 0xff]);
    let next = p.dos(0x4f00, &[]);
    p.poke(0x80.into(), 0x116.into(), &[0xff]);
    let told = p.dos(0x6000, &[(Si, name.into()), (Reg::Di, full.into())]);
    let out = p.run(host());
    assert_eq!((out.result(first), out.result(next)), (Ok(0), Err(0x12)));
    assert!(out.result(told).is_ok());
}
