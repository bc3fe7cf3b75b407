//! Programs that use memory beyond 640 KiB: XMS, upper memory, the HMA, EMS.

#[path = "memory/expanded.rs"]
mod expanded;
mod support;

use dos_machine::End;
use iced_x86::code_asm::*;
use support::assembled::{Emitted, com, exit};
use support::{MemoryHost, run};

/// Where the programs keep the XMS driver's entry, results, and buffers.
const ENTRY: u32 = 0x2000;
const RESULTS: u32 = 0x2100;
const BLOCK: u32 = 0x2200;
const BUFFER: u32 = 0x3000;

/// Runs a .COM program that stores words at RESULTS, from DI on; returns them.
fn results(emit: impl FnOnce(&mut CodeAssembler) -> Emitted) -> Vec<u16> {
    let program = com(|a| {
        a.cld()?;
        a.mov(di, RESULTS)?;
        emit(a)?;
        a.mov(dx, RESULTS)?;
        a.mov(cx, di)?;
        a.sub(cx, dx)?;
        a.mov(bx, 1u32)?;
        a.mov(ax, cs)?;
        a.mov(ds, ax)?;
        a.mov(ah, 0x40u32)?;
        a.int(0x21)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.add("TEST.COM", &program);
    let (end, host) = run(host, "TEST.COM", &[]);
    assert_eq!(end, End::Exit(0));
    host.output.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Stores AX as a result.
fn keep(a: &mut CodeAssembler) -> Emitted {
    a.mov(word_ptr(di).cs(), ax)?;
    a.add(di, 2u32)
}

fn keep_register(a: &mut CodeAssembler, register: AsmRegister16) -> Emitted {
    a.push(ax)?;
    a.mov(ax, register)?;
    keep(a)?;
    a.pop(ax)
}

/// Gets the driver's entry (RBIL INT 2F/AX=4300, 4310).
fn find_xms(a: &mut CodeAssembler) -> Emitted {
    a.mov(ax, 0x4300u32)?;
    a.int(0x2f)?;
    a.mov(ah, 0u32)?;
    keep(a)?;
    a.push(es)?;
    a.mov(ax, 0x4310u32)?;
    a.int(0x2f)?;
    a.mov(word_ptr(ENTRY), bx)?;
    a.mov(word_ptr(ENTRY + 2), es)?;
    a.pop(es)
}

fn xms(a: &mut CodeAssembler, function: u32) -> Emitted {
    a.mov(ah, function)?;
    // call far [ENTRY]
    a.db(&[0x2e, 0xff, 0x1e, ENTRY as u8, (ENTRY >> 8) as u8])
}

/// Fills a block of words for a move.
fn move_words(a: &mut CodeAssembler, words: &[Option<u32>]) -> Emitted {
    for (place, word) in words.iter().enumerate() {
        let at = BLOCK + place as u32 * 2;
        match word {
            Some(word) => a.mov(word_ptr(at), *word)?,
            // The handle in BP.
            None => a.mov(word_ptr(at), bp)?,
        }
    }
    a.mov(si, BLOCK)
}

#[test]
fn extended_memory_keeps_what_is_moved_there() {
    let found = results(|a| {
        find_xms(a)?;
        xms(a, 0x00)?;
        keep(a)?;
        xms(a, 0x08)?;
        keep_register(a, dx)?;
        a.mov(dx, 100u32)?;
        xms(a, 0x09)?;
        keep(a)?;
        a.mov(bp, dx)?;
        a.mov(word_ptr(BUFFER), 0x1234u32)?;
        a.mov(word_ptr(BUFFER + 2), 0x5678u32)?;
        // Length, source 0 and DS:BUFFER, target handle and offset 18000h.
        move_words(
            a,
            &[Some(4), Some(0), Some(0), Some(BUFFER), Some(0), None, Some(0x8000), Some(1)],
        )?;
        a.mov(word_ptr(BLOCK + 8), ds)?;
        xms(a, 0x0b)?;
        keep(a)?;
        move_words(a, &[Some(2), Some(0), None, Some(0x8002), Some(1), Some(0), Some(BUFFER + 8)])?;
        a.mov(word_ptr(BLOCK + 14), ds)?;
        xms(a, 0x0b)?;
        a.mov(ax, word_ptr(BUFFER + 8))?;
        keep(a)?;
        // One byte further than 100 KiB: an invalid source offset.
        move_words(a, &[Some(4), Some(0), None, Some(0x8ffe), Some(1)])?;
        xms(a, 0x0b)?;
        a.mov(ah, bl)?;
        keep(a)?;
        // An odd length.
        a.mov(word_ptr(BLOCK), 3u32)?;
        xms(a, 0x0b)?;
        a.mov(ah, bl)?;
        keep(a)?;
        // Locked blocks stay.
        a.mov(dx, bp)?;
        xms(a, 0x0c)?;
        a.mov(dx, bp)?;
        xms(a, 0x0a)?;
        a.mov(ah, bl)?;
        keep(a)?;
        a.mov(dx, bp)?;
        xms(a, 0x0d)?;
        a.mov(dx, bp)?;
        xms(a, 0x0a)?;
        keep(a)?;
        xms(a, 0x08)?;
        keep_register(a, dx)?;
        xms(a, 0x7f)?;
        a.mov(ah, bl)?;
        keep(a)
    });
    let expected = [0x80, 0x300, 4096, 1, 1, 0x5678, 0xa400, 0xa700, 0xab00, 1, 4096, 0x8000];
    assert_eq!(found, expected);
}

#[test]
fn upper_memory_is_given_out_in_paragraphs() {
    let found = results(|a| {
        find_xms(a)?;
        a.mov(dx, 0xffffu32)?;
        xms(a, 0x10)?;
        a.mov(ah, bl)?;
        keep(a)?;
        keep_register(a, dx)?;
        a.mov(dx, 0x800u32)?;
        xms(a, 0x10)?;
        keep(a)?;
        keep_register(a, bx)?;
        a.mov(dx, 0x800u32)?;
        xms(a, 0x10)?;
        keep_register(a, bx)?;
        a.mov(dx, 0x1u32)?;
        xms(a, 0x10)?;
        a.mov(ah, bl)?;
        keep(a)?;
        a.mov(dx, 0xe000u32)?;
        xms(a, 0x11)?;
        keep(a)?;
        a.mov(dx, 0xe000u32)?;
        xms(a, 0x11)?;
        a.mov(ah, bl)?;
        keep(a)
    });
    // RBIL: B0 a smaller one is there, B1 none is, B2 the segment is none.
    assert_eq!(found, [0x80, 0xb000, 0x1000, 1, 0xe000, 0xe800, 0xb100, 1, 0xb200]);
}

#[test]
fn the_high_memory_area_is_there_with_a20_on() {
    let found = results(|a| {
        find_xms(a)?;
        a.mov(dx, 0xffffu32)?;
        xms(a, 0x01)?;
        keep(a)?;
        xms(a, 0x01)?;
        a.mov(ah, bl)?;
        keep(a)?;
        a.mov(ax, 0xffffu32)?;
        a.mov(es, ax)?;
        // 0000:0500 and FFFF:0510 are the same byte, until A20 is on.
        a.push(ds)?;
        a.mov(ax, 0u32)?;
        a.mov(ds, ax)?;
        a.mov(word_ptr(0x500), 0x1111u32)?;
        a.mov(ax, word_ptr(0x510).es())?;
        keep(a)?;
        xms(a, 0x05)?;
        a.mov(word_ptr(0x510).es(), 0x2222u32)?;
        a.mov(ax, word_ptr(0x500))?;
        keep(a)?;
        // A program there: mov ax, 3333h; retf.
        a.mov(word_ptr(0x600).es(), 0x33b8u32)?;
        a.mov(word_ptr(0x602).es(), 0xcb33u32)?;
        a.db(&[0x9a, 0x00, 0x06, 0xff, 0xff])?;
        keep(a)?;
        xms(a, 0x07)?;
        keep(a)?;
        xms(a, 0x06)?;
        a.mov(ax, word_ptr(0x510).es())?;
        keep(a)?;
        a.mov(al, 2u32)?;
        a.out(0x92u32, al)?;
        a.mov(ax, word_ptr(0x510).es())?;
        keep(a)?;
        a.pop(ds)
    });
    assert_eq!(found, [0x80, 1, 0x9100, 0x1111, 0x1111, 0x3333, 1, 0x1111, 0x2222]);
}
