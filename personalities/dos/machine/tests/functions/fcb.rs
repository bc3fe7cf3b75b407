//! Functions on file control blocks: their files and records, 0F, 10, 14 to 16, 21 to 24, 27, 28.

use crate::probe::{Probe, Reg, Value};
use crate::support::assembled::{com, exit_al};
use crate::support::{MemoryHost, run};
use Reg::{Cx, Ds, Dx};
use dos_machine::End;
use dos_machine::host::FileTree;

/// An unopened FCB of the current drive.
pub(crate) fn fcb(name: &[u8; 11]) -> Vec<u8> {
    [&[0], &name[..], &[0; 25]].concat()
}

pub(crate) fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("recs.dat", &[b'A'; 300]);
    host
}

#[test]
fn f0f_fills_in_what_f10_and_others_need() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let none = p.bytes(&fcb(b"NONE    DAT"));
    let open = p.dos(0x0f00, &[(Dx, block.into())]);
    let missing = p.dos(0x0f00, &[(Dx, none.into())]);
    let close = p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!([open, missing, close].map(|call| out.al(call)), [0, 0xff, 0]);
    // Drive C, block 0, records of 128 bytes, size, date (RBIL table 01345).
    assert_eq!(out.bytes(block, 1), [3]);
    let words = [0x0c, 0x0e, 0x10, 0x12, 0x14].map(|offset| out.data16(block + offset));
    assert_eq!(words, [0, 128, 300, 0, 0x285d]);
    assert_eq!(out.host.open, 0);
}

/// MS-DOS 4.0's source, FCBIO.ASM, $FCB_Close: what is closed already is closed well.
#[test]
fn f10_closes_as_often_as_asked() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    p.dos(0x0f00, &[(Dx, block.into())]);
    let closes = [(); 2].map(|()| p.dos(0x1000, &[(Dx, block.into())]));
    let read = p.dos(0x1400, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!(closes.map(|call| out.al(call)), [0, 0]);
    assert_eq!((out.al(read), out.host.open), (1, 0));
}

#[test]
fn f14_reads_a_last_partial_record_with_zeros() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let area = p.space(128);
    p.dos(0x1a00, &[(Dx, area.into())]);
    p.dos(0x0f00, &[(Dx, block.into())]);
    let reads = [(); 4].map(|()| p.dos(0x1400, &[(Dx, block.into())]));
    p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    // 300 = 128 + 128 + 44: AL 0, 0, 3 (partial), 1 (end).
    assert_eq!(reads.map(|call| out.al(call)), [0, 0, 3, 1]);
    assert_eq!(out.bytes(area, 128)[43..45], [b'A', 0]);
    assert_eq!(out.bytes(block + 0x20, 1), [3]);
}

#[test]
fn f16_f15_f22_f28_write() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"NEW     DAT"));
    let area = p.bytes(&[b'x'; 128]);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let made = p.dos(0x1600, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x0e).into(), &[4, 0]);
    let one = p.dos(0x1500, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x21).into(), &[3, 0, 0, 0]);
    let random = p.dos(0x2200, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x21).into(), &[5, 0, 0, 0]);
    let many = p.dos(0x2800, &[(Dx, block.into()), (Cx, 2.into())]);
    let closed = p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!([made, one, random, many, closed].map(|call| out.al(call)), [0; 5]);
    assert_eq!(out.word(many, Cx), 2);
    let file = out.host.file("NEW.DAT").unwrap();
    assert_eq!(file, b"xxxx\0\0\0\0\0\0\0\0xxxx\0\0\0\0xxxxxxxx");
}

#[test]
fn f21_f24_f27_read_at_random() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let area = p.space(400);
    p.dos(0x1a00, &[(Dx, area.into())]);
    p.dos(0x0f00, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x0e).into(), &[100, 0]);
    p.poke(Value::Own, (block + 0x21).into(), &[2, 0, 0, 0]);
    let one = p.dos(0x2100, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x21).into(), &[1, 0, 0, 0]);
    let many = p.dos(0x2700, &[(Dx, block.into()), (Cx, 4.into())]);
    p.dos(0x2400, &[(Dx, block.into())]);
    p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    // Records 1 and 2 are all that is left: AL=1, two read.
    assert_eq!((out.al(one), out.al(many), out.word(many, Cx)), (0, 1, 2));
    assert_eq!(out.data16(block + 0x21), 3);
}

