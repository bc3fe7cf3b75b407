//! Function 5C: locks are a program's (decisions/0082).

use crate::probe::{Probe, Reg, Value};
use crate::programs::{execute, host, parent};
use Reg::{Ax, Bx, Dx, Si};

/// Locks bytes 0 to 4 of handle 5, which it inherits, and ends with the error or with 0.
const LOCKS: &[u8] = b"\xb8\x00\x5c\xbb\x05\x00\x31\xc9\x31\xd2\x31\xf6\xbf\x05\x00\xcd\x21\
    \xb4\x4c\xcd\x21";
/// Unlocks them.
const UNLOCKS: &[u8] = b"\xb8\x01\x5c\xbb\x05\x00\x31\xc9\x31\xd2\x31\xf6\xbf\x05\x00\xcd\x21\
    \xb4\x4c\xcd\x21";
/// Reads a byte from handle 5 and ends with how many came, or with the error.
const READS: &[u8] = b"\xb4\x3f\xbb\x05\x00\xb9\x01\x00\xba\x00\x02\xcd\x21\xb4\x4c\xcd\x21";

#[test]
fn locks_are_a_program_s_and_end_with_it() {
    let (mut p, block) = parent();
    let name = p.text("DATA.TXT");
    let open = p.dos(0x3d42, &[(Dx, name.into())]);
    let handle = (Bx, Value::After(open, Ax));
    let range = [(Reg::Cx, 0.into()), (Dx, 0.into()), (Si, 0.into()), (Reg::Di, 5.into())];
    let run = |p: &mut Probe, name| {
        execute(p, block, 0, name);
        p.dos(0x4d00, &[])
    };
    let first = run(&mut p, "LOCKS.COM");
    let locked = p.dos(0x5c00, &[vec![handle], range.to_vec()].concat());
    let others = ["LOCKS.COM", "UNLOCKS.COM", "READS.COM"].map(|name| run(&mut p, name));
    let own = p.dos(0x3f00, &[handle, (Reg::Cx, 1.into()), (Dx, name.into())]);
    let closed = p.dos(0x3e00, &[handle]);
    let mut host = host();
    for (name, bytes) in [("locks.com", LOCKS), ("unlocks.com", UNLOCKS), ("reads.com", READS)] {
        host.add(name, bytes);
    }
    host.add("data.txt", b"0123456789");
    let out = p.run(host);
    // The child's lock has ended with it: its parent can lock the same bytes (RBIL INT 21/AH=5C).
    assert_eq!((out.al(first), out.result(locked).is_ok()), (0, true));
    assert_eq!(others.map(|call| out.al(call)), [0x21; 3]);
    assert_eq!((out.result(own), out.result(closed).is_ok()), (Ok(1), true));
    assert_eq!(out.host.locks, []);
}

#[test]
fn what_is_left_locked_ends_with_its_handle() {
    let mut p = Probe::new();
    let name = p.text("DATA.TXT");
    let opens = [(); 2].map(|()| p.dos(0x3d42, &[(Dx, name.into())]));
    let range = [(Reg::Cx, 0.into()), (Dx, 0.into()), (Si, 0.into()), (Reg::Di, 5.into())];
    let lock = |p: &mut Probe, open| {
        p.dos(0x5c00, &[vec![(Bx, Value::After(open, Ax))], range.to_vec()].concat())
    };
    lock(&mut p, opens[0]);
    let excluded = lock(&mut p, opens[1]);
    p.dos(0x3e00, &[(Bx, Value::After(opens[0], Ax))]);
    let free = lock(&mut p, opens[1]);
    let mut host = host();
    host.add("data.txt", b"0123456789");
    let out = p.run(host);
    assert_eq!(out.result(excluded), Err(0x21));
    assert!(out.result(free).is_ok());
}

/// Locks one byte of handle 5 after the other until that fails; the error's code is the exit code, how
/// many there were is written to the file behind them.
fn locks_all() -> Vec<u8> {
    use iced_x86::code_asm::{ah, ax, bp, bx, cx, di, dx, si, word_ptr};
    crate::support::assembled::com(|a| {
        let mut next = a.create_label();
        a.xor(bp, bp)?;
        a.set_label(&mut next)?;
        a.mov(bx, 5u32)?;
        a.xor(cx, cx)?;
        a.mov(dx, bp)?;
        a.xor(si, si)?;
        a.mov(di, 1u32)?;
        a.inc(bp)?;
        a.mov(ax, 0x5c00u32)?;
        a.int(0x21)?;
        a.jnc(next)?;
        a.push(ax)?;
        a.dec(bp)?;
        a.mov(word_ptr(0x200), bp)?;
        a.mov(bx, 1u32)?;
        a.mov(cx, 2u32)?;
        a.mov(dx, 0x200u32)?;
        a.mov(ah, 0x40u32)?;
        a.int(0x21)?;
        a.pop(ax)?;
        a.mov(ah, 0x4cu32)?;
        a.int(0x21)
    })
}

/// RBIL table 01680: 24h is "sharing buffer overflow"; a session has 1,024 locks, a host fewer or more.
#[test]
fn locks_beyond_the_bound_are_error_24() {
    for (most, expected) in [(usize::MAX, 1024u16), (10, 10)] {
        let (mut p, block) = parent();
        let name = p.text("DATA.TXT");
        p.dos(0x3d42, &[(Dx, name.into())]);
        execute(&mut p, block, 0, "ALL.COM");
        let code = p.dos(0x4d00, &[]);
        let mut host = host();
        host.add("all.com", &locks_all());
        host.add("data.txt", b"0123456789");
        host.most_locks = most;
        let out = p.run(host);
        assert_eq!(out.ax(code), 0x24);
        assert_eq!(out.host.output, expected.to_le_bytes());
        // They have ended with the child.
        assert_eq!(out.host.locks, []);
    }
}
