//! Ctrl-C and Ctrl-Break: what programs see of them.
//!
//! Expected: RBIL INT 1B, INT 23, INT 21/AH=33 and the functions' own pages; MS-DOS Programmer's
//! Reference, "Ctrl+C".

mod support;

use dos_machine::End;
use iced_x86::code_asm::*;
use support::assembled::{Emitted, com, exit, exit_al};
use support::{MemoryHost, run};

/// When Ctrl-C is typed, and when somebody ends what goes on.
const SOON: u64 = 300_000_000;
const LATE: u64 = 5_000_000_000;
/// Where a handler counts.
const COUNT: u32 = 0x900;
/// Functions that are no characters'.
const TIME: u32 = 0x2c00;

/// Runs a program at a terminal at which Ctrl-C is typed so often.
fn typed(times: u32, program: &[u8]) -> End {
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.interrupt_at = Some(SOON);
    host.interrupts_left = times;
    host.ends_at = Some(LATE);
    host.add("TEST.COM", program);
    run(host, "TEST.COM", &[]).0
}

/// Calls an interrupt with AX, for about two seconds of ticks.
fn call_for_two_seconds(a: &mut CodeAssembler, interrupt: i32, function: u32) -> Emitted {
    let mut again = a.create_label();
    a.push(ds)?;
    a.mov(bx, 0x40u32)?;
    a.mov(ds, bx)?;
    a.mov(si, word_ptr(0x6c))?;
    a.pop(ds)?;
    a.set_label(&mut again)?;
    a.mov(ax, function)?;
    a.int(interrupt)?;
    a.push(ds)?;
    a.mov(bx, 0x40u32)?;
    a.mov(ds, bx)?;
    a.mov(bx, word_ptr(0x6c))?;
    a.pop(ds)?;
    a.sub(bx, si)?;
    a.cmp(bx, 36u32)?;
    a.jb(again)
}

/// A program with a handler of an interrupt that counts, and goes on to the old one or not.
fn counting(
    vector: u32,
    chains: bool,
    body: impl FnOnce(&mut CodeAssembler) -> Emitted,
) -> Vec<u8> {
    com(|a| {
        let mut start = a.create_label();
        a.jmp(start)?;
        // The handler follows this two-byte jump.
        a.inc(word_ptr(COUNT).cs())?;
        match chains {
            true => a.db(&[0x2e, 0xff, 0x2e, 0x02, 0x09])?,
            false => a.iret()?,
        }
        a.set_label(&mut start)?;
        a.mov(word_ptr(COUNT), 0u32)?;
        a.mov(ax, 0x3500 + vector)?;
        a.int(0x21)?;
        a.mov(word_ptr(COUNT + 2), bx)?;
        a.mov(word_ptr(COUNT + 4), es)?;
        a.mov(ax, 0x2500 + vector)?;
        a.mov(dx, 0x102u32)?;
        a.int(0x21)?;
        body(a)?;
        a.mov(al, byte_ptr(COUNT))?;
        exit_al(a)
    })
}

#[test]
fn who_reads_keys_by_the_bios_gets_a_key() {
    let program = com(|a| {
        a.mov(ah, 0u32)?;
        a.int(0x16)?;
        // Scan code 2E, character 03.
        a.sub(ax, 0x2e00u32)?;
        exit_al(a)
    });
    assert_eq!(typed(1, &program), End::Exit(3));
}

#[test]
fn who_reads_by_function_07_gets_a_key_and_by_08_not() {
    let reading = |function: u32| {
        com(|a| {
            a.mov(ah, function)?;
            a.int(0x21)?;
            exit_al(a)
        })
    };
    assert_eq!(typed(1, &reading(7)), End::Exit(3));
    assert_eq!(typed(1, &reading(8)), End::Interrupted);
}

#[test]
fn who_looks_for_keys_and_reads_none_is_ended_by_the_third() {
    let program = com(|a| {
        call_for_two_seconds(a, 0x16, 0x0100)?;
        exit(a)
    });
    assert_eq!(typed(2, &program), End::Exit(0));
    assert_eq!(typed(3, &program), End::Interrupted);
}

#[test]
fn a_handler_of_interrupt_1b_sees_the_break_and_need_not_tell_dos() {
    let body = |a: &mut CodeAssembler| call_for_two_seconds(a, 0x21, TIME);
    assert_eq!(typed(1, &counting(0x1b, false, body)), End::Exit(1));
    assert_eq!(typed(2, &counting(0x1b, false, body)), End::Exit(2));
    assert_eq!(typed(1, &counting(0x1b, true, body)), End::Interrupted);
}

#[test]
fn what_the_bios_leaves_of_a_break_is_no_key_for_dos() {
    let program = counting(0x1b, false, |a| {
        call_for_two_seconds(a, 0x21, TIME)?;
        a.mov(ah, 0x0bu32)?;
        a.int(0x21)?;
        // 1 for the handler, and none for a key.
        a.sub(byte_ptr(COUNT), al)
    });
    assert_eq!(typed(1, &program), End::Exit(1));
}

#[test]
fn without_break_on_only_functions_of_characters_look() {
    let quiet = |a: &mut CodeAssembler| call_for_two_seconds(a, 0x21, TIME);
    assert_eq!(typed(1, &counting(0x23, false, quiet)), End::Exit(0));
    let with_break = |a: &mut CodeAssembler| {
        a.mov(ax, 0x3301u32)?;
        a.mov(dl, 1u32)?;
        a.int(0x21)?;
        call_for_two_seconds(a, 0x21, TIME)
    };
    assert_eq!(typed(1, &counting(0x23, false, with_break)), End::Exit(1));
    let then_status = |a: &mut CodeAssembler| {
        call_for_two_seconds(a, 0x21, TIME)?;
        a.mov(ah, 0x0bu32)?;
        a.int(0x21)
    };
    assert_eq!(typed(1, &counting(0x23, false, then_status)), End::Exit(1));
}

#[test]
fn a_function_of_characters_finds_ctrl_c_among_the_keys() {
    let program = counting(0x23, false, |a| {
        call_for_two_seconds(a, 0x16, 0x0100)?;
        a.mov(ah, 2u32)?;
        a.mov(dl, 0x78u32)?;
        a.int(0x21)
    });
    assert_eq!(typed(1, &program), End::Exit(1));
}
