//! Handlers of decoded instructions: each does one, with the operands that `decode` found.
//!
//! A handler is a function for one operation, width and kind of operands. Where it returns
//! [`Flow::Next`], IP is left alone: the run's loop has set it to the end of the run. Where it returns
//! [`Flow::Leave`], IP is where the next instruction is.
//!
//! `data` has the moves, `arithmetic` what sets flags, `transfer` what goes elsewhere.

pub(super) mod arithmetic;
pub(super) mod data;
pub(super) mod transfer;

use super::Cpu;
use super::operand::Operand;
use crate::{Bus, FarPointer};

/// What the run's loop does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// It goes on with the next instruction of the run.
    Next,
    /// It ends the run: IP says where to go on, and something may ask for attention.
    Leave,
}

/// Does an instruction.
pub(super) type Handler = fn(&mut Cpu, &mut Bus, &Op) -> Flow;

/// A decoded instruction.
#[derive(Clone, Copy)]
pub(super) struct Op {
    pub(super) run: Handler,
    /// The immediate operand, or a jump's target.
    pub(super) immediate: u32,
    /// The memory operand's displacement.
    pub(super) displacement: u16,
    /// Offset of the next instruction.
    pub(super) next: u16,
    /// The register operand.
    pub(super) reg: u8,
    /// The r/m operand's register, or the memory operand's base register.
    pub(super) base: u8,
    /// The memory operand's index register.
    pub(super) index: u8,
    /// The memory operand's segment register.
    pub(super) segment: u8,
}

/// A kind of operand.
pub(super) trait Place<W: Operand> {
    /// Whether storing may end the run.
    const IS_MEMORY: bool;
    fn load(cpu: &Cpu, bus: &Bus, op: &Op) -> W;
    fn store(cpu: &mut Cpu, bus: &mut Bus, op: &Op, value: W) -> Flow;
}

/// The register that `reg` names.
pub(super) struct Reg;
/// The register that r/m names.
pub(super) struct Rm;
/// Memory.
pub(super) struct Mem;
/// The immediate; nothing is stored to it.
pub(super) struct Imm;

impl<W: Operand> Place<W> for Reg {
    const IS_MEMORY: bool = false;
    #[inline(always)]
    fn load(cpu: &Cpu, _bus: &Bus, op: &Op) -> W {
        W::register(cpu, op.reg as usize)
    }
    #[inline(always)]
    fn store(cpu: &mut Cpu, _bus: &mut Bus, op: &Op, value: W) -> Flow {
        W::set_register(cpu, op.reg as usize, value);
        Flow::Next
    }
}

impl<W: Operand> Place<W> for Rm {
    const IS_MEMORY: bool = false;
    #[inline(always)]
    fn load(cpu: &Cpu, _bus: &Bus, op: &Op) -> W {
        W::register(cpu, op.base as usize)
    }
    #[inline(always)]
    fn store(cpu: &mut Cpu, _bus: &mut Bus, op: &Op, value: W) -> Flow {
        W::set_register(cpu, op.base as usize, value);
        Flow::Next
    }
}

impl<W: Operand> Place<W> for Mem {
    const IS_MEMORY: bool = true;
    #[inline(always)]
    fn load(cpu: &Cpu, bus: &Bus, op: &Op) -> W {
        W::load(bus, op.address(cpu))
    }
    #[inline(always)]
    fn store(cpu: &mut Cpu, bus: &mut Bus, op: &Op, value: W) -> Flow {
        let at = op.address(cpu);
        W::store(bus, at, value);
        op.stored(cpu, bus)
    }
}

impl<W: Operand> Place<W> for Imm {
    const IS_MEMORY: bool = false;
    #[inline(always)]
    fn load(_cpu: &Cpu, _bus: &Bus, op: &Op) -> W {
        W::narrow(op.immediate)
    }
    #[inline(always)]
    fn store(_cpu: &mut Cpu, _bus: &mut Bus, _op: &Op, _value: W) -> Flow {
        Flow::Next
    }
}

impl Op {
    /// Returns the memory operand's offset.
    #[inline(always)]
    pub(super) fn offset(&self, cpu: &Cpu) -> u16 {
        let base = cpu.registers[self.base as usize & 15];
        let index = cpu.registers[self.index as usize & 15];
        base.wrapping_add(index).wrapping_add(self.displacement)
    }

    /// Returns where the memory operand is.
    #[inline(always)]
    pub(super) fn address(&self, cpu: &Cpu) -> FarPointer {
        FarPointer::new(cpu.segments[self.segment as usize & 7], self.offset(cpu))
    }

    /// Ends the run where a store has changed code.
    #[inline(always)]
    pub(super) fn stored(&self, cpu: &mut Cpu, bus: &Bus) -> Flow {
        if bus.watch.is_touched() { self.leave(cpu) } else { Flow::Next }
    }

    #[cold]
    fn leave(&self, cpu: &mut Cpu) -> Flow {
        cpu.ip = self.next;
        Flow::Leave
    }
}
