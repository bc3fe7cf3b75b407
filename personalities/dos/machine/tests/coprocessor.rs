//! A coprocessor or none: how programs find out, its state in memory, its errors.
//!
//! Expected values: Intel 80387 Programmer's Reference Manual (1987), chapter 2 and appendix A; how
//! programs look for a coprocessor: Intel's application note AP-485, 3.

mod support;

use dos_machine::cpu::register::{AX, SP};
use dos_machine::cpu::{Coprocessor, Cpu, Model, bit, segment};
use dos_machine::{Bus, End, FarPointer, Session};

const CODE: FarPointer = FarPointer::new(0x1000, 0x0100);
/// FNINIT; FNSTSW [200]; FNSTCW [202].
const PROBE: [u8; 10] = [0xdb, 0xe3, 0xdd, 0x3e, 0x00, 0x02, 0xd9, 0x3e, 0x02, 0x02];

fn machine(coprocessor: Coprocessor, code: &[u8]) -> (Cpu, Bus) {
    let (mut cpu, mut bus) = (Cpu::default(), Bus::new());
    cpu.set_coprocessor(coprocessor);
    bus.write(CODE, code);
    for number in [segment::DS, segment::ES, segment::SS] {
        cpu.set_segment(number, CODE.segment);
    }
    cpu.set_register(SP, 0xfffe);
    cpu.jump(CODE);
    (cpu, bus)
}

fn word(bus: &Bus, offset: u16) -> u16 {
    bus.read16(FarPointer::new(CODE.segment, offset))
}

#[test]
fn without_a_coprocessor_nothing_is_stored_and_ax_stays() {
    let (mut cpu, mut bus) = machine(Coprocessor::None, &[&PROBE[..], &[0xdf, 0xe0]].concat());
    bus.write16(FarPointer::new(CODE.segment, 0x200), 0x5a5a);
    bus.write16(FarPointer::new(CODE.segment, 0x202), 0x5a5a);
    cpu.set_register(AX, 0x1234);
    cpu.run(&mut bus, 4);
    assert_eq!((word(&bus, 0x200), word(&bus, 0x202)), (0x5a5a, 0x5a5a));
    assert_eq!((cpu.register(AX), cpu.next_instruction()), (0x1234, CODE.add(12)));
}

#[test]
fn an_80387_is_found_by_its_words() {
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &PROBE);
    bus.write16(FarPointer::new(CODE.segment, 0x200), 0x5a5a);
    cpu.run(&mut bus, 3);
    assert_eq!((word(&bus, 0x200), word(&bus, 0x202)), (0, 0x037f));
}

#[test]
fn an_80387_tells_infinities_apart_and_an_80287_does_not() {
    // fld1; fldz; fdivp; fld st; fchs; fcompp; fnstsw ax: C3 is set if they are equal.
    let code = [0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0xd9, 0xc0, 0xd9, 0xe0, 0xde, 0xd9, 0xdf, 0xe0];
    for (kind, equal) in [(Coprocessor::I80387, 0), (Coprocessor::I80287, 0x4000)] {
        let (mut cpu, mut bus) = machine(kind, &code);
        cpu.run(&mut bus, 7);
        assert_eq!(cpu.register(AX) & 0x4000, equal, "{kind:?}");
    }
}

#[test]
fn the_environment_has_the_last_instruction_and_its_operand() {
    // fld1; fadd dword [200]; fnstenv [210]
    let code = [0xd9, 0xe8, 0xd8, 0x06, 0x00, 0x02, 0xd9, 0x36, 0x10, 0x02];
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &code);
    bus.write32(FarPointer::new(CODE.segment, 0x200), 2.5f32.to_bits());
    cpu.run(&mut bus, 3);
    let words: [u16; 7] = std::array::from_fn(|number| word(&bus, 0x210 + number as u16 * 2));
    // ST(0) is register 7; the instruction is at 10102, its opcode's eleven bits 006.
    assert_eq!(words, [0x037f, 0x3800, 0x3fff, 0x0102, 0x1006, 0x0200, 0x1000]);
}

