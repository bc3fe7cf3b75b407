//! Functions on names: 39 to 3B, 41, 43, 47, 4E, 4F, 56, 60.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Cx, Di, Ds, Dx, Es, Si};
use dos_machine::host::{FileTree, Node, flag};

fn host() -> MemoryHost {
    let mut host = MemoryHost::new(b"");
    host.add("one.txt", b"1");
    host.add("two.txt", b"22");
    host.add_directory("sub");
    host
}

#[test]
fn f39_f3a_f3b_f47_make_enter_and_remove() {
    let mut p = Probe::new();
    let [name, up, file] = ["C:\\NEWDIR", "..", "ONE.TXT"].map(|name| p.text(name));
    let place = p.space(64);
    let made = p.dos(0x3900, &[(Dx, name.into())]);
    let twice = p.dos(0x3900, &[(Dx, name.into())]);
    let entered = p.dos(0x3b00, &[(Dx, name.into())]);
    let told = p.dos(0x4700, &[(Dx, 0.into()), (Si, place.into())]);
    let here = p.dos(0x3a00, &[(Dx, name.into())]);
    p.dos(0x3b00, &[(Dx, up.into())]);
    let removed = p.dos(0x3a00, &[(Dx, name.into())]);
    let gone = p.dos(0x3b00, &[(Dx, name.into())]);
    let no_directory = p.dos(0x3b00, &[(Dx, file.into())]);
    let drive = p.dos(0x4700, &[(Dx, 9.into()), (Si, place.into())]);
    let out = p.run(host());
    assert!(out.result(made).is_ok() && out.result(entered).is_ok() && out.result(removed).is_ok());
    assert_eq!((out.result(twice), out.result(here)), (Err(5), Err(0x10)));
    assert_eq!((out.result(told), out.text(place)), (Ok(0x0100), "NEWDIR".into()));
    assert_eq!(
        (out.result(gone), out.result(no_directory), out.result(drive)),
        (Err(3), Err(3), Err(15))
    );
}

#[test]
fn f3a_refuses_a_directory_with_files() {
    let mut p = Probe::new();
    let [name, file] = ["SUB", "SUB\\F"].map(|name| p.text(name));
    p.dos(0x3c00, &[(Cx, 0.into()), (Dx, file.into())]);
    let full = p.dos(0x3a00, &[(Dx, name.into())]);
    let out = p.run(host());
    assert_eq!(out.result(full), Err(5));
}

#[test]
fn f41_deletes_files_only() {
    let mut p = Probe::new();
    let [one, sub, none] = ["ONE.TXT", "SUB", "NONE"].map(|name| p.text(name));
    let calls = [one, sub, none, one].map(|name| p.dos(0x4100, &[(Dx, name.into())]));
    let out = p.run(host());
    let ends = calls.map(|call| out.result(call).err());
    assert_eq!(ends, [None, Some(5), Some(2), Some(2)]);
}

#[test]
fn f43_sets_and_tells_attributes() {
    let mut p = Probe::new();
    let [one, sub] = ["ONE.TXT", "SUB"].map(|name| p.text(name));
    let old = p.dos(0x4300, &[(Dx, one.into())]);
    let set = p.dos(0x4301, &[(Cx, 0x07.into()), (Dx, one.into())]);
    let new = p.dos(0x4300, &[(Dx, one.into())]);
    let refused = p.dos(0x4100, &[(Dx, one.into())]);
    let directory = p.dos(0x4300, &[(Dx, sub.into())]);
    let label = p.dos(0x4301, &[(Cx, 8.into()), (Dx, one.into())]);
    let out = p.run(host());
    assert_eq!((out.word(old, Cx), out.word(new, Cx)), (0x20, 0x07));
    assert!(out.result(set).is_ok());
    assert_eq!((out.result(refused), out.word(directory, Cx)), (Err(5), 0x10));
    assert_eq!(out.result(label), Err(5));
}

