//! Programs that probe what few programs use: FCBs, traps, a Ctrl-C handler, the BIOS's keys.

use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, ah, al, ax, bp, bx, byte_ptr, cx, di, dl, ds, dx, es, si, word_ptr,
};

use crate::format::{BUFFER, DATA, com};
use crate::programs::{Assembled, Emitted, dos, exit, labels};

/// Prints the character in DL.
fn put(a: &mut CodeAssembler) -> Emitted {
    dos(a, 0x02)
}

/// Jumps far unless ZF is set: conditional jumps of the 8086 reach 127 bytes only.
fn unless_zero(a: &mut CodeAssembler, target: CodeLabel) -> Emitted {
    let mut zero = a.create_label();
    a.jz(zero)?;
    a.jmp(target)?;
    a.set_label(&mut zero)?;
    a.nop()
}

/// Writes three records to FCB.TMP through an FCB, reads the second one at random and the rest
/// of the file in sequence, prints a character of each, deletes the file.
pub fn fcb_file() -> Assembled {
    const FCB: u32 = DATA;
    com(
        |a| {
            let [mut write, mut failed] = labels(a);
            a.mov(dx, FCB)?;
            dos(a, 0x16)?;
            a.or(al, al)?;
            unless_zero(a, failed)?;
            a.mov(dx, BUFFER)?;
            dos(a, 0x1a)?;
            a.mov(al, 0x41u32)?;
            a.set_label(&mut write)?;
            a.mov(di, BUFFER)?;
            a.mov(cx, 128u32)?;
            a.rep().stosb()?;
            a.push(ax)?;
            a.mov(dx, FCB)?;
            dos(a, 0x15)?;
            a.or(al, al)?;
            a.pop(ax)?;
            unless_zero(a, failed)?;
            a.inc(ax)?;
            a.cmp(al, 0x44u32)?;
            a.jne(write)?;
            a.mov(dx, FCB)?;
            dos(a, 0x10)?;
            dos(a, 0x0f)?;
            a.or(al, al)?;
            unless_zero(a, failed)?;
            // The size is three records of 128 bytes.
            a.cmp(word_ptr(FCB + 0x10), 384u32)?;
            unless_zero(a, failed)?;
            a.mov(word_ptr(FCB + 0x21), 1u32)?;
            a.mov(word_ptr(FCB + 0x23), 0u32)?;
            a.mov(dx, FCB)?;
            dos(a, 0x21)?;
            a.or(al, al)?;
            unless_zero(a, failed)?;
            a.mov(dl, byte_ptr(BUFFER + 5))?;
            put(a)?;
            // The sequential position is where the random read was: B again, then C.
            for _ in 0..2 {
                a.mov(dx, FCB)?;
                dos(a, 0x14)?;
                a.mov(dl, byte_ptr(BUFFER + 127))?;
                put(a)?;
            }
            a.mov(dx, FCB)?;
            dos(a, 0x14)?;
            a.cmp(al, 1u32)?;
            unless_zero(a, failed)?;
            a.mov(dx, FCB)?;
            dos(a, 0x10)?;
            dos(a, 0x13)?;
            a.or(al, al)?;
            unless_zero(a, failed)?;
            exit(a, 0)?;
            a.set_label(&mut failed)?;
            exit(a, 1)
        },
        b"\0FCB     TMP\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    )
}

/// Counts five traced instructions with a handler of interrupt 1, prints the count.
pub fn tracer() -> Assembled {
    com(
        |a| {
            let [mut start, mut handler] = labels(a);
            a.jmp(start)?;
            a.set_label(&mut handler)?;
            a.inc(bp)?;
            a.iret()?;
            a.set_label(&mut start)?;
            // The handler follows this two-byte jump.
            a.mov(dx, 0x102u32)?;
            a.mov(ax, 0x2501u32)?;
            a.int(0x21)?;
            a.xor(bp, bp)?;
            a.pushf()?;
            a.pop(ax)?;
            a.mov(bx, ax)?;
            a.or(ah, 1u32)?;
            a.push(ax)?;
            a.popf()?;
            a.nop()?;
            a.nop()?;
            a.nop()?;
            a.push(bx)?;
            a.popf()?;
            a.mov(dx, bp)?;
            a.add(dl, 0x30u32)?;
            put(a)?;
            exit(a, 0)
        },
        b"",
    )
}

/// Waits for a key with a Ctrl-C handler that prints "break" and has DOS go on waiting.
pub fn breaker() -> Assembled {
    com(
        |a| {
            let [mut start, mut handler] = labels(a);
            a.jmp(start)?;
            a.set_label(&mut handler)?;
            a.push(ax)?;
            a.push(dx)?;
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            a.pop(dx)?;
            a.pop(ax)?;
            a.iret()?;
            a.set_label(&mut start)?;
            a.mov(dx, 0x102u32)?;
            a.mov(ax, 0x2523u32)?;
            a.int(0x21)?;
            dos(a, 0x08)?;
            a.mov(dl, al)?;
            put(a)?;
            exit(a, 0)
        },
        b"break\r\n$",
    )
}

/// Looks for a key with INT 16h in a loop, without ever waiting, and prints it.
pub fn poll_key() -> Assembled {
    com(
        |a| {
            let mut again = a.create_label();
            a.mov(dx, DATA)?;
            dos(a, 0x09)?;
            a.set_label(&mut again)?;
            a.mov(ah, 1u32)?;
            a.int(0x16)?;
            a.jz(again)?;
            a.mov(ah, 0u32)?;
            a.int(0x16)?;
            a.mov(dl, al)?;
            put(a)?;
            exit(a, 0)
        },
        b"polling\r\n$",
    )
}

/// Prints the program's path from behind its environment.
pub fn own_path() -> Assembled {
    com(
        |a| {
            let [mut scan, mut print, mut done] = labels(a);
            a.mov(es, word_ptr(0x2c))?;
            a.xor(di, di)?;
            a.set_label(&mut scan)?;
            a.mov(ax, word_ptr(di).es())?;
            a.inc(di)?;
            a.or(ax, ax)?;
            a.jnz(scan)?;
            a.mov(si, di)?;
            a.add(si, 3u32)?;
            a.push(es)?;
            a.pop(ds)?;
            a.set_label(&mut print)?;
            a.lodsb()?;
            a.or(al, al)?;
            a.jz(done)?;
            a.mov(dl, al)?;
            put(a)?;
            a.jmp(print)?;
            a.set_label(&mut done)?;
            exit(a, 0)
        },
        b"",
    )
}