#[test]
fn a_saved_state_is_restored() {
    // fldpi; fld1; fnsave [200]; fldz; frstor [200]; fnsave [300]
    let code = [
        0xd9, 0xeb, 0xd9, 0xe8, 0xdd, 0x36, 0x00, 0x02, 0xd9, 0xee, 0xdd, 0x26, 0x00, 0x02, 0xdd,
        0x36, 0x00, 0x03,
    ];
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &code);
    cpu.run(&mut bus, 3);
    assert_eq!(word(&bus, 0x204), 0x0fff);
    // 1.0, ten bytes behind the environment.
    let one = std::array::from_fn(|number| word(&bus, 0x20e + number as u16 * 2));
    assert_eq!(one, [0, 0, 0, 0x8000, 0x3fff]);
    cpu.run(&mut bus, 3);
    let state =
        |from| -> Vec<u16> { (0..47u16).map(|number| word(&bus, from + number * 2)).collect() };
    assert_eq!(state(0x200)[..3], state(0x300)[..3]);
    assert_eq!(state(0x200)[7..], state(0x300)[7..]);
}

#[test]
fn with_a_prefix_a_state_has_words_of_32_bits() {
    // fld1; fadd dword [200]; o32 fnstenv [210]; o32 fnsave [240]; fninit; o32 frstor [240];
    // o32 fnsave [2c0]
    let code = [
        0xd9, 0xe8, 0xd8, 0x06, 0x00, 0x02, 0x66, 0xd9, 0x36, 0x10, 0x02, 0x66, 0xdd, 0x36, 0x40,
        0x02, 0xdb, 0xe3, 0x66, 0xdd, 0x26, 0x40, 0x02, 0x66, 0xdd, 0x36, 0xc0, 0x02,
    ];
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &code);
    bus.write32(FarPointer::new(CODE.segment, 0x200), 2.5f32.to_bits());
    cpu.run(&mut bus, 7);
    let double = |at| u32::from(word(&bus, at + 2)) << 16 | u32::from(word(&bus, at));
    // Intel SDM 1, figure 8-11: only the low halves of all but the fifth and the last are defined.
    let low: [u16; 4] = std::array::from_fn(|number| word(&bus, 0x210 + number as u16 * 4));
    assert_eq!(low, [0x037f, 0x3800, 0x3fff, 0x0102]);
    assert_eq!((double(0x220), word(&bus, 0x224), double(0x228)), (0x1006, 0x0200, 0x1000));
    // 3.5 behind an environment of 28 bytes, and after the way back.
    for from in [0x240, 0x2c0] {
        let number = std::array::from_fn(|number| word(&bus, from + 28 + number as u16 * 2));
        assert_eq!(number, [0, 0, 0, 0xe000, 0x4000]);
        assert_eq!((word(&bus, from), word(&bus, from + 8)), (0x037f, 0x3fff));
        assert_eq!((double(from + 16), double(from + 24)), (0x1006, 0x1000));
    }
}

#[test]
fn an_error_that_is_not_masked_stops_once_before_what_waits() {
    // fninit; fldcw [200]; fld1; fldz; fdivp; fnstsw ax; wait; nop
    let code = [
        0xdb, 0xe3, 0xd9, 0x2e, 0x00, 0x02, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0xdf, 0xe0, 0x9b,
        0x90,
    ];
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &code);
    bus.write16(FarPointer::new(CODE.segment, 0x200), 0x037b);
    cpu.set_flags(bit::INTERRUPT);
    cpu.run(&mut bus, 6);
    // ZE, the summary and busy; what does not wait went on.
    assert_eq!(cpu.register(AX) & 0x80bf, 0x8084);
    for next in [14, 14, 15] {
        assert_eq!(cpu.next_instruction(), CODE.add(next));
        cpu.run(&mut bus, 1);
    }
}

