//! Lengths of instructions against iced-x86's decoder: random bytes, one instruction each.

#[path = "support/dice.rs"]
mod dice;

use dice::Dice;
use dos_machine::cpu::{Cpu, Exit, Model, segment};
use dos_machine::{Bus, FarPointer};
use iced_x86::{
    CpuidFeature, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};

/// How many instructions each processor decodes.
const INSTRUCTIONS: u32 = 400_000;
/// Where they lie.
const CODE: FarPointer = FarPointer::new(0x1000, 0x0100);
/// The handler of interrupt n is in segment n more than this.
const HANDLERS: u16 = 0xe000;
/// Longest instruction of an 80386 (Programmer's Reference Manual 17.2).
const LONGEST: usize = 15;

/// Undefined in real mode (80386 Programmer's Reference Manual 14.7).
const IN_PROTECTED_MODE: [Mnemonic; 9] = [
    Mnemonic::Sldt,
    Mnemonic::Str,
    Mnemonic::Lldt,
    Mnemonic::Ltr,
    Mnemonic::Verr,
    Mnemonic::Verw,
    Mnemonic::Arpl,
    Mnemonic::Lar,
    Mnemonic::Lsl,
];

/// Returns whether a model has an instruction in real mode, as iced-x86's tables say.
fn has(model: Model, instruction: &Instruction) -> bool {
    use CpuidFeature::{FPU, FPU287, FPU387, INTEL186, INTEL286, INTEL386, INTEL8086};
    let features: &[CpuidFeature] = match model {
        Model::I8086 | Model::I80186 => &[INTEL8086, INTEL186, FPU],
        Model::I80286 => &[INTEL8086, INTEL186, INTEL286, FPU, FPU287],
        Model::I80386 => &[INTEL8086, INTEL186, INTEL286, INTEL386, FPU, FPU287, FPU387],
    };
    instruction.cpuid_features().iter().all(|feature| features.contains(feature))
        && !IN_PROTECTED_MODE.contains(&instruction.mnemonic())
}

/// Returns whether real processors leave open what happens, or this machine does on purpose
/// otherwise than iced-x86's tables have it.
fn is_open(model: Model, code: &[u8], instruction: &Instruction) -> bool {
    let opcode = code.iter().find(|byte| !is_prefix(**byte)).copied().unwrap_or_default();
    let to_code =
        instruction.op0_kind() == OpKind::Register && instruction.op0_register() == Register::CS;
    // LOCK before what cannot be locked is undefined; no bus is locked here. F1 is its alias.
    let is_later = code.iter().take_while(|byte| is_prefix(**byte)).any(|byte| byte >> 2 == 0x19);
    let registers = [instruction.op0_register(), instruction.op1_register()];
    let is_later =
        is_later || registers.iter().any(|one| [Register::FS, Register::GS].contains(one));
    let is_of_later_model = model < Model::I80386 && is_later;
    is_of_later_model || instruction.has_lock_prefix() || opcode == 0xf1 || to_code
}

fn is_prefix(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
}

fn check(model: Model, seed: u64) {
    let mut dice = Dice(seed);
    let mut bus = Bus::new();
    for vector in 0..256u16 {
        bus.write_far(FarPointer::new(0, vector * 4), FarPointer::new(HANDLERS + vector, 0));
    }
    let (mut compared, mut wrong) = (0, Vec::new());
    for _ in 0..INSTRUCTIONS {
        let mut code = [0u8; LONGEST];
        code.iter_mut().for_each(|byte| *byte = dice.roll() as u8);
        // Enough of the instructions behind 0F and the prefixes of 32 bits.
        match dice.roll() % 8 {
            0 => code[0] = 0x0f,
            1 => code[0] = 0x66,
            2 => (code[0], code[1]) = (0x66, 0x67),
            3 => (code[0], code[1]) = (0x66, 0x0f),
            4 => code[0] = 0x67,
            _ => {}
        }
        let mut decoder = Decoder::with_ip(16, &code, CODE.offset.into(), DecoderOptions::NONE);
        let instruction = decoder.decode();
        let is_plain = instruction.flow_control() == FlowControl::Next;
        if instruction.is_invalid() || !is_plain || !has(model, &instruction) {
            continue;
        }
        if is_open(model, &code, &instruction) {
            continue;
        }
        let mut cpu = Cpu::new(model);
        for register in 0..8 {
            cpu.set_register(register, dice.roll() as u16);
        }
        for (number, at) in [(segment::DS, 0x2000), (segment::ES, 0x3000), (segment::SS, 0x4000)] {
            cpu.set_segment(number, at);
        }
        bus.write(CODE, &code);
        cpu.jump(CODE);
        cpu.set_flags(0);
        let exit = cpu.run(&mut bus, 1);
        let next = cpu.next_instruction();
        let length = next.offset.wrapping_sub(CODE.offset) as usize;
        let has_failed = match next.segment.wrapping_sub(HANDLERS) {
            // A division or a bound went wrong: the length is not to be seen.
            0 | 5 => false,
            _ if matches!(exit, Exit::Limit | Exit::Protected) => false,
            _ => next.segment != CODE.segment || length != instruction.len(),
        };
        compared += 1;
        if has_failed {
            wrong.push(format!("{:02x?}: {next:04x?}, expected {}", code, instruction.len()));
        }
    }
    assert!(wrong.is_empty(), "{model:?}: {} wrong, first {:#?}", wrong.len(), &wrong[..1]);
    assert!(compared > INSTRUCTIONS / 8, "only {compared} were compared");
}

#[test]
fn the_80186_takes_the_bytes_that_belong_to_an_instruction() {
    check(Model::I80186, 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn the_80286_takes_the_bytes_that_belong_to_an_instruction() {
    check(Model::I80286, 0x2545_f491_4f6c_dd1d);
}

#[test]
fn the_80386_takes_the_bytes_that_belong_to_an_instruction() {
    check(Model::I80386, 0xd1b5_4a32_d192_ed03);
}
