//! Functions on file control blocks: their names, 11 to 13, 17, 29.

use crate::fcb::{fcb, host};
use crate::probe::{Probe, Reg, Value};
use Reg::{Bx, Di, Dx, Es, Si};
use dos_machine::host::FileTree;

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