/// Programmer's Reference, FCB: all four bytes count where records have less than 64 bytes.
#[test]
fn records_of_64_bytes_have_numbers_of_three_bytes() {
    // AL, records read, and the number afterwards: 01000001h lies beyond the file.
    for (size, expected) in [(64, (0, 2, [3, 0, 0, 1])), (63, (1, 0, [1, 0, 0, 1]))] {
        let mut p = Probe::new();
        let block = p.bytes(&fcb(b"RECS    DAT"));
        let area = p.space(400);
        p.dos(0x1a00, &[(Dx, area.into())]);
        p.dos(0x0f00, &[(Dx, block.into())]);
        p.poke(Value::Own, (block + 0x0e).into(), &[size, 0]);
        // The byte at 24 is another's where records are large.
        p.poke(Value::Own, (block + 0x21).into(), &[1, 0, 0, 1]);
        let read = p.dos(0x2700, &[(Dx, block.into()), (Cx, 2.into())]);
        let after = p.peek(Value::Own, (block + 0x21).into(), 4);
        p.dos(0x1000, &[(Dx, block.into())]);
        let out = p.run(host());
        let (al, count, number) = expected;
        assert_eq!((out.al(read), out.word(read, Cx)), (al, count));
        assert_eq!(out.bytes(after, 4), number);
    }
}

/// AL=2: the records that fit were read, none wraps to the segment's beginning.
#[test]
fn f27_reads_no_record_behind_the_segment() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    p.dos(0x0f00, &[(Dx, block.into())]);
    // Elsewhere than the program's stack.
    p.dos(0x1a00, &[(Dx, 0xff80.into()), (Ds, 0x7000.into())]);
    let read = p.dos(0x2700, &[(Dx, block.into()), (Cx, 2.into())]);
    let start = p.peek(0x7000.into(), 0.into(), 2);
    p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!((out.al(read), out.word(read, Cx)), (2, 1));
    assert_eq!(out.bytes(start, 2), [0, 0]);
}

/// MS-DOS 4.0's source, FCBIO2.ASM, `FCBIO`: all records are one transfer, which ends one byte before
/// its segment does; a record size of 0 becomes 128 and the last record's rest zeros; what is
/// written is of now.
#[test]
fn records_are_one_transfer() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let area = p.bytes(&[0xee; 400]);
    p.dos(0x1a00, &[(Dx, area.into())]);
    p.dos(0x0f00, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x0e).into(), &[0, 0]);
    let all = p.dos(0x2700, &[(Dx, block.into()), (Cx, 4.into())]);
    let after = p.peek(Value::Own, block.into(), 0x25);
    p.dos(0x1a00, &[(Dx, 0xfff0.into()), (Ds, 0x7000.into())]);
    p.poke(Value::Own, (block + 0x0e).into(), &[8, 0]);
    p.poke(Value::Own, (block + 0x21).into(), &[0; 4]);
    let brim = p.dos(0x2700, &[(Dx, block.into()), (Cx, 2.into())]);
    p.poke(Value::Own, (block + 0x14).into(), &[0; 4]);
    let written = p.dos(0x1500, &[(Dx, block.into())]);
    let time = p.peek(Value::Own, (block + 0x14).into(), 4);
    p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    // 300 = 128 + 128 + 44: three, the last in part.
    assert_eq!((out.al(all), out.word(all, Cx)), (3, 3));
    assert_eq!(out.bytes(area + 299, 86), [&b"A"[..], &[0; 84], &[0xee]].concat());
    let fields = [0x0c, 0x0e, 0x20, 0x21].map(|offset| out.data16(after + offset) as u8);
    assert_eq!(fields, [0, 128, 3, 3]);
    assert_eq!((out.al(brim), out.word(brim, Cx)), (2, 2));
    assert_eq!(out.al(written), 0);
    assert_ne!(out.bytes(time, 4), [0; 4]);
}

/// A file of DOS has 4 GiB at most: more is a full disk, and the file stays.
#[test]
fn f28_grows_no_file_beyond_32_bits() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    p.dos(0x0f00, &[(Dx, block.into())]);
    p.poke(Value::Own, (block + 0x0e).into(), &[0xff, 0xff]);
    p.poke(Value::Own, (block + 0x21).into(), &[0xff, 0xff, 0xff]);
    let cut = p.dos(0x2800, &[(Dx, block.into()), (Cx, 0.into())]);
    p.dos(0x1000, &[(Dx, block.into())]);
    let out = p.run(host());
    // 1 is a full disk (RBIL INT 21/AH=28).
    assert_eq!(out.al(cut), 1);
    assert_eq!(out.host.file("recs.dat").unwrap().len(), 300);
}