/// Divides by zero, unmasked, with a handler of interrupt 2 that prints 2 and clears the error; then
/// with one of 75h too that prints 7 and goes on to the BIOS's. Exits with what is in service.
const DIVIDES: [u8; 104] = [
    0xeb, 0x25, 0x50, 0x52, 0xb2, 0x32, 0xb4, 0x02, 0xcd, 0x21, 0xdb, 0xe2, 0x5a, 0x58, 0xcf, 0x50,
    0x52, 0xb2, 0x37, 0xb4, 0x02, 0xcd, 0x21, 0x5a, 0x58, 0xff, 0x2e, 0x64, 0x01, 0xd9, 0xee, 0xd9,
    0xe8, 0xde, 0xf1, 0x9b, 0xdd, 0xd8, 0xc3, 0xb8, 0x02, 0x25, 0xba, 0x02, 0x01, 0xcd, 0x21, 0xdb,
    0xe3, 0xd9, 0x2e, 0x62, 0x01, 0xe8, 0xe5, 0xff, 0xb8, 0x75, 0x35, 0xcd, 0x21, 0x89, 0x1e, 0x64,
    0x01, 0x8c, 0x06, 0x66, 0x01, 0xb8, 0x75, 0x25, 0xba, 0x0f, 0x01, 0xcd, 0x21, 0xe8, 0xcd, 0xff,
    0xb0, 0x0b, 0xe6, 0xa0, 0xe6, 0x20, 0xe4, 0xa0, 0x88, 0xc4, 0xe4, 0x20, 0x08, 0xe0, 0xb4, 0x4c,
    0xcd, 0x21, 0x7b, 0x03, 0x00, 0x00, 0x00, 0x00,
];

// IBM PC AT Technical Reference, BIOS listing, interrupt 75h: ends IRQ 13, calls interrupt 2.
#[test]
fn the_coprocessor_interrupts_by_75h_and_the_bios_calls_2() {
    let mut host = support::MemoryHost::new(b"");
    host.add("DIVIDES.COM", &DIVIDES);
    let (end, host) = support::run(host, "DIVIDES.COM", &[]);
    assert_eq!((end, &host.output[..]), (End::Exit(0), &b"272"[..]));
}

#[test]
fn packed_decimals_come_and_go() {
    // fbld [200]; fbstp [210]
    let code = [0xdf, 0x26, 0x00, 0x02, 0xdf, 0x36, 0x10, 0x02];
    let (mut cpu, mut bus) = machine(Coprocessor::I80387, &code);
    let decimal = [0x21, 0x43, 0x65, 0x87, 0x09, 0x21, 0x43, 0x65, 0x87, 0x80];
    bus.write(FarPointer::new(CODE.segment, 0x200), &decimal);
    cpu.run(&mut bus, 2);
    let mut found = [0; 10];
    bus.read(FarPointer::new(CODE.segment, 0x210), &mut found);
    assert_eq!(found, decimal);
}

#[test]
fn the_machine_status_word_says_whether_there_is_one() {
    // smsw ax: ET with an 80387; EM is an emulator's.
    let found = |coprocessor| {
        let (mut cpu, mut bus) = machine(coprocessor, &[0x0f, 0x01, 0xe0]);
        cpu.run(&mut bus, 1);
        cpu.register(AX)
    };
    assert_eq!(found(Coprocessor::None), 0x0000);
    assert_eq!(found(Coprocessor::I80387), 0x0010);
    assert_eq!(Model::default(), Model::I80386);
}

/// The address of interrupt 7's handler.
const HANDLER: FarPointer = FarPointer::new(0x3000, 0);

/// Returns a processor that has executed `lmsw [200]` with a status word, and stands at CODE + 5.
fn with_status(word: u16, coprocessor: Coprocessor, code: &[u8]) -> (Cpu, Bus) {
    let lmsw = [0x0f, 0x01, 0x36, 0x00, 0x02];
    let (mut cpu, mut bus) = machine(coprocessor, &[&lmsw[..], code].concat());
    bus.write16(FarPointer::new(CODE.segment, 0x200), word);
    bus.write_far(FarPointer::new(0, 7 * 4), HANDLER);
    cpu.run(&mut bus, 1);
    (cpu, bus)
}

