//! Functions 71xx: long names.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Di, Ds, Dx, Es, Si};
use dos_machine::host::{FileTree, NodeKind};

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("A long name.text", b"12345");
    host.add_directory("Long Directory");
    host
}

#[test]
fn f716c_creates_with_the_name_as_it_is() {
    let mut p = Probe::new();
    let name = p.text("C:\\Long Directory\\My new file.html");
    let registers = [(Bx, 2.into()), (Cx, 0.into()), (Dx, 0x10.into()), (Si, name.into())];
    let made = p.dos(0x716c, &registers);
    let out = p.run(host());
    assert_eq!((out.result(made), out.word(made, Cx)), (Ok(5), 2));
    assert!(out.host.read_path("Long Directory/My new file.html").is_some());
}

#[test]
fn f714e_finds_long_names_with_short_ones() {
    let mut p = Probe::new();
    let name = p.text("*name*");
    let area = p.space(0x13e);
    let place = [(Es, Value::Own), (Di, area.into()), (Si, 1.into())];
    let first = p.dos(0x714e, &[vec![(Cx, 0.into()), (Dx, name.into())], place.to_vec()].concat());
    let handle = (Bx, Value::After(first, Ax));
    let next = p.dos(0x714f, &[vec![handle], place.to_vec()].concat());
    let closed = p.dos(0x71a1, &[handle]);
    let again = p.dos(0x71a1, &[handle]);
    let out = p.run(host());
    assert!(out.result(first).is_ok() && out.result(closed).is_ok());
    assert_eq!((out.result(next), out.result(again)), (Err(0x12), Err(6)));
    assert_eq!(out.text(area + 0x2c), "A long name.text");
    assert!(out.text(area + 0x130).starts_with("ALON~"));
    // Attributes, time and date as SI=1 asks, size (table 01774).
    let words = [0, 0x14, 0x16, 0x20].map(|offset| out.data16(area + offset));
    assert_eq!(words, [0x20, 0x645c, 0x285d, 5]);
}

#[test]
fn f7139_f713b_f7147_f713a_go_through_long_directories() {
    let mut p = Probe::new();
    let [new, up, there] = ["A second directory", "..", "long directory"].map(|name| p.text(name));
    let place = p.space(260);
    let made = p.dos(0x7139, &[(Dx, new.into())]);
    let entered = p.dos(0x713b, &[(Dx, there.into())]);
    let told = p.dos(0x7147, &[(Dx, 0.into()), (Si, place.into())]);
    p.dos(0x713b, &[(Dx, up.into())]);
    let removed = p.dos(0x713a, &[(Dx, new.into())]);
    let out = p.run(host());
    assert!([made, entered, told, removed].iter().all(|call| out.result(*call).is_ok()));
    assert_eq!(out.text(place), "Long Directory");
}

#[test]
fn f7156_f7143_f7141_rename_mark_and_delete() {
    let mut p = Probe::new();
    let [old, new] = ["a LONG name.text", "Another name.text"].map(|name| p.text(name));
    let to = [(Es, Value::Own), (Ds, Value::Own), (Di, new.into())];
    let renamed = p.dos(0x7156, &[vec![(Dx, old.into())], to.to_vec()].concat());
    p.dos(0x7143, &[(Bx, 1.into()), (Cx, 2.into()), (Dx, new.into())]);
    let attributes = p.dos(0x7143, &[(Bx, 0.into()), (Dx, new.into())]);
    let deleted = p.dos(0x7141, &[(Si, 0.into()), (Dx, new.into())]);
    let out = p.run(host());
    assert!(out.result(renamed).is_ok() && out.result(deleted).is_ok());
    assert_eq!(out.word(attributes, Cx), 2);
    assert!(out.host.file("Another name.text").is_none());
}

#[test]
fn f71a6_tells_of_an_open_file() {
    let mut p = Probe::new();
    let name = p.text("A long name.text");
    let [about, about_device] = [p.space(0x34), p.space(0x34)];
    let serial = p.space(25);
    let registers = [(Bx, 0.into()), (Cx, 0.into()), (Dx, 1.into()), (Si, name.into())];
    let open = p.dos(0x716c, &registers);
    let told = p.dos(0x71a6, &[(Bx, Value::After(open, Ax)), (Dx, about.into())]);
    // AUX, and a handle that is not open.
    let device = p.dos(0x71a6, &[(Bx, 3.into()), (Dx, about_device.into())]);
    let closed = p.dos(0x71a6, &[(Bx, 19.into()), (Dx, about_device.into())]);
    p.dos(0x6900, &[(Bx, 0.into()), (Dx, serial.into())]);
    let host = host();
    let node = host.node("A long name.text").expect("it was added");
    let out = p.run(host);
    assert!(out.result(told).is_ok());
    assert_eq!((out.result(device), out.result(closed)), (Err(6), Err(6)));
    let double =
        |at| u32::from(out.data16(about + at + 2)) << 16 | u32::from(out.data16(about + at));
    // RBIL INT 21/AX=71A6: attributes, serial number, size, links, identifier.
    assert_eq!((double(0), double(0x20), double(0x24), double(0x28)), (0x20, 0, 5, 1));
    assert_eq!(
        (out.bytes(about + 0x1c, 4), double(0x30)),
        (out.bytes(serial + 2, 4), node.0 as u32)
    );
    // 100 ns from 1601 on; 1970 is 11,644,473,600 seconds later.
    let changed = u64::from(double(0x18)) << 32 | u64::from(double(0x14));
    assert_eq!(changed / 10_000_000 - 11_644_473_600, crate::support::TIME / 1_000_000_000);
    assert_eq!(out.bytes(about + 4, 16), [0; 16]);
}

