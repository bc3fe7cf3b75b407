//! Programs that end in other ways than by themselves: interrupted, cut off, faulting.

use iced_x86::code_asm::{al, ax, bx, cs, cx, di, dl, dx, es};

use crate::format::{DATA, com};
use crate::programs::{Assembled, dos, exit, labels};

/// Prints a line for ever: ends when nobody reads any more.
pub fn endless() -> Assembled {
    com(
        |a| {
            let mut again = a.create_label();
            a.mov(dx, DATA)?;
            a.set_label(&mut again)?;
            dos(a, 0x09)?;
            a.jmp(again)
        },
        b"y\r\n$",
    )
}

/// Spins: nothing but Ctrl-C ends it.
pub fn spin() -> Assembled {
    com(
        |a| {
            let mut again = a.create_label();
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            a.set_label(&mut again)?;
            a.jmp(again)
        },
        b"spinning\r\n$",
    )
}

/// Waits for a key and prints it.
pub fn wait_key() -> Assembled {
    com(
        |a| {
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            dos(a, 0x08)?;
            a.mov(dl, al)?;
            dos(a, 0x02)?;
            exit(a, 0)
        },
        b"waiting\r\n$",
    )
}

/// Executes an undefined instruction at offset 102h.
pub fn bad_code() -> Assembled {
    com(
        |a| {
            a.nop()?;
            a.nop()?;
            a.db(&[0x0f, 0xff])
        },
        b"",
    )
}

/// Divides by zero.
pub fn divide_by_zero() -> Assembled {
    com(
        |a| {
            a.xor(bx, bx)?;
            a.div(bx)?;
            exit(a, 0)
        },
        b"",
    )
}

/// Halts with interrupts off at offset 101h: on a PC only a reset goes on from there.
pub fn stopped() -> Assembled {
    com(
        |a| {
            a.cli()?;
            a.hlt()
        },
        b"",
    )
}

/// Overwrites all memory below A000:0000 but its own 64 KiB, vectors, DOS and all, with a word that is
/// HLT at even addresses, and calls DOS: by a vector that points to 34F4:34F4.
pub fn wild() -> Assembled {
    com(
        |a| {
            let [mut next, mut skip] = labels(a);
            a.cli()?;
            a.cld()?;
            a.mov(dx, cs)?;
            a.xor(bx, bx)?;
            a.mov(ax, 0x34f4u32)?;
            a.set_label(&mut next)?;
            a.mov(cx, bx)?;
            a.sub(cx, dx)?;
            a.cmp(cx, 0x1000u32)?;
            a.jb(skip)?;
            a.mov(es, bx)?;
            a.xor(di, di)?;
            a.mov(cx, 8u32)?;
            a.rep().stosw()?;
            a.set_label(&mut skip)?;
            a.inc(bx)?;
            a.cmp(bx, 0xa000u32)?;
            a.jb(next)?;
            a.int(0x21)
        },
        b"",
    )
}