#[test]
fn writing_sets_the_archive_attribute_again() {
    let mut p = Probe::new();
    let one = p.text("ONE.TXT");
    p.dos(0x4301, &[(Cx, 0.into()), (Dx, one.into())]);
    let open = p.dos(0x3d01, &[(Dx, one.into())]);
    let handle = (Reg::Bx, Value::After(open, Reg::Ax));
    p.dos(0x4000, &[handle, (Cx, 1.into()), (Dx, one.into())]);
    p.dos(0x3e00, &[handle]);
    let new = p.dos(0x4300, &[(Dx, one.into())]);
    let out = p.run(host());
    assert_eq!(out.word(new, Cx), 0x20);
}

/// Collects what a search finds, up to the error that ends it.
fn search(pattern: &str, attributes: u16, host: MemoryHost) -> (Vec<(String, u8, u32)>, u16) {
    let mut p = Probe::new();
    let name = p.text(pattern);
    let area = p.space(43);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let mut calls = Vec::new();
    for index in 0..8 {
        let function = if index == 0 { 0x4e00 } else { 0x4f00 };
        let call = p.dos(function, &[(Cx, attributes.into()), (Dx, name.into())]);
        calls.push((call, p.peek(Value::Own, area.into(), 43)));
    }
    let out = p.run(host);
    let mut found = Vec::new();
    for (call, copy) in calls {
        if let Err(error) = out.result(call) {
            return (found, error);
        }
        let bytes = out.bytes(copy, 43);
        let size = u32::from_le_bytes([bytes[0x1a], bytes[0x1b], bytes[0x1c], bytes[0x1d]]);
        found.push((out.text(copy + 0x1e), bytes[0x15], size));
    }
    (found, 0)
}

#[test]
fn f4e_f4f_find_by_pattern_and_attributes() {
    let (found, end) = search("*.TXT", 0, host());
    assert_eq!(found, [("ONE.TXT".into(), 0x20, 1), ("TWO.TXT".into(), 0x20, 2)]);
    assert_eq!(end, 0x12);
    let (found, _) = search("S?B", 0x10, host());
    assert_eq!(found, [("SUB".into(), 0x10, 0)]);
    assert_eq!(search("SUB", 0, host()).1, 0x12);
    assert_eq!(search("NODIR\\*.*", 0, host()).1, 3);
    assert_eq!(search("SUB\\*.*", 0x10, host()).0.len(), 2);
}

/// MS-DOS 4.0, TREE.ASM `FIND_TYPE_DIR` and XCOPY.ASM `FIND_DIR`: what has the attribute 10 is a
/// directory, what has others besides is passed over.
#[test]
fn a_directory_that_nobody_may_write_is_a_directory_all_the_same() {
    let mut p = Probe::new();
    let [name, area] = [p.text("SUB"), p.space(43)];
    p.dos(0x1a00, &[(Dx, area.into())]);
    p.dos(0x4e00, &[(Cx, 0x10.into()), (Dx, name.into())]);
    let mut host = host();
    let node = host.lookup(Node(0), b"sub").unwrap().node;
    host.set_flags(node, flag::READ_ONLY).unwrap();
    let out = p.run(host);
    assert_eq!((out.bytes(area + 0x15, 1), out.text(area + 0x1e)), (&[0x10][..], "SUB".into()));
}

#[test]
fn f4e_finds_labels_and_devices() {
    let (found, _) = search("C:\\*.*", 8, host());
    assert_eq!(found, [("KAMEN_C".into(), 0x28, 0)]);
    let (found, _) = search("SUB\\NUL", 0, host());
    assert_eq!(found[0].0, "NUL");
    assert_eq!(found[0].1 & 0x40, 0x40);
    // A directory exists where its NUL does: batch files ask that way.
    assert_eq!(search("NODIR\\NUL", 0, host()).1, 3);
}

