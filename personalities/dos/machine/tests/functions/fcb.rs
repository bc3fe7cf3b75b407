//! Functions on file control blocks: 0F to 17, 21 to 24, 27 to 29.

use crate::probe::{Probe, Reg, Value};
use crate::support::assembled::{com, exit_al};
use crate::support::{MemoryHost, run};
use Reg::{Bx, Cx, Di, Ds, Dx, Es, Si};
use dos_machine::End;
use dos_machine::host::FileTree;

/// An unopened FCB of the current drive.
fn fcb(name: &[u8; 11]) -> Vec<u8> {
    [&[0], &name[..], &[0; 25]].concat()
}

fn host() -> MemoryHost {
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

#[test]
fn f11_f12_find_and_f13_deletes() {
    let mut p = Probe::new();
    let block = p.bytes(&fcb(b"????????DAT"));
    let area = p.space(64);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let first = p.dos(0x1100, &[(Dx, block.into())]);
    let copy = p.peek(Value::Own, area.into(), 33);
    let next = p.dos(0x1200, &[(Dx, block.into())]);
    let deleted = p.dos(0x1300, &[(Dx, block.into())]);
    let again = p.dos(0x1300, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!([first, next, deleted, again].map(|call| out.al(call)), [0, 0xff, 0, 0xff]);
    // Drive, then a directory entry (table 01352): name, attributes, size at 1C.
    let found = out.bytes(copy, 33);
    assert_eq!((&found[..12], found[12]), (&b"\x03RECS    DAT"[..], 0x20));
    assert_eq!(u16::from_le_bytes([found[29], found[30]]), 300);
    assert!(out.host.file("recs.dat").is_none());
}

#[test]
fn f11_with_an_extended_fcb_finds_the_label() {
    let mut p = Probe::new();
    let block = p.bytes(&extended(8, b"???????????"));
    let area = p.space(64);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let found = p.dos(0x1100, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!(out.al(found), 0);
    let area = out.bytes(area, 20);
    assert_eq!((area[0], &area[8..19]), (0xff, &b"KAMEN_C    "[..]));
    assert_eq!(area[19] & 8, 8);
}

#[test]
fn f17_renames_with_wildcards() {
    let mut p = Probe::new();
    let mut bytes = fcb(b"RECS    DAT");
    bytes[0x11..0x1c].copy_from_slice(b"????????OLD");
    let block = p.bytes(&bytes);
    let renamed = p.dos(0x1700, &[(Dx, block.into())]);
    let out = p.run(host());
    assert_eq!(out.al(renamed), 0);
    assert!(out.host.file("RECS.OLD").is_some());
}

/// An FCB with a prefix that asks for attributes.
fn extended(attributes: u8, name: &[u8; 11]) -> Vec<u8> {
    [&[0xff, 0, 0, 0, 0, 0, attributes][..], &fcb(name)].concat()
}

/// MS-DOS 4.0's source, DELETE.ASM: what is hidden is not found, what is read-only is found and
/// stays (error 5), unless the attributes of an extended FCB have it.
#[test]
fn f13_deletes_what_the_attributes_of_an_extended_fcb_have() {
    let mut p = Probe::new();
    let names = [("SECRET  TXT", 2), ("FIXED   TXT", 1)];
    let mut calls = Vec::new();
    for (name, attribute) in names {
        let name = name.as_bytes().try_into().unwrap();
        for bytes in [fcb(name), extended(attribute, name)] {
            let block = p.bytes(&bytes);
            calls.push(p.dos(0x1300, &[(Dx, block.into())]));
            calls.push(p.dos(0x5900, &[(Bx, 0.into())]));
        }
    }
    let directory = p.bytes(&extended(0x1f, b"SUB        "));
    let kept = p.dos(0x1300, &[(Dx, directory.into())]);
    let mut host = host();
    host.add("secret.txt", b"");
    host.add("fixed.txt", b"");
    host.add_directory("sub");
    for (name, flags) in [("secret.txt", 2), ("fixed.txt", 1)] {
        let node = host.node(name).unwrap();
        host.set_flags(node, flags).unwrap();
    }
    let out = p.run(host);
    let answers = [0, 2, 4, 6].map(|place: usize| out.al(calls[place]));
    assert_eq!(answers, [0xff, 0, 0xff, 0]);
    assert_eq!((out.ax(calls[1]), out.ax(calls[5])), (2, 5));
    assert!(out.host.file("secret.txt").is_none() && out.host.file("fixed.txt").is_none());
    assert!(out.al(kept) == 0xff && out.host.node("sub").is_some());
}

/// RBIL INT 21/AH=17: subdirectories may be renamed using an extended FCB.
#[test]
fn f17_renames_directories_and_what_is_hidden_by_an_extended_fcb() {
    let mut p = Probe::new();
    let mut rename = |attributes: u8, old: &[u8; 11], new: &[u8; 11]| {
        let mut bytes = extended(attributes, old);
        bytes[0x18..0x23].copy_from_slice(new);
        let block = p.bytes(&bytes);
        p.dos(0x1700, &[(Dx, block.into())])
    };
    let missed = rename(0, b"SUB        ", b"DIR        ");
    let directory = rename(0x10, b"SUB        ", b"DIR        ");
    let hidden = rename(2, b"SECRET  TXT", b"????????OLD");
    let mut host = host();
    host.add("secret.txt", b"");
    host.add_directory("sub");
    let node = host.node("secret.txt").unwrap();
    host.set_flags(node, 2).unwrap();
    let out = p.run(host);
    assert_eq!([missed, directory, hidden].map(|call| out.al(call)), [0xff, 0, 0]);
    assert!(out.host.node("DIR").is_some() && out.host.file("SECRET.OLD").is_some());
}

/// MS-DOS 4.0's source, FCB.ASM, MakeFcb: bit 0 lets one of :;,=+<>| pass between blanks; the period
/// begins an extension, and what ends a name is not passed at all without the bit.
#[test]
fn f29_passes_one_separator_only_where_bit_0_asks_for_it() {
    let mut p = Probe::new();
    let mut parse = |text: &str, control: u16| {
        let from = p.bytes(&[text.as_bytes(), b"\r"].concat());
        let to = p.space(37);
        let call = p.dos(0x2900 | control, &[(Si, from.into()), (Es, Value::Own), (Di, to.into())]);
        (call, from, to)
    };
    let given = [
        (" ; a", 1, &b"A          "[..], 4),
        (" ; a", 0, b"           ", 1),
        (";;a", 1, b"           ", 1),
        (".txt", 1, b"        TXT", 4),
        ("  b", 0, b"B          ", 3),
        ("dir\\c", 1, b"DIR        ", 3),
        ("=:d", 1, b"           ", 1),
    ];
    let calls: Vec<_> = given.iter().map(|(text, control, ..)| parse(text, *control)).collect();
    let out = p.run(host());
    for ((text, _, name, used), (call, from, to)) in given.into_iter().zip(calls) {
        assert_eq!(out.bytes(to + 1, 11), name, "{text}");
        assert_eq!(out.word(call, Si) - from, used, "{text}");
    }
}

#[test]
fn f29_parses_and_tells_wildcards_and_drives() {
    let mut p = Probe::new();
    let mut parse = |text: &str, control: u16| {
        let from = p.bytes(&[text.as_bytes(), b"\r"].concat());
        let to = p.bytes(&[0xee; 37]);
        let call = p.dos(0x2900 | control, &[(Si, from.into()), (Es, Value::Own), (Di, to.into())]);
        (call, from, to)
    };
    let plain = parse("  file.txt rest", 1);
    let wild = parse("c:*.c", 1);
    let drive = parse("q:x", 1);
    let kept = parse("", 0x0e);
    let out = p.run(host());
    assert_eq!([plain, wild, drive].map(|(call, ..)| out.al(call)), [0, 1, 0xff]);
    assert_eq!(out.bytes(plain.2, 12), b"\0FILE    TXT");
    assert_eq!(out.word(plain.0, Si) - plain.1, 10);
    assert_eq!(out.bytes(wild.2, 12), b"\x03????????C  ");
    // Control bits 1 to 3 leave drive, name and extension as they are where none is given.
    assert_eq!(out.bytes(kept.2, 12), [0xee; 12]);
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

/// MS-DOS 4.0's source, FCB.ASM, MakeFcb: bit 0 lets one of :;,=+<>| pass between blanks; the period
/// begins an extension, and what ends a name is not passed at all without the bit.
#[test]
fn f29_passes_one_separator_only_where_bit_0_asks_for_it() {
    let mut p = Probe::new();
    let mut parse = |text: &str, control: u16| {
        let from = p.bytes(&[text.as_bytes(), b"\r"].concat());
        let to = p.space(37);
        let call = p.dos(0x2900 | control, &[(Si, from.into()), (Es, Value::Own), (Di, to.into())]);
        (call, from, to)
    };
    let given = [
        (" ; a", 1, &b"A          "[..], 4),
        (" ; a", 0, b"           ", 1),
        (";;a", 1, b"           ", 1),
        (".txt", 1, b"        TXT", 4),
        ("  b", 0, b"B          ", 3),
        ("dir\\c", 1, b"DIR        ", 3),
        ("=:d", 1, b"           ", 1),
    ];
    let calls: Vec<_> = given.iter().map(|(text, control, ..)| parse(text, *control)).collect();
    let out = p.run(host());
    for ((text, _, name, used), (call, from, to)) in given.into_iter().zip(calls) {
        assert_eq!(out.bytes(to + 1, 11), name, "{text}");
        assert_eq!(out.word(call, Si) - from, used, "{text}");
    }
}

#[test]
fn f29_parses_and_tells_wildcards_and_drives() {
    let mut p = Probe::new();
    let mut parse = |text: &str, control: u16| {
        let from = p.bytes(&[text.as_bytes(), b"\r"].concat());
        let to = p.bytes(&[0xee; 37]);
        let call = p.dos(0x2900 | control, &[(Si, from.into()), (Es, Value::Own), (Di, to.into())]);
        (call, from, to)
    };
    let plain = parse("  file.txt rest", 1);
    let wild = parse("c:*.c", 1);
    let drive = parse("q:x", 1);
    let kept = parse("", 0x0e);
    let out = p.run(host());
    assert_eq!([plain, wild, drive].map(|(call, ..)| out.al(call)), [0, 1, 0xff]);
    assert_eq!(out.bytes(plain.2, 12), b"\0FILE    TXT");
    assert_eq!(out.word(plain.0, Si) - plain.1, 10);
    assert_eq!(out.bytes(wild.2, 12), b"\x03????????C  ");
    // Control bits 1 to 3 leave drive, name and extension as they are where none is given.
    assert_eq!(out.bytes(kept.2, 12), [0xee; 12]);
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
<<<<<<< HEAD
=======

/// MS-DOS 4.0's source, FCBIO.ASM, CheckFCB: an FCB of a file that is closed leads to no other one.
#[test]
fn a_stale_copy_of_an_fcb_is_no_other_file() {
    let mut p = Probe::new();
    let first = p.bytes(&fcb(b"RECS    DAT"));
    let copy = p.space(37);
    let second = p.bytes(&fcb(b"OTHER   DAT"));
    let open = p.dos(0x0f00, &[(Dx, first.into())]);
    p.poke_data(Value::Own, copy.into(), first, 37);
    p.dos(0x1000, &[(Dx, first.into())]);
    p.dos(0x1600, &[(Dx, second.into())]);
    let entries = [first, second].map(|block| p.peek(Value::Own, (block + 0x18).into(), 1));
    let write = p.dos(0x1500, &[(Dx, copy.into())]);
    let good = p.dos(0x1500, &[(Dx, second.into())]);
    let out = p.run(host());
    assert_eq!(out.bytes(entries[0], 1), out.bytes(entries[1], 1));
    assert_eq!([open, write, good].map(|call| out.al(call)), [0, 1, 0]);
    assert_eq!(out.host.file("OTHER.DAT").map(<[u8]>::len), Some(128));
}

/// MS-DOS 4.0's source, FCB.ASM, MakeFcb: a period alone makes an extension of blanks (MUSTGETWORD), also where
/// what is not given shall stay, which DIR and linkers ask for.
#[test]
fn f29_takes_a_period_for_an_empty_extension() {
    let parsed = |text: &str| {
        let mut p = Probe::new();
        let text = p.text(text);
        let block = p.bytes(&[&[9], &b"????????OBJ"[..], &[0; 4]].concat());
        let parse = p.dos(0x290e, &[(Si, text.into()), (Di, block.into())]);
        let out = p.run(host());
        let name = String::from_utf8_lossy(out.bytes(block + 1, 11)).into_owned();
        (out.al(parse), out.word(parse, Si) - text, out.bytes(block, 1)[0], name)
    };
    let expected = |al, used, drive, name: &str| (al, used, drive, name.to_string());
    assert_eq!(parsed("a."), expected(0, 2, 9, "A          "));
    assert_eq!(parsed("a"), expected(0, 1, 9, "A       OBJ"));
    assert_eq!(parsed("c:.x"), expected(0, 4, 3, "????????X  "));
    assert_eq!(parsed(""), expected(0, 0, 9, "????????OBJ"));
}
