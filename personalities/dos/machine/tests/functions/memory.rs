//! Functions 48 to 4A and 58: memory blocks.

use crate::probe::{Probe, Reg, Value};
use crate::support::MemoryHost;
use Reg::{Ax, Bx, Es};

/// Shrinks the program to 64 KiB, as its first call.
fn shrink(p: &mut Probe) {
    p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0x1000.into())]);
}

#[test]
fn f48_f49_give_and_take() {
    let mut p = Probe::new();
    let none = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    shrink(&mut p);
    let block = p.dos(0x4800, &[(Bx, 0x100.into())]);
    let largest = p.dos(0x4800, &[(Bx, 0xffff.into())]);
    let free = p.dos(0x4900, &[(Es, Value::After(block, Ax))]);
    let bad = p.dos(0x4900, &[(Es, 0x1234.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.result(none), out.result(largest)), (Err(8), Err(8)));
    // A program has the largest block, so that nothing of size is left before it shrinks.
    assert!(out.word(largest, Bx) > out.word(none, Bx));
    assert!(out.result(block).is_ok() && out.result(free).is_ok());
    assert_eq!(out.result(bad), Err(9));
}

#[test]
fn f4a_grows_as_far_as_there_is_room() {
    let mut p = Probe::new();
    shrink(&mut p);
    let too_much = p.dos(0x4a00, &[(Es, Value::Own), (Bx, 0xffff.into())]);
    let most = p.dos(0x4a00, &[(Es, Value::Own), (Bx, Value::After(too_much, Bx))]);
    let bad = p.dos(0x4a00, &[(Es, 0x1234.into()), (Bx, 1.into())]);
    let out = p.run(MemoryHost::new(b""));
    // Seven where no block is (MS-DOS 4.0, ALLOC.ASM, setblock_bad).
    assert_eq!((out.result(too_much), out.result(bad)), (Err(8), Err(7)));
    assert!(out.result(most).is_ok());
}

#[test]
fn f58_strategies_choose_the_end() {
    let mut p = Probe::new();
    shrink(&mut p);
    let old = p.dos(0x5800, &[]);
    p.dos(0x5801, &[(Bx, 2.into())]);
    let high = p.dos(0x4800, &[(Bx, 0x10.into())]);
    p.dos(0x5801, &[(Bx, 0.into())]);
    let low = p.dos(0x4800, &[(Bx, 0x10.into())]);
    let bad = p.dos(0x5801, &[(Bx, 3.into())]);
    p.dos(0x5801, &[(Bx, 0x81.into())]);
    let upper = p.dos(0x5800, &[]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.ax(old), out.ax(upper), out.result(bad)), (0, 0x81, Err(1)));
    assert_eq!(out.ax(high), 0x9fff - 0x10);
    assert!(out.ax(low) < out.ax(high));
}

#[test]
fn f58_links_upper_memory() {
    let mut p = Probe::new();
    shrink(&mut p);
    let before = p.dos(0x5802, &[]);
    p.dos(0x5801, &[(Bx, 0x40.into())]);
    let apart = p.dos(0x4800, &[(Bx, 0x10.into())]);
    let link = p.dos(0x5803, &[(Bx, 1.into())]);
    let linked = p.dos(0x5802, &[]);
    let upper = p.dos(0x4800, &[(Bx, 0x10.into())]);
    let too_much = p.dos(0x4800, &[(Bx, 0x4000.into())]);
    p.dos(0x5801, &[(Bx, 0x80.into())]);
    let below = p.dos(0x4800, &[(Bx, 0x4000.into())]);
    p.dos(0x5803, &[(Bx, 0.into())]);
    let free = p.dos(0x4900, &[(Es, Value::After(upper, Ax))]);
    let bad = p.dos(0x5803, &[(Bx, 2.into())]);
    let out = p.run(MemoryHost::new(b""));
    assert_eq!((out.al(before), out.al(linked), out.result(bad)), (0, 1, Err(1)));
    assert!(out.result(link).is_ok() && out.result(free).is_ok());
    // 40h is upper memory only, 80h then below; not linked, both are below (RBIL INT 21/AX=5801).
    assert!(out.ax(apart) < 0xa000 && out.ax(upper) >= 0xa000 && out.ax(below) < 0xa000);
    assert_eq!(out.result(too_much), Err(8));
}

#[test]
fn a_destroyed_chain_is_an_error() {
    let mut p = Probe::new();
    shrink(&mut p);
    let block = p.dos(0x4800, &[(Bx, 0x10.into())]);
    // The header of the block behind it: 10h paragraphs and its own one further on.
    p.poke(Value::After(block, Ax), 0x100.into(), b"XX");
    let out_of_order = p.dos(0x4800, &[(Bx, 1.into())]);
    let free = p.dos(0x4900, &[(Es, Value::After(block, Ax))]);
    let out = p.run(MemoryHost::new(b""));
    // 49 looks at its own block alone (MS-DOS 4.0, ALLOC.ASM, `$DEALLOC`).
    assert_eq!((out.result(out_of_order), out.result(free).is_ok()), (Err(7), true));
}