/// FCBs name devices as well: records are what is read from and written to them.
#[test]
fn fcbs_of_devices_read_and_write() {
    let mut p = Probe::new();
    let [printer, null] = [b"PRN        ", b"NUL        "].map(|name| p.bytes(&fcb(name)));
    let area = p.bytes(b"on paper");
    p.dos(0x1a00, &[(Dx, area.into())]);
    let opens = [0x0f00, 0x1600].map(|open: u16| {
        let opened = p.dos(open, &[(Dx, printer.into())]);
        p.poke(Value::Own, (printer + 0x0e).into(), &[8, 0]);
        let written = p.dos(0x1500, &[(Dx, printer.into())]);
        [opened, written, p.dos(0x1000, &[(Dx, printer.into())])]
    });
    p.dos(0x0f00, &[(Dx, null.into())]);
    let read = p.dos(0x1400, &[(Dx, null.into())]);
    p.dos(0x1000, &[(Dx, null.into())]);
    let mut host = host();
    host.add_directory("tmp");
    let out = p.run(host);
    assert_eq!(opens.as_flattened().iter().map(|call| out.al(*call)).max(), Some(0));
    assert_eq!(out.host.read_path("tmp/printer.txt").as_deref(), Some(&b"on paperon paper"[..]));
    // The end of the file: AL=1.
    assert_eq!(out.al(read), 1);
}

#[test]
fn f23_counts_records() {
    let mut p = Probe::new();
    let mut bytes = fcb(b"RECS    DAT");
    bytes[0x0e..0x10].copy_from_slice(&[128, 0]);
    let block = p.bytes(&bytes);
    let size = p.dos(0x2300, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!((out.al(size), out.data16(block + 0x21)), (0, 3));
}

/// MS-DOS 4.0's source, FCBIO.ASM, "Misbehavior fixers": programs open FCBs without end, and use
/// those opened first as well. FCBs of a program that has ended are closed (ABORT.ASM).
#[test]
fn fcbs_may_be_opened_without_end() {
    let mut p = Probe::new();
    let first = p.bytes(&fcb(b"RECS    DAT"));
    let other = p.bytes(&fcb(b"OTHER   DAT"));
    let area = p.space(128);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let mut opens = vec![p.dos(0x0f00, &[(Dx, first.into())])];
    opens.extend((0..100).map(|_| p.dos(0x0f00, &[(Dx, other.into())])));
    let read = p.dos(0x1400, &[(Dx, first.into())]);
    let mut host = host();
    host.add("other.dat", b"B");
    let out = p.run(host);
    assert!(opens.iter().all(|call| out.al(*call) == 0));
    assert_eq!((out.al(read), out.bytes(area, 2)), (0, &b"AA"[..]));
    assert_eq!(out.host.open, 0);
}

/// FCBIO.ASM, CheckFCB: an FCB whose entry another file has is not taken for that one.
#[test]
fn a_copy_of_a_closed_fcb_names_no_other_file() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let copy = p.space(37);
    let other = p.bytes(&fcb(b"OTHER   DAT"));
    p.dos(0x0f00, &[(Dx, block.into())]);
    p.poke_data(Value::Own, copy.into(), block, 37);
    p.dos(0x1000, &[(Dx, block.into())]);
    p.dos(0x0f00, &[(Dx, other.into())]);
    let write = p.dos(0x1500, &[(Dx, copy.into())]);
    p.dos(0x1000, &[(Dx, other.into())]);
    let mut host = host();
    host.add("other.dat", b"B");
    let out = p.run(host);
    assert_ne!(out.al(write), 0);
    assert_eq!(out.host.file("other.dat"), Some(&b"B"[..]));
}

/// FCBs open read-only files for reading (MS-DOS 4.0's source, FCBIO2.ASM).
#[test]
fn f15_does_not_write_a_read_only_file() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let name = p.text("RECS.DAT");
    p.dos(0x4301, &[(Cx, 1.into()), (Dx, name.into())]);
    let open = p.dos(0x0f00, &[(Dx, block.into())]);
    let write = p.dos(0x1500, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!((out.al(open), out.al(write)), (0, 1));
    assert_eq!(out.host.file("recs.dat"), Some(&[b'A'; 300][..]));
}

#[test]
fn what_an_fcb_writes_is_to_be_archived() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let name = p.text("RECS.DAT");
    p.dos(0x4301, &[(Cx, 0.into()), (Dx, name.into())]);
    p.dos(0x0f00, &[(Dx, block.into())]);
    p.dos(0x1500, &[(Dx, block.into())]);
    p.dos(0x1000, &[(Dx, block.into())]);
    let attributes = p.dos(0x4300, &[(Dx, name.into())]);
    let out = p.run(host());
    assert_eq!(out.word(attributes, Cx), 0x20);
}

