//! Opcodes that share a form, and the groups whose operation is in the ModRM byte.

use super::super::handlers::arithmetic::change_carry;
use super::super::handlers::data::nothing;
use super::super::operand::ZERO;
use super::super::register::{AX, SP};
use super::super::segment::DS;
use super::pairs::{self, Shape, Target};
use super::{Decoder, Effect};

impl Decoder<'_> {
    /// Opcodes 00 to 3D: one of eight operations on one of six pairs of operands.
    pub(super) fn arithmetic(&mut self, opcode: u8) -> Option<()> {
        let shape = Shape::of(opcode);
        let (target, source) = match opcode & 7 {
            0 | 1 => (self.modrm(), Target::Reg),
            2 | 3 => (Target::Reg, self.modrm()),
            _ => {
                self.immediate(shape);
                (Target::Reg, Target::Imm)
            }
        };
        self.binary(opcode >> 3 & 7, shape, target, source)
    }

    /// Opcodes 80 to 83.
    pub(super) fn immediate_group(&mut self, opcode: u8) -> Option<()> {
        let (target, shape) = (self.modrm(), Shape::of(opcode));
        match opcode {
            0x83 => self.decoded.op.immediate = self.signed_byte().into(),
            _ => self.immediate(shape),
        }
        self.binary(self.decoded.op.reg, shape, target, Target::Imm)
    }

    pub(super) fn binary(
        &mut self,
        operation: u8,
        shape: Shape,
        to: Target,
        from: Target,
    ) -> Option<()> {
        self.decoded.effect = if let 2 | 3 = operation { Effect::Looks } else { Effect::Sets };
        self.pair(pairs::binary(operation, shape, to, from)?)
    }

    /// INC and DEC of a register.
    pub(super) fn count_register(&mut self, opcode: u8) -> Option<()> {
        self.decoded.op.base = opcode & 7;
        self.pair(pairs::unary(opcode >> 3 & 1, Shape::Word, Target::Rm))
    }

    pub(super) fn shift(&mut self, opcode: u8) -> Option<()> {
        let (target, shape) = (self.modrm(), Shape::of(opcode));
        let operation = self.decoded.op.reg;
        // RCL and RCR take CF in; by CL or round the operand, flags may stay.
        self.decoded.effect = match operation {
            2 | 3 => Effect::Looks,
            _ if target == Target::Mem => Effect::Looks,
            _ => Effect::Keeps,
        };
        if let 0xd2 | 0xd3 = opcode {
            return self.pair((pairs::shift_by_count(shape, target), None));
        }
        let count = if let 0xd0 | 0xd1 = opcode { 1 } else { self.byte() & 31 };
        self.decoded.op.immediate = count.into();
        if count == 0 {
            return self.pair((nothing, None));
        }
        if operation >= 4 && target != Target::Mem {
            self.decoded.effect = Effect::Sets;
        }
        self.pair((pairs::shift(shape, target), None))
    }

    /// Opcodes F6 and F7.
    pub(super) fn accumulator_group(&mut self, opcode: u8) -> Option<()> {
        let (target, shape) = (self.modrm(), Shape::of(opcode));
        match self.decoded.op.reg {
            0 | 1 => {
                self.immediate(shape);
                return self.sets(pairs::test(shape, target, Target::Imm));
            }
            2 => {
                self.decoded.effect =
                    if target == Target::Mem { Effect::Looks } else { Effect::Keeps };
                return self.pair(pairs::unary(3, shape, target));
            }
            3 => return self.sets(pairs::unary(2, shape, target)),
            _ => {}
        }
        // A division's error is at its beginning.
        self.decoded.op.immediate = self.offset.into();
        self.looks(pairs::multiply_divide(self.decoded.op.reg, shape, target)?)
    }

    /// Opcodes FE and FF.
    pub(super) fn transfer_group(&mut self, opcode: u8) -> Option<()> {
        let (target, shape) = (self.modrm(), Shape::of(opcode));
        match self.decoded.op.reg {
            operation @ (0 | 1) => {
                if target == Target::Mem {
                    self.decoded.effect = Effect::Looks;
                }
                self.pair(pairs::unary(operation, shape, target))
            }
            2 if shape == Shape::Word => self.ending(pairs::call(target)),
            4 if shape == Shape::Word => self.ending(pairs::jump(target)),
            6 if shape == Shape::Word && !self.is_stack_pointer(target) => {
                self.looks(pairs::push(target))
            }
            _ => None,
        }
    }

    pub(super) fn is_stack_pointer(&self, target: Target) -> bool {
        target == Target::Rm && self.decoded.op.base == SP as u8
    }

    pub(super) fn jump_on(&mut self, opcode: u8) -> Option<()> {
        self.short_target();
        // Backwards it is mostly taken, forwards the run goes on.
        self.decoded.ends = (self.decoded.op.immediate as u16) < self.offset;
        self.looks(pairs::jump_on(opcode & 15))
    }

    /// Opcodes A0 to A3.
    pub(super) fn direct(&mut self, opcode: u8) -> Option<()> {
        let offset = self.word();
        self.memory(ZERO, ZERO, DS as u8, offset);
        self.decoded.op.reg = AX as u8;
        let shape = Shape::of(opcode);
        match opcode {
            0xa0 | 0xa1 => self.plain(pairs::copy(shape, Target::Reg, Target::Mem)),
            _ => self.looks(pairs::copy(shape, Target::Mem, Target::Reg)),
        }
    }

    /// CMC, CLC, STC.
    pub(super) fn carry(&mut self, change: u32) -> Option<()> {
        self.decoded.op.immediate = change;
        self.plain(change_carry)
    }
}
