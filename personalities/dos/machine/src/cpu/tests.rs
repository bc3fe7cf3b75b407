//! Random instructions: none may panic or hang, and the cache may change nothing.
//!
//! Each stream runs twice, with decoded instructions kept and without, in portions of instructions that
//! are random as well; registers, flags and memory must agree after each. In the environment:
//!
//! ```text
//!   KAMEN_STREAMS   how many streams a test tries
//!   KAMEN_SEED      the first seed; each stream begins with the next
//! ```

extern crate std;

#[path = "../../tests/support/dice.rs"]
mod dice;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::eprintln;

use dice::Dice;

use super::segment::CS;
use super::{Caching, Coprocessor, Cpu, Exit, Model};
use crate::{Bus, FarPointer, MEMORY_BYTES};

/// Streams of each kind, where the environment does not say.
const STREAMS: u64 = 300;
/// Instructions of a stream.
const INSTRUCTIONS: u32 = 3000;
/// Where all segments are in the streams that change themselves.
const SEGMENT: u16 = 0x1000;
/// Bytes of their code, which their data lie in as well.
const CODE_BYTES: u16 = 192;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A machine whose memory a seed fills.
fn machine(seed: u64, fill: fn(&mut Cpu, &mut Bus, &mut Dice)) -> (Cpu, Bus) {
    let mut dice = Dice::new(seed);
    let models = [Model::I8086, Model::I80186, Model::I80286, Model::I80386];
    let (mut cpu, mut bus) = (Cpu::new(dice.one(&models)), Bus::new());
    cpu.set_coprocessor(dice.one(&[Coprocessor::None, Coprocessor::I80387]));
    fill(&mut cpu, &mut bus, &mut dice);
    (cpu, bus)
}

/// Everything random: code, registers, handlers of interrupts.
fn wild(cpu: &mut Cpu, bus: &mut Bus, dice: &mut Dice) {
    for offset in 0..0x400 {
        bus.write8(FarPointer::new(0, offset), dice.roll() as u8);
    }
    let code = FarPointer::new(dice.roll() as u16, dice.roll() as u16);
    for offset in 0..0x800 {
        bus.write8(code.add(offset), dice.roll() as u8);
    }
    (0..8).for_each(|number| cpu.set_register(number, dice.roll() as u16));
    (0..6).for_each(|number| cpu.set_segment(number, dice.roll() as u16));
    cpu.set_flags(dice.roll() as u16);
    cpu.jump(code);
}

/// Code of common instructions whose operands lie in the code itself.
fn knotted(cpu: &mut Cpu, bus: &mut Bus, dice: &mut Dice) {
    for vector in 0..256 {
        let handler = FarPointer::new(SEGMENT, dice.below(CODE_BYTES.into()) as u16);
        bus.write_far(FarPointer::new(0, vector * 4), handler);
    }
    let mut code = Vec::new();
    while code.len() < CODE_BYTES.into() {
        instruction(&mut code, dice);
    }
    code.extend([0xeb, 0x80, 0xe9, 0x00, 0xff]);
    bus.write(FarPointer::new(SEGMENT, 0), &code);
    (0..8).for_each(|number| cpu.set_register(number, dice.below(CODE_BYTES.into()) as u16));
    (0..6).for_each(|number| cpu.set_segment(number, SEGMENT));
    cpu.jump(FarPointer::new(SEGMENT, 0));
}

/// Appends an instruction, mostly with a short memory operand or to a register.
fn instruction(code: &mut Vec<u8>, dice: &mut Dice) {
    if dice.below(8) == 0 {
        code.push(dice.one(&[0x26, 0x2e, 0x36, 0x3e, 0xf3, 0xf2, 0x66, 0x67]));
    }
    let bytes = match dice.below(10) {
        0..=3 => dice.below(0x40) as u8 & 0x3b,
        4 => dice
            .one(&[0x80, 0x81, 0x83, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff, 0xc0, 0xc1, 0xd1, 0xd3]),
        5 => dice.one(&[0x84, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0x8f, 0xc5, 0x8c, 0x8e]),
        6 => dice.one(&[0x70, 0x72, 0x74, 0x75, 0x7c, 0xe2, 0xeb, 0xe3, 0xe8, 0xc3]),
        7 => dice.one(&[0xaa, 0xab, 0xa4, 0xa5, 0xac, 0xad, 0xa0, 0xa1, 0xa2, 0xa3, 0xae, 0xa6]),
        8 => dice.roll() as u8 & 0x1f | 0x40,
        _ => dice.roll() as u8,
    };
    code.push(bytes);
    // ModRM with a displacement of a byte, with none, or a register; then what may be immediates.
    let mode = dice.one(&[0x00, 0x00, 0x40, 0xc0]);
    code.push(dice.roll() as u8 & 0x3f | mode);
    (0..dice.below(4)).for_each(|_| code.push(dice.below(CODE_BYTES.into()) as u8));
}

