//! Handlers that move data: MOV, XCHG, LEA, stack, segment registers, single string instructions.

use super::super::operand::Operand;
use super::super::register::{AX, BP, DX, SP};
use super::super::{Cpu, bit};
use super::{Flow, Op, Place};
use crate::{Bus, FarPointer};

/// Does nothing: NOP, and comparisons whose flags nobody looks at.
pub(in super::super) fn nothing(_cpu: &mut Cpu, _bus: &mut Bus, _op: &Op) -> Flow {
    Flow::Next
}

/// Decodes again, and executes: everything that has no handler of its own.
pub(in super::super) fn interpret(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.ip = op.next;
    cpu.step(bus);
    Flow::Leave
}

/// MOV.
pub(in super::super) fn copy<W: Operand, To: Place<W>, From: Place<W>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let value = From::load(cpu, bus, op);
    To::store(cpu, bus, op, value)
}

/// XCHG r/m, reg.
pub(in super::super) fn exchange<W: Operand, Other: Place<W>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let (value, other) = (W::register(cpu, op.reg as usize), Other::load(cpu, bus, op));
    // The address of the other may contain the register.
    let flow = Other::store(cpu, bus, op, value);
    W::set_register(cpu, op.reg as usize, other);
    flow
}

/// LEA.
pub(in super::super) fn effective_address(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    let offset = op.offset(cpu);
    cpu.set_register(op.reg as usize, offset);
    Flow::Next
}

/// MOV r/m, segment register.
pub(in super::super) fn store_segment<To: Place<u16>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let value = cpu.segment(op.reg as usize);
    To::store(cpu, bus, op, value)
}

/// MOV segment register, r/m.
pub(in super::super) fn load_segment<From: Place<u16>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let value = From::load(cpu, bus, op);
    cpu.set_segment(op.reg as usize, value);
    Flow::Next
}

/// LES, LDS: the segment register is the immediate.
pub(in super::super) fn load_far(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let pointer = bus.read_far(op.address(cpu));
    cpu.set_register(op.reg as usize, pointer.offset);
    cpu.set_segment(op.immediate as usize, pointer.segment);
    Flow::Next
}

/// PUSH of a register, of memory or of an immediate.
pub(in super::super) fn push<From: Place<u16>>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let value = From::load(cpu, bus, op);
    cpu.push(bus, value);
    op.stored(cpu, bus)
}

/// PUSH of a segment register.
pub(in super::super) fn push_segment(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.push(bus, cpu.segment(op.reg as usize));
    op.stored(cpu, bus)
}

/// POP of a register.
pub(in super::super) fn pop(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let value = cpu.pop(bus);
    cpu.set_register(op.reg as usize, value);
    Flow::Next
}

/// POP of a segment register.
pub(in super::super) fn pop_segment(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let value = cpu.pop(bus);
    cpu.set_segment(op.reg as usize, value);
    Flow::Next
}

/// LEAVE.
pub(in super::super) fn leave_frame(cpu: &mut Cpu, bus: &mut Bus, _op: &Op) -> Flow {
    cpu.registers[SP] = cpu.registers[BP];
    cpu.registers[BP] = cpu.pop(bus);
    Flow::Next
}

/// CBW.
pub(in super::super) fn widen(cpu: &mut Cpu, _bus: &mut Bus, _op: &Op) -> Flow {
    cpu.registers[AX] = cpu.registers[AX] as i8 as u16;
    Flow::Next
}

/// CWD.
pub(in super::super) fn spread_sign(cpu: &mut Cpu, _bus: &mut Bus, _op: &Op) -> Flow {
    cpu.registers[DX] = (cpu.registers[AX] as i16 >> 15) as u16;
    Flow::Next
}

/// XLAT.
pub(in super::super) fn translate(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let offset = op.offset(cpu).wrapping_add(cpu.registers[AX] & 0xff);
    let at = FarPointer::new(cpu.segment(op.segment as usize), offset);
    cpu.set_al(bus.read8(at));
    Flow::Next
}

/// MOVS, without prefix.
pub(in super::super) fn move_string<W: Operand>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.move_string::<W>(bus);
    op.stored(cpu, bus)
}

/// STOS, without prefix.
pub(in super::super) fn store_string<W: Operand>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.store_string::<W>(bus);
    op.stored(cpu, bus)
}

/// LODS, without prefix.
pub(in super::super) fn load_string<W: Operand>(cpu: &mut Cpu, bus: &mut Bus, _op: &Op) -> Flow {
    cpu.load_string::<W>(bus);
    Flow::Next
}

/// CLD, CLI.
pub(in super::super) fn clear_control(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    cpu.flags.clear_control(op.immediate as u16 & (bit::DIRECTION | bit::INTERRUPT));
    Flow::Next
}

/// STD, STI.
pub(in super::super) fn set_control(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    cpu.flags.set_control(op.immediate as u16 & (bit::DIRECTION | bit::INTERRUPT));
    Flow::Next
}
