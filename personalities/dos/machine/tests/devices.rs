//! Programs that use the machine's devices and the BIOS's services on them.

#[path = "devices/keys.rs"]
mod keys;
mod support;

use dos_machine::End;
use iced_x86::code_asm::*;
use support::assembled::{Emitted, com, exit, put_ax};
use support::{MemoryHost, run};

fn run_program(mut host: MemoryHost, program: &[u8]) -> (End, MemoryHost) {
    host.add("TEST.COM", program);
    run(host, "TEST.COM", &[])
}

fn typed(keys: &[u8]) -> MemoryHost {
    let mut host = MemoryHost::new(keys);
    host.terminal = true;
    host
}

/// Points an interrupt at what follows the program's first jump, of two bytes.
fn set_vector(a: &mut CodeAssembler, vector: u32) -> Emitted {
    a.mov(ax, 0x2500 + vector)?;
    a.mov(dx, 0x102u32)?;
    a.int(0x21)
}

/// Begins a program that counts ticks by INT 1Ch, in the word at 900.
fn count_ticks(a: &mut CodeAssembler) -> Emitted {
    let mut start = a.create_label();
    a.jmp(start)?;
    a.inc(word_ptr(0x900).cs())?;
    a.iret()?;
    a.set_label(&mut start)?;
    a.mov(word_ptr(0x900), 0u32)?;
    set_vector(a, 0x1c)
}

/// A program that prints AX of INT 16h with this AH until it gets Escape.
fn key_codes(function: u32) -> Vec<u8> {
    com(|a| {
        let mut next = a.create_label();
        let mut last = a.create_label();
        a.set_label(&mut next)?;
        a.mov(ah, function)?;
        a.int(0x16)?;
        a.cmp(ax, 0x011bu32)?;
        a.je(last)?;
        show_ax(a)?;
        a.jmp(next)?;
        a.set_label(&mut last)?;
        exit(a)
    })
}