/// MS-DOS 4.0's source, FCBIO2.ASM: writing sets the FCB's time, and the time in it is the file's once it is
/// closed (FCBIO.ASM, $FCB_Close), which COMMAND.COM 1.25's COPY relies on.
#[test]
fn f10_gives_a_written_file_the_time_in_its_fcb() {
    let run = |writes: bool| {
        let mut p = Probe::new();
        let block = p.bytes(&fcb(b"RECS    DAT"));
        p.dos(0x1a00, &[(Dx, block.into())]);
        p.dos(0x0f00, &[(Dx, block.into())]);
        if writes {
            p.dos(0x1500, &[(Dx, block.into())]);
        }
        let date = p.peek(Value::Own, (block + 0x14).into(), 2);
        // 1982-05-17, 12:00.
        p.poke(Value::Own, (block + 0x14).into(), &[0xb1, 0x04, 0x00, 0x60]);
        p.dos(0x1000, &[(Dx, block.into())]);
        let mut host = host();
        let node = host.node("recs.dat").expect("it is there");
        host.set_flags(node, 0).expect("a file");
        let mut out = p.run(host);
        let date = out.data16(date);
        let found = out.host.attributes(node).expect("it is there");
        (date, found.modified / 1_000_000_000, found.flags)
    };
    // Written now, on 2000-02-29; what is not written stays as it is.
    assert_eq!(run(true), (0x285d, 390_484_800, dos_machine::host::flag::ARCHIVE));
    let (_, modified, flags) = run(false);
    assert_ne!((modified, flags), (390_484_800, dos_machine::host::flag::ARCHIVE));
}

/// MS-DOS 4.0's source, FCBIO2.ASM, FCBIO: one transfer, as long as the segment has room.
#[test]
fn f27_f28_move_what_the_segment_has_room_for() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"RECS    DAT"));
    let out = p.bytes(&fcb(b"OUT     DAT"));
    for (call, fcb) in [(0x0f00, block), (0x1600, out)] {
        p.dos(call, &[(Dx, fcb.into())]);
        p.poke(Value::Own, (fcb + 0x0e).into(), &[3, 0]);
    }
    p.dos(0x1a00, &[(Dx, 0xfff8.into()), (Ds, 0x6000.into())]);
    let read = p.dos(0x2700, &[(Dx, block.into()), (Cx, 9.into())]);
    let write = p.dos(0x2800, &[(Dx, out.into()), (Cx, 9.into())]);
    p.dos(0x1a00, &[(Dx, 0xffff.into()), (Ds, 0x6000.into())]);
    let none = p.dos(0x2700, &[(Dx, block.into()), (Cx, 9.into())]);
    p.dos(0x1000, &[(Dx, out.into())]);
    let done = p.run(host());
    let ends = [read, write, none].map(|call| (done.al(call), done.word(call, Cx)));
    assert_eq!(ends, [(2, 2), (2, 2), (2, 0)]);
    assert_eq!(done.host.file("OUT.DAT"), Some(&b"AAAAAA"[..]));
}

/// COMMAND.COM 1.25 opens the batch file's FCB for each line and never closes it (READBAT); DOS reuses what
/// was opened longest ago (MS-DOS 4.0's source, FCBIO.ASM, LRUFCB), and forgets all with the program (ABORT.ASM).
#[test]
fn f0f_opens_the_same_fcb_for_ever_and_the_end_closes_all() {
    use iced_x86::code_asm::{ah, al, bl, cx, dx};
    let program = com(|a| {
        let mut start = a.create_label();
        a.jmp(start)?;
        a.db(&fcb(b"RECS    DAT"))?;
        a.set_label(&mut start)?;
        a.mov(cx, 1000u32)?;
        a.mov(bl, 0u32)?;
        let mut again = a.create_label();
        a.set_label(&mut again)?;
        a.mov(dx, 0x102u32)?;
        a.mov(ah, 0x0fu32)?;
        a.int(0x21)?;
        a.or(bl, al)?;
        a.loop_(again)?;
        a.mov(al, bl)?;
        exit_al(a)
    });
    let mut host = host();
    host.add("OPENS.COM", &program);
    let (end, host) = run(host, "OPENS.COM", &[]);
    assert_eq!((end, host.open), (End::Exit(0), 0));
}
