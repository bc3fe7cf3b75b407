//! Handlers that go elsewhere: but for conditional jumps each is the last of its run, whose loop has set
//! IP to what follows.
//!
//! What pushes may change code: then they leave, with IP set already.

use super::super::Cpu;
use super::super::register::{CX, SP};
use super::super::segment::CS;
use super::{Flow, Op, Place};
use crate::{Bus, FarPointer};

/// JMP near and short.
pub(in super::super) fn jump(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    cpu.ip = op.immediate as u16;
    Flow::Next
}

/// A conditional jump, which may stand amid a run: `CONDITION` is the opcode's low four bits (User's
/// Manual table 3-11).
pub(in super::super) fn jump_on<const CONDITION: u8>(
    cpu: &mut Cpu,
    _bus: &mut Bus,
    op: &Op,
) -> Flow {
    if cpu.condition(CONDITION) {
        cpu.ip = op.immediate as u16;
        return Flow::Leave;
    }
    Flow::Next
}

/// LOOP.
pub(in super::super) fn count_down(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    loop_if(cpu, op, true)
}

/// LOOPE.
pub(in super::super) fn count_down_equal(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    loop_if(cpu, op, cpu.flags.zero())
}

/// LOOPNE.
pub(in super::super) fn count_down_unequal(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    loop_if(cpu, op, !cpu.flags.zero())
}

/// JCXZ.
pub(in super::super) fn jump_uncounted(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    if cpu.registers[CX] == 0 {
        cpu.ip = op.immediate as u16;
    }
    Flow::Next
}

/// CALL near.
pub(in super::super) fn call(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.push(bus, op.next);
    cpu.ip = op.immediate as u16;
    pushed(bus)
}

/// CALL near to what an operand says.
pub(in super::super) fn call_operand<To: Place<u16>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let target = To::load(cpu, bus, op);
    cpu.push(bus, op.next);
    cpu.ip = target;
    pushed(bus)
}

/// JMP near to what an operand says.
pub(in super::super) fn jump_operand<To: Place<u16>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    cpu.ip = To::load(cpu, bus, op);
    Flow::Next
}

/// CALL far: the immediate is the target.
pub(in super::super) fn call_far(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.push(bus, cpu.segment(CS));
    cpu.push(bus, op.next);
    jump_far(cpu, bus, op);
    pushed(bus)
}

/// JMP far.
pub(in super::super) fn jump_far(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    cpu.jump(FarPointer::new((op.immediate >> 16) as u16, op.immediate as u16));
    Flow::Next
}

/// RET near; the immediate is dropped from the stack.
pub(in super::super) fn return_near(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    cpu.ip = cpu.pop(bus);
    cpu.registers[SP] = cpu.registers[SP].wrapping_add(op.immediate as u16);
    Flow::Next
}

/// RET far.
pub(in super::super) fn return_far(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let (offset, segment) = (cpu.pop(bus), cpu.pop(bus));
    cpu.jump(FarPointer::new(segment, offset));
    cpu.registers[SP] = cpu.registers[SP].wrapping_add(op.immediate as u16);
    Flow::Next
}

#[inline(always)]
fn loop_if(cpu: &mut Cpu, op: &Op, condition: bool) -> Flow {
    cpu.registers[CX] = cpu.registers[CX].wrapping_sub(1);
    if condition && cpu.registers[CX] != 0 {
        cpu.ip = op.immediate as u16;
    }
    Flow::Next
}

#[inline(always)]
fn pushed(bus: &Bus) -> Flow {
    if bus.watch.is_touched() { Flow::Leave } else { Flow::Next }
}
