//! Programs that end in other ways than by themselves: interrupted, cut off, faulting.

use iced_x86::code_asm::{al, bx, dl, dx};

use crate::format::{DATA, com};
use crate::programs::{Assembled, dos, exit};

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
