//! Instructions with a memory operand: loads, stores, arithmetic, and the state as a whole.
//!
//! ```text
//!   FSTENV, 16 bits, real mode          FSAVE: the same, then ST(0) to ST(7), ten bytes each
//!   00 control  02 status  04 tags      06 instruction, bits 0-15
//!   08 instruction 16-19, opcode 0-10   0A operand, bits 0-15   0C operand, bits 16-19
//! ```
//! With an operand-size prefix, in real mode (appendix A; Intel SDM 1, figure 8-11):
//!
//! ```text
//!   00 control  04 status  08 tags      0C instruction, bits 0-15
//!   10 bits 0-10 opcode, 12-27 instruction 16-31   14 operand, bits 0-15   18 bits 12-27 operand 16-31
//! ```
//! Source: Intel 80387 Programmer's Reference Manual (1987), figure 2-9 and appendix A.

use super::Fpu;
use super::convert::{DOUBLE, Encoding, SINGLE};
use super::number::exception::{DENORMAL, INVALID, OVERFLOW, PRECISION, UNDERFLOW};
use super::number::{Context, Number};
use super::status::C1;
use crate::{Bus, FarPointer};

/// How a state lies in memory: by the width of the instruction's operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Format {
    /// Words of 16 bits.
    Words,
    /// Words of 32 bits.
    Doublewords,
}

impl Format {
    /// Returns the bytes of the environment.
    fn environment_bytes(self) -> u16 {
        match self {
            Format::Words => 14,
            Format::Doublewords => 28,
        }
    }
}

impl Fpu {
    /// Executes an instruction on memory: ESC's low three bits and the operation of the ModRM byte.
    pub(in super::super) fn on_memory(
        &mut self,
        bus: &mut Bus,
        escape: u8,
        operation: u8,
        at: FarPointer,
        format: Format,
    ) {
        match (escape, operation) {
            (0 | 2 | 4 | 6, _) => self.arithmetic(bus, escape, operation, at),
            (1, 4) => self.load_environment(bus, at, format),
            (1, 5) => self.set_control_word(bus.read16(at)),
            (1, 6) => {
                self.store_environment(bus, at, format);
                self.control |= 0x3f;
                self.summarize();
            }
            (1, 7) => bus.write16(at, self.control),
            (5, 4) => self.restore(bus, at, format),
            (5, 6) => self.save(bus, at, format),
            (5, 7) => bus.write16(at, self.status_word()),
            (1 | 3 | 5 | 7, 0) | (3, 5) | (7, 4 | 5) => self.load(bus, escape, operation, at),
            (1 | 3 | 5 | 7, 2) => self.store(bus, escape, operation, at, 0),
            (1 | 3 | 5 | 7, 3) | (3, 7) | (7, 6 | 7) => {
                self.store(bus, escape, operation, at, 1);
            }
            _ => {}
        }
    }

    /// FADD to FDIVR with an operand of 32 or 64 bits, integers of 32 or 16.
    fn arithmetic(&mut self, bus: &Bus, escape: u8, operation: u8, at: FarPointer) {
        let mut context = self.context();
        let a = self.get(0, &mut context);
        let b = match escape {
            0 => context.decode(SINGLE, bus.read32(at).into()),
            4 => context.decode(DOUBLE, read64(bus, at)),
            2 => Number::from_integer((bus.read32(at) as i32).into()),
            _ => Number::from_integer((bus.read16(at) as i16).into()),
        };
        context.was_denormal = context.raised & DENORMAL != 0;
        context.raised &= !DENORMAL;
        let operands = a.map(|a| (a, b));
        match operation {
            2 | 3 => self.compare_with(operands, operation & 1, false, context),
            _ => self.apply(operation, operands, 0, 0, context),
        }
    }

    fn load(&mut self, bus: &Bus, escape: u8, operation: u8, at: FarPointer) {
        let mut context = self.context();
        let value = match (escape, operation) {
            (1, _) => context.decode(SINGLE, bus.read32(at).into()),
            (5, _) => context.decode(DOUBLE, read64(bus, at)),
            (3, 0) => Number::from_integer((bus.read32(at) as i32).into()),
            (3, _) => Number::from_bytes(read_ten(bus, at)),
            (7, 0) => Number::from_integer((bus.read16(at) as i16).into()),
            (7, 4) => Number::from_decimal(read_ten(bus, at)),
            _ => Number::from_integer(read64(bus, at) as i64),
        };
        let is_converted = matches!(escape, 1 | 5);
        let value = if is_converted { context.quieted(value) } else { value };
        // A denormal is loaded also where its exception is not masked, but for a full stack.
        let denormal = context.raised & DENORMAL;
        context.raised &= !DENORMAL;
        self.push(value, &mut context);
        if context.raised & INVALID == 0 {
            context.raise(denormal);
        }
        self.finish(&context);
    }

