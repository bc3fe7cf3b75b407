//! Programs that wait use no processor time, and those that work are let work.

mod support;

use dos_machine::{End, Session};
use iced_x86::code_asm::*;
use support::MemoryHost;
use support::assembled::{Emitted, com, exit};

/// When somebody ends them: for programs that wait, and for those that work.
const TEN_SECONDS: u64 = 10_000_000_000;
const SOON: u64 = 400_000_000;
/// What a look at the clock takes.
const MILLISECOND: u64 = 1_000_000;

/// Runs a program that ends by itself or by somebody; returns instructions, and nanoseconds on the
/// host's clock.
fn run(
    ends_at: u64,
    step: u64,
    emit: impl FnOnce(&mut CodeAssembler) -> Emitted,
) -> (End, u64, u64) {
    let program = com(|a| {
        emit(a)?;
        exit(a)
    });
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.ends_at = Some(ends_at);
    host.step = step;
    host.add("TEST.COM", &program);
    let mut session = Session::new(host);
    let end = session.run(&support::start("TEST.COM", &[]));
    let instructions = session.instructions();
    (end, instructions, session.into_host().now())
}

/// Runs a program until somebody ends it and checks that it executed next to nothing. A program that works
/// executes 60,000 instructions between looks at the clock, which take some milliseconds here.
fn assert_idle(emit: impl FnOnce(&mut CodeAssembler) -> Emitted) {
    let (end, instructions, time) = run(TEN_SECONDS, MILLISECOND, emit);
    assert_eq!(end, End::Terminated);
    assert!(time >= TEN_SECONDS);
    assert!(instructions < 3_000_000, "{instructions} instructions in ten seconds");
}

fn again(a: &mut CodeAssembler, body: impl FnOnce(&mut CodeAssembler) -> Emitted) -> Emitted {
    let mut start = a.create_label();
    a.set_label(&mut start)?;
    body(a)?;
    a.jmp(start)
}

/// Lets DS be the BIOS's data area.
fn data_area(a: &mut CodeAssembler) -> Emitted {
    a.mov(ax, 0x40u32)?;
    a.mov(ds, ax)
}

#[test]
fn programs_that_say_so_rest() {
    // 75 ticks of 54.9 ms in each of three ways, a tick each time.
    let mut host = MemoryHost::new(b"");
    host.terminal = true;
    host.ends_at = Some(20 * TEN_SECONDS);
    let (end, host) = support::run(host, "RESTER.COM", &[]);
    assert_eq!(end, End::Exit(0));
    assert_eq!(host.output, b"halting\nidling\nyielding\n");
    assert!((200..=300).contains(&host.idles), "rested {} times", host.idles);
}

#[test]
fn looking_for_keys_by_the_bios_rests() {
    assert_idle(|a| {
        again(a, |a| {
            a.mov(ah, 1u32)?;
            a.int(0x16)
        })
    });
}

#[test]
fn looking_for_keys_by_dos_rests() {
    assert_idle(|a| {
        again(a, |a| {
            a.mov(ah, 0x0bu32)?;
            a.int(0x21)?;
            a.mov(dl, 0xffu32)?;
            a.mov(ah, 6u32)?;
            a.int(0x21)
        })
    });
}

#[test]
fn looking_for_keys_at_the_controller_rests() {
    assert_idle(|a| {
        again(a, |a| {
            a.in_(al, 0x64u32)?;
            a.test(al, 1u32)
        })
    });
}

#[test]
fn looking_at_the_tick_count_rests() {
    assert_idle(|a| {
        data_area(a)?;
        again(a, |a| {
            let mut same = a.create_label();
            a.mov(bx, word_ptr(0x6c))?;
            a.set_label(&mut same)?;
            a.cmp(bx, word_ptr(0x6c))?;
            a.je(same)
        })
    });
}

#[test]
fn looking_at_the_ring_buffer_rests() {
    assert_idle(|a| {
        data_area(a)?;
        again(a, |a| {
            a.mov(ax, word_ptr(0x1a))?;
            a.cmp(ax, word_ptr(0x1c))
        })
    });
}

#[test]
fn looking_at_the_time_rests() {
    assert_idle(|a| {
        again(a, |a| {
            a.mov(ah, 0u32)?;
            a.int(0x1a)?;
            a.mov(ah, 0x2cu32)?;
            a.int(0x21)
        })
    });
}

#[test]
fn saying_so_rests() {
    assert_idle(|a| again(a, |a| a.int(0x28)));
    assert_idle(|a| {
        again(a, |a| {
            a.mov(ax, 0x1680u32)?;
            a.int(0x2f)
        })
    });
    assert_idle(|a| {
        again(a, |a| {
            a.sti()?;
            a.hlt()
        })
    });
}

#[test]
fn waiting_for_a_key_rests() {
    assert_idle(|a| {
        a.mov(ah, 0u32)?;
        a.int(0x16)
    });
    assert_idle(|a| {
        a.mov(ah, 0x3fu32)?;
        a.mov(bx, 0u32)?;
        a.mov(cx, 10u32)?;
        a.mov(dx, 0x400u32)?;
        a.int(0x21)
    });
}

#[test]
fn ticks_are_waited_for_exactly() {
    // 91 changes of the tick count, the first one at any time: 90 to 91 ticks of 54.9254 ms.
    let (end, instructions, time) = run(TEN_SECONDS, MILLISECOND, |a| {
        data_area(a)?;
        a.mov(cx, 91u32)?;
        let [mut next, mut same] = [a.create_label(), a.create_label()];
        a.set_label(&mut next)?;
        a.mov(bx, word_ptr(0x6c))?;
        a.set_label(&mut same)?;
        a.cmp(bx, word_ptr(0x6c))?;
        a.je(same)?;
        a.loop_(next)
    });
    assert_eq!(end, End::Exit(0));
    assert!(instructions < 3_000_000, "{instructions} instructions");
    assert!((4_943_000_000..5_010_000_000).contains(&time), "{time} ns");
}

#[test]
fn a_program_that_computes_and_looks_for_keys_is_not_slowed() {
    // It fills memory, and looks for a key every 200 instructions.
    let (end, instructions, _) = run(SOON, MILLISECOND / 100, |a| {
        a.cld()?;
        a.mov(ax, 0x2000u32)?;
        a.mov(es, ax)?;
        again(a, |a| {
            a.mov(cx, 60u32)?;
            let mut next = a.create_label();
            a.set_label(&mut next)?;
            a.add(bp, 12_345u32)?;
            a.mov(ax, bp)?;
            a.stosw()?;
            a.loop_(next)?;
            a.mov(ah, 1u32)?;
            a.int(0x16)
        })
    });
    assert_eq!(end, End::Terminated);
    assert!(instructions > 1_000_000, "{instructions} instructions");
}

#[test]
fn a_loop_that_counts_in_memory_is_not_slowed() {
    let (end, instructions, _) = run(SOON, MILLISECOND, |a| again(a, |a| a.inc(word_ptr(0x900))));
    assert_eq!(end, End::Terminated);
    assert!(instructions > 1_000_000, "{instructions} instructions");
}