/// Returns what a program could see of the processor.
fn visible(cpu: &Cpu) -> String {
    let (registers, segments) = (cpu.registers.all(), cpu.segments.all());
    let (next, flags) = (cpu.next_instruction(), cpu.flags.word());
    let fpu = &cpu.fpu;
    format!("{next:04x?} {registers:04x?} {:04x?} {segments:04x?} {flags:04x} {fpu:x?}", cpu.upper)
}

fn memory(bus: &Bus) -> impl Iterator<Item = &[u8]> {
    let segments = (0..MEMORY_BYTES >> 16).map(|number| (number as u16) << 12);
    segments
        .map(|segment| bus.slice(FarPointer::new(segment, 0), 0x10000).expect("a whole segment"))
}

/// Runs a stream both ways; returns what differs.
fn differs(seed: u64, fill: fn(&mut Cpu, &mut Bus, &mut Dice)) -> Option<String> {
    let (mut kept, mut kept_bus) = machine(seed, fill);
    let (mut plain, mut plain_bus) = machine(seed, fill);
    plain.set_caching(Caching::Off);
    let mut dice = Dice::new(!seed);
    let mut done = 0;
    while done < INSTRUCTIONS {
        let portion = 1 + dice.below(60) as u32;
        done += portion;
        let exit = kept.run(&mut kept_bus, portion);
        let expected = plain.run(&mut plain_bus, portion);
        let (found, wanted) = (visible(&kept), visible(&plain));
        if exit != expected || found != wanted {
            return Some(format!("{done}: {exit:?} {found}\n  expected {expected:?} {wanted}"));
        }
        if let Exit::Protected | Exit::Limit = exit {
            break;
        }
        if dice.below(16) == 0 {
            // As a device's interrupt, or as DOS changes memory.
            let at = FarPointer::new(kept.segment(CS), dice.below(CODE_BYTES.into()) as u16);
            let byte = dice.roll() as u8;
            kept_bus.write8(at, byte);
            plain_bus.write8(at, byte);
        }
    }
    let is_same = memory(&kept_bus).eq(memory(&plain_bus));
    (!is_same).then(|| format!("memory differs after {done} instructions"))
}

fn try_streams(fill: fn(&mut Cpu, &mut Bus, &mut Dice)) {
    let first = setting("KAMEN_SEED", 1);
    for seed in first..first + setting("KAMEN_STREAMS", STREAMS) {
        if let Some(difference) = differs(seed, fill) {
            eprintln!("streams: KAMEN_SEED={seed} KAMEN_STREAMS=1 repeats it");
            panic!("{difference}");
        }
    }
}

#[test]
fn whatever_bytes_are_executed_the_machine_goes_on() {
    try_streams(wild);
}

#[test]
fn code_that_changes_itself_runs_as_without_the_cache() {
    try_streams(knotted);
}

#[test]
fn other_memory_at_an_address_is_decoded_anew() {
    let (mut cpu, mut bus) = (Cpu::default(), Bus::new());
    // inc ax; jmp to it. What is remapped changes without a store.
    bus.write(FarPointer::default(), &[0x40, 0xeb, 0xfd]);
    cpu.run(&mut bus, 10);
    bus.remapped();
    cpu.run(&mut bus, 10);
    assert_eq!(cpu.register(super::register::AX), 10);
    assert!(!bus.watch.is_touched());
}

#[test]
fn an_immediate_that_changes_all_the_time_is_the_one_executed() {
    let (mut cpu, mut bus) = (Cpu::default(), Bus::new());
    // inc byte [101h]; jmp 100h: the immediate of the first instruction, mov al, n.
    let code = [0xb0, 0x00, 0xfe, 0x06, 0x01, 0x01, 0xeb, 0xf8];
    bus.write(FarPointer::new(0, 0x100), &code);
    cpu.jump(FarPointer::new(0, 0x100));
    cpu.run(&mut bus, 300);
    assert_eq!(bus.read8(FarPointer::new(0, 0x101)), 100);
    assert_eq!(cpu.register(super::register::AX) as u8, 99);
}