    fn store(&mut self, bus: &mut Bus, escape: u8, operation: u8, at: FarPointer, pops: u8) {
        let mut context = self.context();
        let value = self.get(0, &mut context).unwrap_or(Number::INDEFINITE);
        let is_empty = context.raised != 0;
        let (bytes, len) = match (escape, operation) {
            (1, _) => real(&mut context, SINGLE, value, 4),
            (5, _) => real(&mut context, DOUBLE, value, 8),
            (3, 7) => (value.to_bytes(), 10),
            (7, 6) => (context.decimal(value), 10),
            (7, 7) => integer(&mut context, value, 8),
            (7, _) => integer(&mut context, value, 2),
            _ => integer(&mut context, value, 4),
        };
        let is_out = [OVERFLOW, UNDERFLOW]
            .iter()
            .any(|&one| context.raised & one != 0 && !context.is_masked(one));
        if is_out {
            context.raised &= !PRECISION;
        }
        let is_up = context.is_up && !is_empty && !is_out;
        self.set_conditions(C1, if is_up { C1 } else { 0 });
        if self.finish(&context) && !is_out {
            bus.write(at, &bytes[..len]);
            (0..pops).for_each(|_| self.pop());
        }
    }

    /// Notes where an instruction that computes is, its opcode, and where its operand is.
    pub(in super::super) fn note(
        &mut self,
        at: FarPointer,
        opcode: u16,
        operand: Option<FarPointer>,
    ) {
        self.instruction = at.linear() as u32;
        self.opcode = opcode & 0x7ff;
        self.operand = operand.map_or(self.operand, |operand| operand.linear() as u32);
    }

    fn store_environment(&self, bus: &mut Bus, at: FarPointer, format: Format) {
        match format {
            Format::Words => self.store_words(bus, at),
            Format::Doublewords => self.store_doublewords(bus, at),
        }
    }

    fn store_words(&self, bus: &mut Bus, at: FarPointer) {
        let words = [
            self.control,
            self.status_word(),
            self.tag_word(),
            self.instruction as u16,
            (self.instruction >> 16 << 12) as u16 | self.opcode,
            self.operand as u16,
            (self.operand >> 16 << 12) as u16,
        ];
        (0..).step_by(2).zip(words).for_each(|(place, word)| bus.write16(at.add(place), word));
    }

    fn store_doublewords(&self, bus: &mut Bus, at: FarPointer) {
        // Reserved halves are ones.
        let reserved = |word: u16| 0xffff_0000 | u32::from(word);
        let words = [
            reserved(self.control),
            reserved(self.status_word()),
            reserved(self.tag_word()),
            reserved(self.instruction as u16),
            self.instruction >> 16 << 12 | u32::from(self.opcode),
            reserved(self.operand as u16),
            self.operand >> 16 << 12,
        ];
        (0..).step_by(4).zip(words).for_each(|(place, word)| bus.write32(at.add(place), word));
    }

    fn load_environment(&mut self, bus: &Bus, at: FarPointer, format: Format) {
        let step = format.environment_bytes() / 7;
        let word = |number: u16| bus.read16(at.add(number * step));
        let high = |number: u16| match format {
            Format::Words => u32::from(word(number)) >> 12,
            Format::Doublewords => bus.read32(at.add(number * step)) >> 12 & 0xffff,
        };
        self.instruction = u32::from(word(3)) | high(4) << 16;
        self.operand = u32::from(word(5)) | high(6) << 16;
        self.opcode = word(4) & 0x7ff;
        self.control = word(0) & 0x1f7f | 0x0040;
        self.set_status_word(word(1));
        self.set_tag_word(word(2));
    }

    fn save(&mut self, bus: &mut Bus, at: FarPointer, format: Format) {
        self.store_environment(bus, at, format);
        let registers = at.add(format.environment_bytes());
        for index in 0..8 {
            let place = registers.add(u16::from(index) * 10);
            bus.write(place, &self.registers[self.place(index)].to_bytes());
        }
        self.initialize();
    }

    fn restore(&mut self, bus: &Bus, at: FarPointer, format: Format) {
        self.load_environment(bus, at, format);
        let registers = at.add(format.environment_bytes());
        for index in 0..8 {
            let number = read_ten(bus, registers.add(u16::from(index) * 10));
            let place = self.place(index);
            self.registers[place] = Number::from_bytes(number);
        }
    }
}

fn real(context: &mut Context, encoding: Encoding, value: Number, len: usize) -> ([u8; 10], usize) {
    padded(context.encode(encoding, value), len)
}

fn integer(context: &mut Context, value: Number, len: usize) -> ([u8; 10], usize) {
    padded(context.integer(value, len as u32 * 8) as u64, len)
}

fn padded(value: u64, len: usize) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    (bytes, len)
}

fn read64(bus: &Bus, at: FarPointer) -> u64 {
    bus.read32(at) as u64 | (bus.read32(at.add(4)) as u64) << 32
}

fn read_ten(bus: &Bus, at: FarPointer) -> [u8; 10] {
    let mut bytes = [0; 10];
    bus.read(at, &mut bytes);
    bytes
}