#[test]
fn f7160_gives_short_and_long_paths() {
    let mut p = Probe::new();
    let name = p.text("a long name.text");
    let [short, long] = [p.space(260), p.space(260)];
    let mut path = |kind: u16, to: u16| {
        let place = [(Es, Value::Own), (Ds, Value::Own), (Di, to.into())];
        p.dos(0x7160, &[vec![(Cx, kind.into()), (Si, name.into())], place.to_vec()].concat())
    };
    let calls = [path(1, short), path(2, long)];
    let out = p.run(host());
    assert!(calls.iter().all(|call| out.result(*call).is_ok()));
    assert!(out.text(short).starts_with("C:\\ALON~"));
    assert_eq!(out.text(long), "C:\\A long name.text");
}

#[test]
fn f71a0_says_that_names_are_long() {
    let mut p = Probe::new();
    let root = p.text("C:\\");
    let name = p.space(32);
    let registers = [(Dx, root.into()), (Es, Value::Own), (Di, name.into()), (Cx, 32.into())];
    let told = p.dos(0x71a0, &registers);
    let out = p.run(host());
    assert_eq!(out.word(told, Bx) & 0x4000, 0x4000);
    assert_eq!((out.word(told, Cx), out.word(told, Dx)), (255, 260));
}

#[test]
fn f71a7_converts_times_both_ways() {
    let mut p = Probe::new();
    let time = p.space(8);
    let there = p.dos(
        0x71a7,
        &[
            (Bx, 1.into()),
            (Cx, 0x645c.into()),
            (Dx, 0x285d.into()),
            (Es, Value::Own),
            (Di, time.into()),
        ],
    );
    let back = p.dos(0x71a7, &[(Bx, 0.into()), (Si, time.into()), (Ds, Value::Own)]);
    let out = p.run(host());
    assert!(out.result(there).is_ok());
    assert_eq!((out.word(back, Cx), out.word(back, Dx)), (0x645c, 0x285d));
    // 2000-02-29 12:34:56 is 951,827,696 s after 1970, which is 11,644,473,600 s after 1601.
    let count = (951_827_696u64 + 11_644_473_600) * 10_000_000;
    assert_eq!(out.bytes(time, 8), count.to_le_bytes());
}

#[test]
fn f71ff_asks_for_the_function_without_71() {
    let mut p = Probe::new();
    let unknown = p.dos(0x71ff, &[]);
    let out = p.run(host());
    assert_eq!(out.result(unknown), Err(0x7100));
}

/// MS-DOS 4.0, SUBST.C, `Insert` and `fDelete`: path, flags INUSE and LOCAL, length of the root's path in
/// the current directory structure, and the parameter block; RBIL table 01643.
#[test]
fn what_subst_writes_into_a_directory_structure_is_a_drive() {
    let mut p = Probe::new();
    let lists = p.dos(0x5200, &[]);
    let pointer = p.peek(Value::After(lists, Es), 0x3c.into(), 4);
    let out = p.run(MemoryHost::new(b""));
    let (segment, offset) = (out.data16(pointer + 2), out.data16(pointer));
    let mut p = Probe::new();
    let [file, told] = [p.text("E:IN.TXT"), p.space(80)];
    let write = |p: &mut Probe, drive: u16, path: &[u8], flags: u16, root: u16| {
        let at = offset + drive * 0x58;
        p.poke(segment.into(), at.into(), path);
        p.poke(segment.into(), (at + 0x43).into(), &flags.to_le_bytes());
        p.poke(segment.into(), (at + 0x4f).into(), &root.to_le_bytes());
    };
    write(&mut p, 4, b"C:\\SUB\0", 0x5000, 6);
    write(&mut p, 5, b"C:\\NONE\0", 0x5000, 7);
    let open = p.dos(0x3d00, &[(Dx, file.into())]);
    p.dos(0x3e00, &[(Bx, Value::After(open, Ax))]);
    p.dos(0x6000, &[(Si, file.into()), (Es, Value::Own), (Di, told.into())]);
    let refused = p.dos(0x4409, &[(Bx, 6.into())]);
    write(&mut p, 4, b"E:\\\0", 0, 2);
    let gone = p.dos(0x3d00, &[(Dx, file.into())]);
    let mut host = MemoryHost::new(b"");
    let node = host.add_directory("sub");
    host.create(node, b"in.txt", NodeKind::File).unwrap();
    let out = p.run(host);
    assert!(out.result(open).is_ok());
    assert_eq!(out.text(told), "C:\\SUB\\IN.TXT");
    assert_eq!((out.result(refused), out.result(gone)), (Err(0x0f), Err(3)));
}