/// Shows AX by INT 29h as two characters: INT 21h/AH=02 would look for Ctrl-C.
fn show_ax(a: &mut CodeAssembler) -> Emitted {
    a.int(0x29)?;
    a.mov(al, ah)?;
    a.int(0x29)
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn codes(function: u32, keys: &[u8]) -> Vec<u16> {
    // The escape that ends it comes alone.
    let mut host = MemoryHost::new(&[keys, b"\x1b"].concat());
    host.add("KEYS.COM", &key_codes(function));
    let (end, host) = run(host, "KEYS.COM", &[]);
    assert_eq!(end, End::Exit(0));
    words(&host.output)
}

#[test]
fn keys_have_the_codes_of_the_bios() {
    // RBIL INT 16/AH=00: scan code above character; grey keys look like those of the key pad.
    assert_eq!(codes(0, b"aA1\r\t\x7f"), [0x1e61, 0x1e41, 0x0231, 0x1c0d, 0x0f09, 0x0e08]);
    assert_eq!(codes(0, b"\x1b[A\x1bOP\x1b[1;5D\x1bx"), [0x4800, 0x3b00, 0x7300, 0x2d00]);
    assert_eq!(codes(0, "ä\x03".as_bytes()), [0x0084, 0x2e03]);
    // F12 is none of the first keyboards'.
    assert_eq!(codes(0, b"\x1b[24~a"), [0x1e61]);
    assert_eq!(codes(0x10, b"\x1b[24~\x1b[A"), [0x8600, 0x48e0]);
}

#[test]
fn a_hooked_keyboard_interrupt_sees_scan_codes() {
    let program = com(|a| {
        let [mut start, mut handler] = [a.create_label(), a.create_label()];
        let [mut next, mut done] = [a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.set_label(&mut handler)?;
        a.push(ax)?;
        a.in_(al, 0x60u32)?;
        a.stosb()?;
        a.mov(al, 0x20u32)?;
        a.out(0x20u32, al)?;
        a.pop(ax)?;
        a.iret()?;
        a.set_label(&mut start)?;
        set_vector(a, 9)?;
        a.mov(di, 0x800u32)?;
        a.sti()?;
        a.set_label(&mut next)?;
        a.cmp(di, 0x806u32)?;
        a.jae(done)?;
        a.jmp(next)?;
        a.set_label(&mut done)?;
        a.mov(cx, 6u32)?;
        a.mov(dx, 0x800u32)?;
        a.mov(bx, 1u32)?;
        a.mov(ah, 0x40u32)?;
        a.int(0x21)?;
        exit(a)
    });
    // Scan codes of set 1: shift, A and their releases, B and its own.
    let (end, host) = run_program(MemoryHost::new(b"Ab"), &program);
    assert_eq!(end, End::Exit(0));
    assert_eq!(host.output, [0x2a, 0x1e, 0x9e, 0xaa, 0x30, 0xb0]);
}

#[test]
fn hooked_ticks_come_while_dos_waits_for_a_key() {
    let program = com(|a| {
        let [mut start, mut handler] = [a.create_label(), a.create_label()];
        let mut skip = a.create_label();
        a.jmp(start)?;
        a.set_label(&mut handler)?;
        a.inc(word_ptr(0x900).cs())?;
        // With the tenth tick, a key as if it had been typed.
        a.cmp(word_ptr(0x900).cs(), 10u32)?;
        a.jne(skip)?;
        a.push(ax)?;
        a.push(cx)?;
        a.mov(ah, 5u32)?;
        a.mov(cx, 0x1e61u32)?;
        a.int(0x16)?;
        a.pop(cx)?;
        a.pop(ax)?;
        a.set_label(&mut skip)?;
        a.iret()?;
        a.set_label(&mut start)?;
        a.mov(word_ptr(0x900), 0u32)?;
        set_vector(a, 0x1c)?;
        a.mov(ah, 8u32)?;
        a.int(0x21)?;
        a.mov(dl, al)?;
        a.mov(ah, 2u32)?;
        a.int(0x21)?;
        exit(a)
    });
    let mut host = typed(b"");
    host.interrupt_at = Some(60_000_000_000);
    let (end, host) = run_program(host, &program);
    assert_eq!((end, host.output.as_slice()), (End::Exit(0), &b"a"[..]));
}

#[test]
fn the_timer_can_be_sped_up() {
    // Counter 0 at 1,193 counts: a thousand ticks a second, until ten BIOS ticks' time is over.
    let program = com(|a| {
        let [mut start, mut handler] = [a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.set_label(&mut handler)?;
        a.push(ax)?;
        a.inc(word_ptr(0x900).cs())?;
        a.mov(al, 0x20u32)?;
        a.out(0x20u32, al)?;
        a.pop(ax)?;
        a.iret()?;
        a.set_label(&mut start)?;
        a.mov(word_ptr(0x900), 0u32)?;
        set_vector(a, 8)?;
        a.mov(al, 0x36u32)?;
        a.out(0x43u32, al)?;
        a.mov(ax, 0x04a9u32)?;
        a.out(0x40u32, al)?;
        a.mov(al, ah)?;
        a.out(0x40u32, al)?;
        // A second by the real-time clock, from one change to the next.
        for round in 0..2 {
            if round == 1 {
                a.mov(word_ptr(0x900), 0u32)?;
            }
            a.mov(al, 0u32)?;
            a.out(0x70u32, al)?;
            a.in_(al, 0x71u32)?;
            a.mov(bl, al)?;
            let mut again = a.create_label();
            a.set_label(&mut again)?;
            a.mov(al, 0u32)?;
            a.out(0x70u32, al)?;
            a.in_(al, 0x71u32)?;
            a.cmp(al, bl)?;
            a.je(again)?;
        }
        a.mov(ax, word_ptr(0x900))?;
        put_ax(a)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.step = 10_000;
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    let ticks = words(&host.output)[0];
    assert!((990..=1010).contains(&ticks), "{ticks} ticks in a second");
}

#[test]
fn bios_services_tell_what_there_is() {
    // AX after each: RBIL INT 11, INT 12, INT 15/AH=88, INT 15/AH=C0 and the model at ES:BX+2.
    let program = com(|a| {
        a.int(0x11)?;
        put_ax(a)?;
        a.int(0x12)?;
        put_ax(a)?;
        a.mov(ah, 0x88u32)?;
        a.int(0x15)?;
        put_ax(a)?;
        a.mov(ah, 0xc0u32)?;
        a.int(0x15)?;
        a.mov(ax, word_ptr(bx + 2).es())?;
        put_ax(a)?;
        a.mov(ah, 0xc1u32)?;
        a.int(0x15)?;
        a.sbb(ax, ax)?;
        put_ax(a)?;
        exit(a)
    });
    let (end, host) = run_program(MemoryHost::new(b""), &program);
    assert_eq!(end, End::Exit(0));
    assert_eq!(words(&host.output), [0x4022, 640, 0, 0x01fc, 0xffff]);
}

#[test]
fn a_wait_takes_its_time_and_no_instructions() {
    let program = com(|a| {
        a.mov(cx, 0x0f42u32)?;
        a.mov(dx, 0x4000u32)?;
        a.mov(ah, 0x86u32)?;
        a.int(0x15)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.add("TEST.COM", &program);
    let mut session = dos_machine::Session::new(host);
    let end = session.run(&support::start("TEST.COM", &[]));
    assert_eq!(end, End::Exit(0));
    assert!(session.instructions() < 100_000, "{}", session.instructions());
    let host = session.into_host();
    // 0F424000h microseconds: 256 seconds.
    assert!((256_000_000_000..258_000_000_000).contains(&host.now()), "{}", host.now());
}

#[test]
fn ticks_between_looks_for_keys_leave_the_callers_flags_alone() {
    // INT 16h as hooks call it, with interrupts on; ZF tells that there is no key, for 40 ticks.
    let program = com(|a| {
        let [mut again, mut fail] = [a.create_label(), a.create_label()];
        count_ticks(a)?;
        a.mov(ax, 0x3516u32)?;
        a.int(0x21)?;
        a.mov(word_ptr(0x910), bx)?;
        a.mov(word_ptr(0x912), es)?;
        a.sti()?;
        a.mov(bp, sp)?;
        a.set_label(&mut again)?;
        a.or(sp, 0u32)?;
        a.mov(ah, 1u32)?;
        a.pushf()?;
        // call far [0910]
        a.db(&[0xff, 0x1e, 0x10, 0x09])?;
        a.jnz(fail)?;
        a.cmp(sp, bp)?;
        a.jne(fail)?;
        a.cmp(word_ptr(0x900), 40u32)?;
        a.jb(again)?;
        exit(a)?;
        a.set_label(&mut fail)?;
        a.mov(ax, 0x4c01u32)?;
        a.int(0x21)
    });
    let mut host = typed(b"");
    host.interrupt_at = Some(60_000_000_000);
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    assert!(host.now() < 10_000_000_000, "{} ns", host.now());
}

#[test]
fn the_clock_s_alarm_calls_int_4a() {
    // RBIL INT 1A/AH=06, INT 4A: 12:34:56 is the time of the start; two seconds later.
    let program = com(|a| {
        let [mut start, mut again] = [a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.inc(word_ptr(0x900).cs())?;
        a.iret()?;
        a.set_label(&mut start)?;
        a.mov(word_ptr(0x900), 0u32)?;
        set_vector(a, 0x4a)?;
        for _ in 0..2 {
            a.mov(ax, 0x0600u32)?;
            a.mov(cx, 0x1234u32)?;
            a.mov(dx, 0x5800u32)?;
            a.int(0x1a)?;
            a.sbb(ax, ax)?;
            put_ax(a)?;
        }
        a.set_label(&mut again)?;
        a.hlt()?;
        a.cmp(word_ptr(0x900), 0u32)?;
        a.je(again)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.step = 10_000;
    host.ends_at = Some(5_000_000_000);
    let (end, host) = run_program(host, &program);
    assert_eq!((end, words(&host.output)), (End::Exit(0), vec![0, 0xffff]));
    assert!((1_900_000_000..2_200_000_000).contains(&host.now()), "{}", host.now());
}

#[test]
fn the_clock_interrupts_a_thousand_times_a_second() {
    // IBM PC AT Technical Reference, "Real-time Clock": rate 6, bit 6 of status B; 64 periods of
    // 976.562 us. A handler of the program's own.
    let program = com(|a| {
        let [mut start, mut again] = [a.create_label(), a.create_label()];
        a.jmp(start)?;
        a.push(ax)?;
        a.inc(word_ptr(0x900).cs())?;
        a.mov(al, 0x0cu32)?;
        a.out(0x70u32, al)?;
        a.in_(al, 0x71u32)?;
        a.mov(al, 0x20u32)?;
        a.out(0xa0u32, al)?;
        a.out(0x20u32, al)?;
        a.pop(ax)?;
        a.iret()?;
        a.set_label(&mut start)?;
        a.mov(word_ptr(0x900), 0u32)?;
        set_vector(a, 0x70)?;
        a.mov(al, 0x0bu32)?;
        a.out(0x70u32, al)?;
        a.mov(al, 0x42u32)?;
        a.out(0x71u32, al)?;
        a.set_label(&mut again)?;
        a.hlt()?;
        a.cmp(word_ptr(0x900), 64u32)?;
        a.jb(again)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.step = 1_000;
    host.ends_at = Some(5_000_000_000);
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    assert!((62_000_000..70_000_000).contains(&host.now()), "{}", host.now());
}

#[test]
fn a_program_that_calls_services_all_the_time_is_interrupted() {
    // Counts ticks by INT 1Ch, and asks for the version until there were five.
    let program = com(|a| {
        let mut again = a.create_label();
        count_ticks(a)?;
        a.set_label(&mut again)?;
        a.mov(ah, 0x30u32)?;
        a.int(0x21)?;
        a.cmp(word_ptr(0x900), 5u32)?;
        a.jb(again)?;
        exit(a)
    });
    let mut host = typed(b"");
    host.ends_at = Some(60_000_000_000);
    let (end, host) = run_program(host, &program);
    assert_eq!(end, End::Exit(0));
    assert!(host.now() < 1_000_000_000, "{} ns", host.now());
}
