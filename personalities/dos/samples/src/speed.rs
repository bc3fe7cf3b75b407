//! Programs whose time tells the processor's speed: what `cargo xtask bench dos` runs.
//!
//! Each does a fixed amount of work between two lines that tell the time of day as DOS has it, hour,
//! minute, second and hundredth, two digits each.

use iced_x86::code_asm::{
    CodeAssembler, ah, al, ax, bl, bp, bx, byte_ptr, ch, cl, cx, dh, di, dl, dx, ptr, si,
};

use crate::format::{DATA, com};
use crate::programs::{Assembled, Emitted, dos, exit, labels};

/// Where the sieve's flags lie, and MOVES.COM's words from and to.
const FLAGS: u32 = 0x2000;
const FROM: u32 = 0x1000;
const TO: u32 = 0x7800;

/// Marks the multiples among 16,384 numbers; 130 times, about 40 million instructions.
pub fn sieve() -> Assembled {
    timed(130, sift)
}

/// Marks the multiples among 16,384 numbers.
fn sift(a: &mut CodeAssembler) -> Emitted {
    let [mut next, mut mark, mut skip] = core::array::from_fn(|_| a.create_label());
    a.cld()?;
    a.mov(di, FLAGS)?;
    a.mov(cx, 0x4000u32)?;
    a.mov(al, 1u32)?;
    a.rep().stosb()?;
    a.mov(bx, 2u32)?;
    a.set_label(&mut next)?;
    a.cmp(byte_ptr(bx + FLAGS), 0u32)?;
    a.je(skip)?;
    a.mov(si, bx)?;
    a.set_label(&mut mark)?;
    a.add(si, bx)?;
    a.cmp(si, 0x4000u32)?;
    a.jae(skip)?;
    a.mov(byte_ptr(si + FLAGS), 0u32)?;
    a.jmp(mark)?;
    a.set_label(&mut skip)?;
    a.inc(bx)?;
    a.cmp(bx, 0x2000u32)?;
    a.jb(next)
}

/// Counts the primes among 16,384 numbers, 200 times anew, and prints how many there are.
pub fn primes() -> Assembled {
    const DIGITS_END: u32 = DATA + 8;
    com(
        |a| {
            let [mut round, mut next, mut composite, mut digit] = labels(a);
            a.mov(bp, 200u32)?;
            a.set_label(&mut round)?;
            sift(a)?;
            a.dec(bp)?;
            a.jnz(round)?;
            a.xor(ax, ax)?;
            a.mov(bx, 2u32)?;
            a.set_label(&mut next)?;
            a.cmp(byte_ptr(bx + FLAGS), 0u32)?;
            a.je(composite)?;
            a.inc(ax)?;
            a.set_label(&mut composite)?;
            a.inc(bx)?;
            a.cmp(bx, 0x4000u32)?;
            a.jb(next)?;
            a.mov(di, DIGITS_END)?;
            a.mov(bx, 10u32)?;
            a.set_label(&mut digit)?;
            a.xor(dx, dx)?;
            a.div(bx)?;
            a.add(dl, 0x30u32)?;
            a.dec(di)?;
            a.mov(byte_ptr(di), dl)?;
            a.or(ax, ax)?;
            a.jnz(digit)?;
            a.mov(dx, di)?;
            dos(a, 0x09)?;
            exit(a, 0)
        },
        b"        \r\n$",
    )
}

/// Arithmetic on registers in a loop of six instructions, 6.5 million times.
pub fn arithmetic() -> Assembled {
    timed(100, |a| {
        let mut again = a.create_label();
        a.mov(cx, 0u32)?;
        a.set_label(&mut again)?;
        a.add(ax, bx)?;
        a.xor(dx, ax)?;
        a.sub(bx, dx)?;
        a.inc(si)?;
        a.and(di, si)?;
        a.loop_(again)
    })
}

/// Calls a function with MUL and DIV, twelve instructions, 3.2 million times.
pub fn calls() -> Assembled {
    timed(50, |a| {
        let [mut again, mut function, mut over] = core::array::from_fn(|_| a.create_label());
        a.mov(cx, 0u32)?;
        a.set_label(&mut again)?;
        a.push(cx)?;
        a.call(function)?;
        a.pop(cx)?;
        a.loop_(again)?;
        a.jmp(over)?;
        a.set_label(&mut function)?;
        a.mov(ax, 12345u32)?;
        a.mul(cx)?;
        a.mov(bx, 7u32)?;
        a.xor(dx, dx)?;
        a.div(bx)?;
        a.add(ax, dx)?;
        a.ret()?;
        a.set_label(&mut over)?;
        a.nop()
    })
}

/// Moves 26 KiB by REP MOVSW, 60,000 times.
pub fn moves() -> Assembled {
    timed(60_000, |a| {
        a.cld()?;
        a.mov(si, FROM)?;
        a.mov(di, TO)?;
        a.mov(cx, 0x3400u32)?;
        a.rep().movsw()
    })
}

/// Returns a program that does something so many times.
fn timed(rounds: u32, work: impl FnOnce(&mut CodeAssembler) -> Emitted) -> Assembled {
    com(
        |a| {
            let [mut round, mut clock] = core::array::from_fn(|_| a.create_label());
            a.call(clock)?;
            a.mov(bp, rounds)?;
            a.set_label(&mut round)?;
            work(a)?;
            a.dec(bp)?;
            a.jnz(round)?;
            a.call(clock)?;
            exit(a, 0)?;
            a.set_label(&mut clock)?;
            print_time(a)
        },
        b"\r\n$",
    )
}

/// A function that prints the time of day.
fn print_time(a: &mut CodeAssembler) -> Emitted {
    dos(a, 0x2c)?;
    for (place, part) in (DATA + 8..).zip([ch, cl, dh, dl]) {
        a.mov(ptr(place), part)?;
    }
    for place in DATA + 8..DATA + 12 {
        a.mov(al, ptr(place))?;
        a.aam(10)?;
        a.add(ax, 0x3030u32)?;
        a.mov(bx, ax)?;
        a.mov(dl, ah)?;
        dos(a, 0x02)?;
        a.mov(dl, bl)?;
        dos(a, 0x02)?;
    }
    a.mov(dx, DATA)?;
    dos(a, 0x09)?;
    a.ret()
}
