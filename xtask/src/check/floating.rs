//! Finds SSE, MMX and x87 instructions in executables that must have none.
//!
//! The kernel saves no such registers for servers, and its own use of them would destroy a
//! program's. Only the kernel's save and restore of a thread's extended state may name them.

use crate::build::{Program, Set};
use anyhow::{Context, Result};
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind};
use std::collections::BTreeMap;
use std::fs;

/// Returns one line for each function with such instructions.
///
/// # Errors
/// Where the executable can't be read.
pub fn find(program: &Program) -> Result<Vec<String>> {
    let path = program.executable();
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    let file = object::File::parse(&*bytes).with_context(|| path.display().to_string())?;
    let functions = functions(&file);
    let mut counts: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        for instruction in decode(section.data()?, section.address()) {
            if is_forbidden(&instruction, program.set) {
                let function = name_at(&functions, instruction.ip());
                counts.entry(function).or_insert((0, instruction.ip())).0 += 1;
            }
        }
    }
    let line = |(function, (count, first)): (String, (usize, u64))| {
        format!("  {}: {count} in {function}, first at {first:#x}", program.name)
    };
    Ok(counts.into_iter().map(line).collect())
}

fn decode(code: &[u8], address: u64) -> impl Iterator<Item = Instruction> {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    std::iter::from_fn(move || decoder.can_decode().then(|| decoder.decode()))
}

fn is_forbidden(instruction: &Instruction, set: Set) -> bool {
    if saves_state(instruction.mnemonic()) {
        return set != Set::Kernel;
    }
    let operands = 0..instruction.op_count();
    let mut registers = operands
        .filter(|index| instruction.op_kind(*index) == OpKind::Register)
        .map(|index| instruction.op_register(index));
    registers.any(is_extended) || is_x87(instruction)
}

fn saves_state(mnemonic: Mnemonic) -> bool {
    matches!(
        mnemonic,
        Mnemonic::Fxsave
            | Mnemonic::Fxsave64
            | Mnemonic::Fxrstor
            | Mnemonic::Fxrstor64
            | Mnemonic::Xsave
            | Mnemonic::Xsave64
            | Mnemonic::Xsaveopt
            | Mnemonic::Xsaveopt64
            | Mnemonic::Xrstor
            | Mnemonic::Xrstor64
            | Mnemonic::Ldmxcsr
            | Mnemonic::Stmxcsr
            | Mnemonic::Fninit
            | Mnemonic::Fnclex
    )
}

fn is_extended(register: Register) -> bool {
    register.is_vector_register()
        || register.is_mm()
        || register.is_st()
        || register.is_k()
        || register.is_tmm()
}

/// Returns whether the instruction works on the x87 stack without naming a register of it.
fn is_x87(instruction: &Instruction) -> bool {
    instruction.fpu_stack_increment_info().writes_top()
        || instruction.cpuid_features().iter().any(|feature| {
            use iced_x86::CpuidFeature;
            matches!(feature, CpuidFeature::FPU | CpuidFeature::FPU287 | CpuidFeature::FPU387)
        })
}

/// Returns the names of the functions by their first address.
fn functions(file: &object::File<'_>) -> BTreeMap<u64, String> {
    let text = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
    let named = text.map(|symbol| {
        let name = symbol.name().unwrap_or("a function whose name is not UTF-8");
        (symbol.address(), format!("{:#}", rustc_demangle::demangle(name)))
    });
    named.collect()
}

fn name_at(functions: &BTreeMap<u64, String>, address: u64) -> String {
    let before = functions.range(..=address).next_back();
    before.map_or_else(|| "no function".to_owned(), |(_, name)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::{Set, decode, is_forbidden};

    fn found(code: &[u8], set: Set) -> usize {
        decode(code, 0).filter(|instruction| is_forbidden(instruction, set)).count()
    }

    #[test]
    fn vector_mmx_and_x87_instructions_are_found() {
        let movaps = [0x0f, 0x28, 0xc1]; // movaps xmm0, xmm1
        let movq = [0x0f, 0x6f, 0x00]; // movq mm0, [rax]
        let fld = [0xdd, 0x00]; // fld qword [rax]
        let fld1 = [0xd9, 0xe8];
        let vaddps = [0xc5, 0xfc, 0x58, 0xc1]; // vaddps ymm0, ymm0, ymm1
        for code in [&movaps[..], &movq, &fld, &fld1, &vaddps] {
            assert_eq!(found(code, Set::Kernel), 1, "{code:02x?}");
            assert_eq!(found(code, Set::Servers), 1, "{code:02x?}");
        }
    }

    #[test]
    fn integer_instructions_are_not() {
        let code = [0x48, 0x01, 0xd8, 0xf3, 0x48, 0xa5, 0x0f, 0xae, 0xf0, 0xf3, 0x90, 0xc3];
        assert_eq!(found(&code, Set::Servers), 0); // add, rep movsq, mfence, pause, ret
    }

    #[test]
    fn only_the_kernel_saves_state() {
        let xsave64 = [0x48, 0x0f, 0xae, 0x20]; // xsave64 [rax]
        assert_eq!(found(&xsave64, Set::Kernel), 0);
        assert_eq!(found(&xsave64, Set::Servers), 1);
    }
}