#[test]
fn f4f_goes_on_in_a_copy_of_the_transfer_area() {
    let mut p = Probe::new();
    let name = p.text("*.TXT");
    let area = p.space(43);
    let other = p.space(43);
    p.dos(0x1a00, &[(Dx, area.into())]);
    p.dos(0x4e00, &[(Cx, 0.into()), (Dx, name.into())]);
    p.poke_data(Value::Own, other.into(), area, 43);
    p.dos(0x1a00, &[(Dx, other.into())]);
    let next = p.dos(0x4f00, &[]);
    let out = p.run(host());
    assert!(out.result(next).is_ok());
    assert_eq!(out.text(other + 0x1e), "TWO.TXT");
}

/// MS-DOS keeps a search in the transfer area alone, so that a program that walks through a tree goes
/// on in each directory, however many it has looked into meanwhile.
#[test]
fn f4f_goes_on_after_many_other_searches() {
    let mut p = Probe::new();
    let [files, others] = ["*.TXT", "SUB\\*.*"].map(|name| p.text(name));
    let areas = [p.space(43), p.space(43)];
    p.dos(0x1a00, &[(Dx, areas[0].into())]);
    p.dos(0x4e00, &[(Cx, 0.into()), (Dx, files.into())]);
    p.dos(0x1a00, &[(Dx, areas[1].into())]);
    for _ in 0..100 {
        p.dos(0x4e00, &[(Cx, 0x10.into()), (Dx, others.into())]);
    }
    p.dos(0x1a00, &[(Dx, areas[0].into())]);
    let next = p.dos(0x4f00, &[]);
    let out = p.run(host());
    assert!(out.result(next).is_ok());
    assert_eq!(out.text(areas[0] + 0x1e), "TWO.TXT");
}

#[test]
fn f56_renames_and_moves_but_does_not_replace() {
    let mut p = Probe::new();
    let [one, two, moved, none] =
        ["ONE.TXT", "TWO.TXT", "SUB\\THREE.TXT", "NONE"].map(|name| p.text(name));
    let mut rename = |from: u16, to: u16| {
        p.dos(0x5600, &[(Dx, from.into()), (Es, Value::Own), (Di, to.into()), (Ds, Value::Own)])
    };
    let calls = [rename(one, two), rename(one, moved), rename(none, one)];
    let out = p.run(host());
    let ends = calls.map(|call| out.result(call).err());
    assert_eq!(ends, [Some(5), None, Some(2)]);
    assert_eq!(out.host.read_path("sub/THREE.TXT").as_deref(), Some(&b"1"[..]));
}

#[test]
fn f60_gives_full_names_of_what_exists_or_not() {
    let mut p = Probe::new();
    let names = ["one.txt", "sub\\..\\new.tx", "C:sub/x", "/"].map(|name| p.text(name));
    let results = names.map(|name| {
        let to = p.space(128);
        (p.dos(0x6000, &[(Si, name.into()), (Es, Value::Own), (Di, to.into())]), to)
    });
    let out = p.run(host());
    let texts = results.map(|(call, to)| {
        assert!(out.result(call).is_ok());
        out.text(to)
    });
    assert_eq!(texts, ["C:\\ONE.TXT", "C:\\NEW.TX", "C:\\SUB\\X", "C:\\"]);
}

/// MS-DOS 4.0's source, PATH.ASM, Check_PathLen: a current directory has 67 bytes at most, so that the
/// 64 bytes of AH=47 hold it; longer ones are entered and made by nobody.
#[test]
fn f3b_f39_refuse_what_f47_has_no_room_for() {
    let mut p = Probe::new();
    let part = p.text("EIGHTLET");
    let place = p.bytes(&[b'!'; 80]);
    let mut calls = Vec::new();
    for _ in 0..8 {
        let made = p.dos(0x3900, &[(Dx, part.into())]);
        calls.push((made, p.dos(0x3b00, &[(Dx, part.into())])));
    }
    let told = p.dos(0x4700, &[(Dx, 0.into()), (Si, place.into())]);
    let out = p.run(host());
    let (deepest, fitting) = calls.split_last().unwrap();
    assert!(
        fitting
            .iter()
            .all(|(made, entered)| [made, entered].map(|c| out.result(*c).is_ok()) == [true; 2])
    );
    assert_eq!([deepest.0, deepest.1].map(|call| out.result(call)), [Err(5), Err(3)]);
    assert!(out.result(told).is_ok());
    assert_eq!(out.text(place), ["EIGHTLET"; 7].join("\\"));
}