/// RBIL INT 21/AX=71AA: BH=0 makes a drive of a directory, 1 ends it, 2 tells the directory; AX=4409:
/// bit 15 of DX.
#[test]
fn f71aa_substitutes_a_drive_for_a_directory() {
    let mut p = Probe::new();
    let [sub, missing, file] = ["C:\\SUB", "C:\\NONE", "E:\\IN.TXT"].map(|path| p.text(path));
    let [path, name] = [p.space(80), p.space(80)];
    let substitute =
        |p: &mut Probe, bx: u16, dx: u16| p.dos(0x71aa, &[(Bx, bx.into()), (Dx, dx.into())]);
    let taken = substitute(&mut p, 0x0003, sub);
    let nowhere = substitute(&mut p, 0x0005, missing);
    let none = substitute(&mut p, 0x0205, path);
    let made = substitute(&mut p, 0x0005, sub);
    let told = substitute(&mut p, 0x0205, path);
    let open = p.dos(0x3d00, &[(Dx, file.into())]);
    p.dos(0x3e00, &[(Bx, Value::After(open, Ax))]);
    p.dos(0x6000, &[(Si, file.into()), (Es, Value::Own), (Di, name.into())]);
    let remote = p.dos(0x4409, &[(Bx, 5.into())]);
    // The same directory is a root as E:, none as C:\SUB.
    let [dots, root] = ["C:\\SUB\\*.*", "E:\\*.*"].map(|pattern| {
        let (pattern, area) = (p.text(pattern), p.space(64));
        p.dos(0x1a00, &[(Dx, area.into())]);
        p.dos(0x4e00, &[(Dx, pattern.into()), (Cx, 0x10.into())]);
        area + 0x1e
    });
    p.dos(0x0e00, &[(Dx, 4.into())]);
    let current = p.dos(0x1900, &[]);
    let in_use = substitute(&mut p, 0x0105, path);
    p.dos(0x0e00, &[(Dx, 2.into())]);
    let ended = substitute(&mut p, 0x0105, path);
    let gone = p.dos(0x3d00, &[(Dx, file.into())]);
    let own = substitute(&mut p, 0x0103, path);
    let mut host = MemoryHost::new(b"");
    let node = host.add_directory("sub");
    host.create(node, b"in.txt", NodeKind::File).unwrap();
    let out = p.run(host);
    for refused in [taken, nowhere, none, in_use, gone, own] {
        assert!(out.result(refused).is_err());
    }
    assert!([made, told, open, ended].iter().all(|call| out.result(*call).is_ok()));
    assert_eq!((out.text(path), out.text(name)), ("C:\\SUB".into(), "C:\\SUB\\IN.TXT".into()));
    assert_eq!((out.word(remote, Dx) >> 15, out.al(current)), (1, 4));
    assert_eq!((out.text(dots), out.text(root)), (".".into(), "IN.TXT".into()));
}

/// A search that is not ended by AX=71A1 ends with its program.
#[test]
fn searches_end_with_their_program() {
    // AX=714E on "*.*", area at 0200; ends with CF.
    let program = b"\xb8\x4e\x71\xb9\x10\x00\xbe\x01\x00\xba\x1c\x01\xbf\x00\x02\xcd\x21\
        \xb0\x00\xd0\xd0\xb4\x4c\xcd\x21\x90\x90\x90*.*\0";
    let mut p = Probe::new();
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
    let block = p.space(22);
    let name = p.text("SEARCHER.COM");
    let codes: Vec<usize> = (0..40)
        .map(|_| {
            p.dos(0x4b00, &[(Dx, name.into()), (Es, Value::Own), (Bx, block.into())]);
            p.dos(0x4d00, &[])
        })
        .collect();
    let mut host = host();
    host.add("searcher.com", program);
    let out = p.run(host);
    assert!(codes.iter().all(|code| out.ax(*code) == 0));
}
