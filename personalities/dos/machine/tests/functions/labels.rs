//! Volume labels: 11, 13, 16, 17 with extended FCBs, 3C and 4E with attribute 08.
//!
//! RBIL INT 21/AH=11: a label is found also where the current directory is not the root; AH=13, 16,
//! 17: labels may be deleted, created and renamed using an extended FCB. A second one cannot be made:
//! MS-DOS 4.0's source, CREATE.ASM (error 52).

use crate::probe::{Outcome, Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Cx, Dx};

/// An extended FCB for labels.
fn label(name: &[u8; 11]) -> Vec<u8> {
    [&[0xff, 0, 0, 0, 0, 0, 8, 0], &name[..], &[0; 25]].concat()
}

/// Searches for the label by AH=11; returns the call and where what is found will be.
fn search(p: &mut Probe) -> (usize, u16) {
    let block = p.bytes(&label(b"???????????"));
    let area = p.space(64);
    p.dos(0x1a00, &[(Dx, area.into())]);
    (p.dos(0x1100, &[(Dx, block.into())]), area)
}

/// Returns the label that a search has found.
fn found(out: &Outcome, (call, area): (usize, u16)) -> Option<[u8; 11]> {
    (out.al(call) == 0).then(|| out.bytes(area + 8, 11).try_into().expect("eleven bytes"))
}

#[test]
fn extended_fcbs_rename_delete_and_create_the_label() {
    let mut p = Probe::new();
    let mut rename = label(b"KAMEN_?    ");
    rename[0x18..0x23].copy_from_slice(b"OTHER_?????");
    let rename = p.bytes(&rename);
    let renamed = p.dos(0x1700, &[(Dx, rename.into())]);
    let first = search(&mut p);
    let second = p.bytes(&label(b"NEW  LABEL1"));
    let refused = p.dos(0x1600, &[(Dx, second.into())]);
    let error = p.dos(0x5900, &[(Bx, 0.into())]);
    let all = p.bytes(&label(b"???????????"));
    let deleted = p.dos(0x1300, &[(Dx, all.into())]);
    let none = search(&mut p);
    let again = p.dos(0x1300, &[(Dx, all.into())]);
    let serial = p.space(25);
    p.dos(0x6900, &[(Bx, 3.into()), (Dx, serial.into())]);
    let created = p.dos(0x1600, &[(Dx, second.into())]);
    let closed = p.dos(0x1000, &[(Dx, second.into())]);
    let last = search(&mut p);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!([renamed, refused, deleted, again].map(|call| out.al(call)), [0, 0xff, 0, 0xff]);
    assert_eq!(found(&out, first), Some(*b"OTHER_C    "));
    assert_eq!(out.ax(error), 0x52);
    assert_eq!(found(&out, none), None);
    // RBIL INT 21/AX=6900, table 01766: "NO NAME    " if there is none.
    assert_eq!(out.bytes(serial + 6, 11), b"NO NAME    ");
    assert_eq!([created, closed].map(|call| out.al(call)), [0, 0]);
    assert_eq!(found(&out, last), Some(*b"NEW  LABEL1"));
}

#[test]
fn a_label_is_found_from_any_directory() {
    let mut p = Probe::new();
    let sub = p.text("SUB");
    p.dos(0x3b00, &[(Dx, sub.into())]);
    let label = search(&mut p);
    let mut host = MemoryHost::new(b"");
    host.add_directory("sub");
    let out = p.run(host);
    assert_eq!(found(&out, label), Some(*b"KAMEN_C    "));
}

#[test]
fn a_label_is_created_as_a_file_with_attribute_08() {
    let mut p = Probe::new();
    let name = p.text("C:\\BACKUP12.345");
    let refused = p.dos(0x3c00, &[(Dx, name.into()), (Cx, 8.into())]);
    let all = p.bytes(&label(b"???????????"));
    p.dos(0x1300, &[(Dx, all.into())]);
    let created = p.dos(0x3c00, &[(Dx, name.into()), (Cx, 8.into())]);
    let closed = p.dos(0x3e00, &[(Bx, Value::After(created, Ax))]);
    let area = p.space(64);
    p.dos(0x1a00, &[(Dx, area.into())]);
    let pattern = p.text("C:\\*.*");
    let search = p.dos(0x4e00, &[(Dx, pattern.into()), (Cx, 8.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!(out.result(refused), Err(0x52));
    assert!([created, closed, search].iter().all(|call| out.result(*call).is_ok()));
    assert_eq!(
        (out.text(area + 0x1e), out.bytes(area + 0x15, 1)[0] & 8),
        ("BACKUP12.345".into(), 8)
    );
    assert!(out.host.file("BACKUP12.345").is_none());
}