#[test]
fn emulation_calls_interrupt_7_at_the_instruction_with_its_prefixes() {
    // es: fld dword [200], once with EM and once with TS; EM goes before a coprocessor that is there.
    for (word, coprocessor) in
        [(4, Coprocessor::None), (4, Coprocessor::I80387), (8, Coprocessor::I80387)]
    {
        let code = [0x26, 0xd9, 0x06, 0x00, 0x02];
        let (mut cpu, mut bus) = with_status(word, coprocessor, &code);
        cpu.run(&mut bus, 1);
        assert_eq!(cpu.next_instruction(), HANDLER);
        assert_eq!(bus.read_far(cpu.stack()), CODE.add(5));
    }
}

#[test]
fn clts_gives_the_coprocessor_back() {
    // clts; fnstcw [202]
    let code = [0x0f, 0x06, 0xd9, 0x3e, 0x02, 0x02];
    let (mut cpu, mut bus) = with_status(8, Coprocessor::I80387, &code);
    cpu.run(&mut bus, 2);
    assert_eq!((word(&bus, 0x202), cpu.next_instruction()), (0x037f, CODE.add(11)));
}

#[test]
fn wait_calls_interrupt_7_where_mp_and_ts_are_set() {
    for (word, calls) in [(2, false), (4, false), (8, false), (10, true)] {
        let (mut cpu, mut bus) = with_status(word, Coprocessor::I80387, &[0x9b]);
        cpu.run(&mut bus, 1);
        assert_eq!(cpu.next_instruction() == HANDLER, calls, "{word}");
    }
}

/// FNINIT; FNSTCW [200]; INT 11; exits with bits 2 and up of [201], bit 1 of the equipment word.
const PROGRAM: [u8; 24] = [
    0xdb, 0xe3, 0xd9, 0x3e, 0x00, 0x02, 0xcd, 0x11, 0x24, 0x02, 0x8a, 0x1e, 0x01, 0x02, 0xd0, 0xe3,
    0xd0, 0xe3, 0x08, 0xd8, 0xb4, 0x4c, 0xcd, 0x21,
];

fn ends_with(program: &[u8], variable: &[u8]) -> End {
    let mut host = support::MemoryHost::new(b"");
    host.add("PROBE.COM", program);
    let mut start = support::start("PROBE.COM", &[]);
    start.environment.push(variable.to_vec());
    Session::new(host).run(&start)
}

#[test]
fn a_session_has_one_unless_its_environment_takes_it_away() {
    assert_eq!(ends_with(&PROGRAM, b"PATH="), End::Exit(3 << 2 | 2));
    assert_eq!(ends_with(&PROGRAM, b"coprocessor=none"), End::Exit(0));
    // mov al, 14h; out 70h, al; in al, 71h; and al, 2; mov ah, 4Ch; int 21h (RBIL CMOS 14h).
    let setup = [0xb0, 0x14, 0xe6, 0x70, 0xe4, 0x71, 0x24, 0x02, 0xb4, 0x4c, 0xcd, 0x21];
    assert_eq!(ends_with(&setup, b"PATH="), End::Exit(2));
    assert_eq!(ends_with(&setup, b"COPROCESSOR=NONE"), End::Exit(0));
}

#[test]
fn emulation_without_an_emulator_is_told() {
    // mov ax, 4; lmsw ax; fninit
    let End::Fault(text) = ends_with(&[0xb8, 4, 0, 0x0f, 0x01, 0xf0, 0xdb, 0xe3], b"PATH=") else {
        panic!("the program went on");
    };
    assert!(text.contains("nobody emulates the coprocessor at "), "{text}");
}
