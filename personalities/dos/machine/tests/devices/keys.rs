//! Keys as programs see them that look at shifts, or at the controller beside the BIOS.

use dos_machine::End;
use iced_x86::code_asm::*;

use crate::support::MemoryHost;
use crate::support::assembled::{Emitted, com, exit};
use crate::{run_program, set_vector, show_ax, typed, words};

/// Where a program keeps words, and the name of the file that it writes them to.
const KEPT: u32 = 0x800;
const NAME: u32 = 0x7f0;

/// Keeps AX; `write_kept` writes it. DI counts.
fn keep(a: &mut CodeAssembler) -> Emitted {
    a.mov(word_ptr(di), ax)?;
    a.add(di, 2u32)
}

/// Writes what was kept to the file "O", and ends.
fn write_kept(a: &mut CodeAssembler) -> Emitted {
    a.mov(word_ptr(NAME), u32::from(b'O'))?;
    a.mov(dx, NAME)?;
    a.mov(cx, 0u32)?;
    a.mov(ah, 0x3cu32)?;
    a.int(0x21)?;
    a.mov(bx, ax)?;
    a.mov(cx, di)?;
    a.sub(cx, KEPT)?;
    a.mov(dx, KEPT)?;
    a.mov(ah, 0x40u32)?;
    a.int(0x21)?;
    exit(a)
}

#[test]
fn a_hooked_interrupt_leaves_its_scan_code_to_the_bios() {
    // As resident programs look for their key: they read port 60, and IBM's INT 9, which they jump to,
    // reads it again. It holds a code until the keyboard has sent the next one, eleven bits at 10 to
    // 16.7 kHz later (IBM PC AT Technical Reference, "Keyboard", "Data Stream").
    let program = com(|a| {
        let [mut start, mut next] = [a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.push(ax)?;
        a.in_(al, 0x60u32)?;
        a.cmp(al, 0x44u32)?;
        a.pop(ax)?;
        // jmp far cs:[0910]
        a.db(&[0x2e, 0xff, 0x2e, 0x10, 0x09])?;
        a.set_label(&mut start)?;
        a.mov(ax, 0x3509u32)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x910), bx)?;
        a.mov(word_ptr(0x912), es)?;
        set_vector(a, 9)?;
        a.mov(cx, 5u32)?;
        a.mov(di, KEPT)?;
        a.set_label(&mut next)?;
        a.mov(ah, 0u32)?;
        a.int(0x16)?;
        keep(a)?;
        a.loop_(next)?;
        write_kept(a)
    });
    let mut host = typed(b"aB\x1b[Ac\r");
    host.step = 1000;
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    assert_eq!(words(host.file("O").expect("a file")), [0x1e61, 0x3042, 0x4800, 0x2e63, 0x1c0d]);
}

#[test]
fn shifts_are_held_when_the_key_arrives() {
    // Editors mark with shift and arrows: they look at INT 16h/02 when they have the key. RBIL INT
    // 16/AH=02: bit 1 left shift, 2 Ctrl, 3 Alt. A while later nobody holds them any more.
    let program = com(|a| {
        let [mut next, mut wait] = [a.create_label(), a.create_label()];
        a.mov(cx, 4u32)?;
        a.mov(di, KEPT)?;
        a.set_label(&mut next)?;
        a.mov(ah, 0x10u32)?;
        a.int(0x16)?;
        a.mov(bx, ax)?;
        // What a program does first with a key takes time, too.
        a.mov(dx, 20_000u32)?;
        a.set_label(&mut wait)?;
        a.dec(dx)?;
        a.jnz(wait)?;
        a.mov(ah, 2u32)?;
        a.int(0x16)?;
        a.mov(ah, bh)?;
        keep(a)?;
        a.loop_(next)?;
        a.mov(cx, 2u32)?;
        a.mov(dx, 0u32)?;
        a.mov(ah, 0x86u32)?;
        a.int(0x15)?;
        a.mov(ax, 0x0200u32)?;
        a.int(0x16)?;
        a.mov(ah, 0u32)?;
        keep(a)?;
        write_kept(a)
    });
    let mut host = typed(b"\x1b[1;2D\x1b[1;2C\x1b[1;5C\x1bx");
    host.step = 1000;
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    assert_eq!(words(host.file("O").expect("a file")), [0x4b02, 0x4d02, 0x7404, 0x2d08, 0]);
}

#[test]
fn a_key_is_down_for_a_while() {
    // A program that keeps its own table of keys looks into it now and then: here every 20 ms.
    let program = com(|a| {
        let [mut start, mut handler, mut again, mut seen] =
            [a.create_label(), a.create_label(), a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.set_label(&mut handler)?;
        a.push(ax)?;
        a.in_(al, 0x60u32)?;
        a.mov(byte_ptr(0x900).cs(), al)?;
        a.mov(al, 0x20u32)?;
        a.out(0x20u32, al)?;
        a.pop(ax)?;
        a.iret()?;
        a.set_label(&mut start)?;
        a.mov(byte_ptr(0x900), 0u32)?;
        set_vector(a, 9)?;
        a.set_label(&mut again)?;
        a.mov(cx, 0u32)?;
        a.mov(dx, 20_000u32)?;
        a.mov(ah, 0x86u32)?;
        a.int(0x15)?;
        a.cmp(byte_ptr(0x900), 0x1eu32)?;
        a.jne(again)?;
        a.set_label(&mut seen)?;
        exit(a)
    });
    let mut host = typed(b"a");
    host.step = 1000;
    host.ends_at = Some(10_000_000_000);
    assert_eq!(run_program(host, &program).0, End::Exit(0));
}

#[test]
fn the_controller_passes_bytes_as_if_they_had_been_typed() {
    // IBM PS/2 Keyboard and Auxiliary Device Controller Technical Reference, command D2.
    let program = com(|a| {
        for code in [0x1eu32, 0x9e] {
            a.mov(al, 0xd2u32)?;
            a.out(0x64u32, al)?;
            a.mov(al, code)?;
            a.out(0x60u32, al)?;
        }
        a.mov(ah, 0u32)?;
        a.int(0x16)?;
        show_ax(a)?;
        exit(a)
    });
    let (end, host) = run_program(MemoryHost::new(b""), &program);
    assert_eq!((end, words(&host.output)), (End::Exit(0), vec![0x1e61]));
}
