//! Programs for the text screen, and some that wait for ticks.

use iced_x86::code_asm::{CodeAssembler, ah, ax, bx, byte_ptr, cx, di, ds, dx, es, si, word_ptr};

use crate::format::{DATA, com};
use crate::programs::{Assembled, Emitted, dos, exit, labels};

const TEXT: &[u8] = b"full screen";
/// Row 2, column 10 of text memory; and row 4, column 0.
const PLACE: u32 = 2 * 160 + 20;
const KEY_PLACE: u32 = 4 * 160;

/// Stores white text on blue in text memory, shows that the up key was typed, ends at the next key.
pub fn screen() -> Assembled {
    com(
        |a| {
            let [mut next, mut end] = labels(a);
            a.mov(ax, 0xb800u32)?;
            a.mov(es, ax)?;
            a.mov(di, PLACE)?;
            a.mov(si, DATA)?;
            a.mov(cx, TEXT.len() as u32)?;
            a.mov(ah, 0x1fu32)?;
            a.set_label(&mut next)?;
            a.lodsb()?;
            a.stosw()?;
            a.loop_(next)?;
            a.mov(ah, 0u32)?;
            a.int(0x16)?;
            a.cmp(ax, 0x4800u32)?;
            a.jne(end)?;
            a.mov(byte_ptr(KEY_PLACE).es(), u32::from(b'U'))?;
            a.mov(ah, 0u32)?;
            a.int(0x16)?;
            a.set_label(&mut end)?;
            exit(a, 5)
        },
        TEXT,
    )
}

/// Looks at the BIOS's count of ticks until a hundred have passed.
pub fn tick_wait() -> Assembled {
    com(
        |a| {
            let [mut next, mut same] = labels(a);
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            a.mov(ax, 0x40u32)?;
            a.mov(ds, ax)?;
            a.mov(cx, 100u32)?;
            a.set_label(&mut next)?;
            a.mov(bx, word_ptr(0x6c))?;
            a.set_label(&mut same)?;
            a.cmp(bx, word_ptr(0x6c))?;
            a.je(same)?;
            a.loop_(next)?;
            exit(a, 0)
        },
        b"ticking\r\n$",
    )
}

/// Waits for 75 ticks by HLT, then by INT 28h, then by INT 2Fh/1680: each says that there is nothing to
/// do.
pub fn rester() -> Assembled {
    com(
        |a| {
            rest(a, DATA, |a| a.hlt())?;
            rest(a, DATA + 0x10, |a| a.int(0x28))?;
            rest(a, DATA + 0x20, |a| {
                a.mov(ax, 0x1680u32)?;
                a.int(0x2f)
            })?;
            exit(a, 0)
        },
        b"halting\r\n$      idling\r\n$       yielding\r\n$",
    )
}

/// Says what it does, and does it until 75 ticks have passed.
fn rest(
    a: &mut CodeAssembler,
    text: u32,
    nothing: impl FnOnce(&mut CodeAssembler) -> Emitted,
) -> Emitted {
    let mut again = a.create_label();
    a.mov(dx, text)?;
    dos(a, 0x09)?;
    a.mov(ax, 0x40u32)?;
    a.mov(es, ax)?;
    a.mov(si, word_ptr(0x6c).es())?;
    a.set_label(&mut again)?;
    nothing(a)?;
    a.mov(bx, word_ptr(0x6c).es())?;
    a.sub(bx, si)?;
    a.cmp(bx, 75u32)?;
    a.jb(again)
}