/// RBIL INT 21/AH=60: a path has 128 bytes. A longer one, cut, would be another name.
#[test]
fn a_path_that_is_too_long_is_not_cut() {
    let mut p = Probe::new();
    let long = p.text(&format!("{}LAST.TXT", ".\\".repeat(61)));
    let calls = [0x3c00, 0x3d00, 0x4100, 0x4300, 0x4e00, 0x3900]
        .map(|function| p.dos(function, &[(Cx, 0.into()), (Dx, long.into())]));
    let out = p.run(host());
    assert_eq!(calls.map(|call| out.result(call)), [Err(3); 6]);
    assert!(!out.host.names().iter().any(|name| name.starts_with("LA")));
}

/// What a search finds and what its name then opens is the same file, also where names differ in
/// nothing but case.
#[test]
fn a_name_that_is_found_opens_what_was_found() {
    let mut host = host();
    for (name, bytes) in [("make", &b"small"[..]), ("Make", b"mixed case")] {
        host.add(name, bytes);
    }
    let (found, _) = search("MAKE*.*", 0, host);
    let mut p = Probe::new();
    let opens: Vec<(usize, u32)> = found
        .iter()
        .map(|(name, _, size)| {
            let name = p.text(name);
            let open = p.dos(0x3d00, &[(Dx, name.into())]);
            let end = [(Reg::Bx, Value::After(open, Reg::Ax)), (Cx, 0.into()), (Dx, 0.into())];
            (p.dos(0x4202, &end), *size)
        })
        .collect();
    let mut host = self::host();
    for (name, bytes) in [("make", &b"small"[..]), ("Make", b"mixed case")] {
        host.add(name, bytes);
    }
    let out = p.run(host);
    assert_eq!(opens.len(), 2);
    for (end, size) in opens {
        assert_eq!(u32::from(out.ax(end)), size);
    }
}

/// A host's names are UTF-8, a program's of code page 437, where U+00E9 is 82 and its capital 90; what
/// no code page has, as U+65E5, keeps its bytes.
#[test]
fn names_of_the_host_are_those_of_the_code_page() {
    let mut p = Probe::new();
    let found = p.bytes(b"CAF\x90.TXT\0");
    let made = p.bytes(b"\x81BER.TXT\0");
    let foreign = p.bytes("\u{65e5}.TXT\0".as_bytes());
    let open = p.dos(0x3d00, &[(Dx, found.into())]);
    let create = p.dos(0x3c00, &[(Cx, 0.into()), (Dx, made.into())]);
    let delete = p.dos(0x4100, &[(Dx, foreign.into())]);
    let pattern = p.text("C*.TXT");
    let area = p.space(43);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let search = p.dos(0x4e00, &[(Cx, 0.into()), (Dx, pattern.into())]);
    let mut host = host();
    host.add("caf\u{e9}.txt", b"");
    host.add("\u{65e5}.TXT", b"");
    let out = p.run(host);
    for call in [open, create, delete, search] {
        assert!(out.result(call).is_ok());
    }
    assert_eq!(out.bytes(area + 0x1e, 9), b"CAF\x90.TXT\0");
    let names = out.host.names();
    assert!(names.contains(&"\u{fc}BER.TXT".into()) && !names.contains(&"\u{65e5}.TXT".into()));
}
