//! SORTER: sorts the lines of its input.

use iced_x86::code_asm::{al, ax, bp, bx, byte_ptr, cx, di, dx, si, word_ptr};

use crate::format::{BUFFER, DATA, com};
use crate::programs::{Assembled, dos, exit, labels};

/// Sorts the lines of standard input (up to 28 KiB, 4,000 lines) and writes them with LF.
///
/// BUFFER: the text; 8000h: its lines' offsets; insertion sort; each line ends with 0.
pub fn sorter() -> Assembled {
    const LINES: u32 = 0x8000;
    const NEWLINE: u32 = DATA;
    const ROOM: u32 = LINES - BUFFER - 2;
    com(
        |a| {
            let [mut fill, mut filled, mut split, mut next, mut line] = labels(a);
            let [mut return_, mut sort, mut outer, mut inner, mut compare] = labels(a);
            let [mut smaller, mut insert, mut print, mut measure, mut end] = labels(a);
            let mut measured = a.create_label();
            a.mov(di, BUFFER)?;
            a.set_label(&mut fill)?;
            a.xor(bx, bx)?;
            a.mov(cx, BUFFER + ROOM)?;
            a.sub(cx, di)?;
            a.jz(filled)?;
            a.mov(dx, di)?;
            dos(a, 0x3f)?;
            a.jc(filled)?;
            a.or(ax, ax)?;
            a.jz(filled)?;
            a.add(di, ax)?;
            a.jmp(fill)?;
            a.set_label(&mut filled)?;
            // Split into lines: SI reads, BP writes their offsets, DI is the end.
            a.mov(byte_ptr(di), 0u32)?;
            a.mov(si, BUFFER)?;
            a.mov(bp, LINES)?;
            a.set_label(&mut line)?;
            a.cmp(si, di)?;
            a.jae(sort)?;
            a.mov(word_ptr(bp).ds(), si)?;
            a.add(bp, 2u32)?;
            a.set_label(&mut next)?;
            a.lodsb()?;
            a.cmp(al, 0x0du32)?;
            a.je(return_)?;
            a.cmp(al, 0x0au32)?;
            a.je(split)?;
            a.cmp(si, di)?;
            a.jbe(next)?;
            a.jmp(line)?;
            a.set_label(&mut return_)?;
            a.mov(byte_ptr(si - 1), 0u32)?;
            a.jmp(next)?;
            a.set_label(&mut split)?;
            a.mov(byte_ptr(si - 1), 0u32)?;
            a.jmp(line)?;
            // Insertion sort: BX walks up, DX is the line to insert, DI its place.
            a.set_label(&mut sort)?;
            a.mov(bx, LINES)?;
            a.set_label(&mut outer)?;
            a.cmp(bx, bp)?;
            a.jae(print)?;
            a.mov(dx, word_ptr(bx))?;
            a.mov(cx, bx)?;
            a.set_label(&mut inner)?;
            a.cmp(cx, LINES)?;
            a.je(insert)?;
            a.mov(di, cx)?;
            a.mov(si, word_ptr(di - 2))?;
            a.mov(di, dx)?;
            a.set_label(&mut compare)?;
            a.mov(al, byte_ptr(si))?;
            a.cmp(al, byte_ptr(di))?;
            a.jb(insert)?;
            a.ja(smaller)?;
            a.or(al, al)?;
            a.jz(insert)?;
            a.inc(si)?;
            a.inc(di)?;
            a.jmp(compare)?;
            a.set_label(&mut smaller)?;
            a.mov(di, cx)?;
            a.mov(ax, word_ptr(di - 2))?;
            a.mov(word_ptr(di), ax)?;
            a.sub(cx, 2u32)?;
            a.jmp(inner)?;
            a.set_label(&mut insert)?;
            a.mov(di, cx)?;
            a.mov(word_ptr(di), dx)?;
            a.add(bx, 2u32)?;
            a.jmp(outer)?;
            // Print: each line, then LF.
            a.set_label(&mut print)?;
            a.mov(di, LINES)?;
            a.set_label(&mut measure)?;
            a.cmp(di, bp)?;
            a.jae(end)?;
            a.mov(dx, word_ptr(di))?;
            a.mov(si, dx)?;
            let mut scan = a.create_label();
            a.set_label(&mut scan)?;
            a.lodsb()?;
            a.or(al, al)?;
            a.jnz(scan)?;
            a.set_label(&mut measured)?;
            a.mov(cx, si)?;
            a.sub(cx, dx)?;
            a.dec(cx)?;
            a.mov(bx, 1u32)?;
            dos(a, 0x40)?;
            a.mov(cx, 1u32)?;
            a.mov(dx, NEWLINE)?;
            dos(a, 0x40)?;
            a.add(di, 2u32)?;
            a.jmp(measure)?;
            a.set_label(&mut end)?;
            exit(a, 0)
        },
        b"\n",
    )
}
