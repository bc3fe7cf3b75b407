//! Handlers that set flags, each also in a form that does not, for where nobody looks.

use core::marker::PhantomData;

use super::super::flags::Width;
use super::super::operand::{Operand, Word};
use super::super::register::CX;
use super::super::{Cpu, Flags};
use super::{Flow, Handler, Op, Place};
use crate::Bus;

/// An operation of two operands: its result with flags, and without.
pub(in super::super) trait Binary {
    fn apply<W: Width>(flags: &mut Flags, a: W, b: W) -> W;
    fn bare<W: Width>(flags: &Flags, a: W, b: W) -> W;
}

/// ADD.
pub(in super::super) struct Add;
/// OR.
pub(in super::super) struct Or;
/// ADC.
pub(in super::super) struct Adc;
/// SBB.
pub(in super::super) struct Sbb;
/// AND.
pub(in super::super) struct And;
/// SUB.
pub(in super::super) struct Sub;
/// XOR.
pub(in super::super) struct Xor;

macro_rules! binary {
    ($name:ident, $apply:path, |$flags:ident, $a:ident, $b:ident| $bare:expr) => {
        impl Binary for $name {
            #[inline(always)]
            fn apply<W: Width>(flags: &mut Flags, a: W, b: W) -> W {
                $apply(flags, a, b)
            }
            #[inline(always)]
            fn bare<W: Width>($flags: &Flags, $a: W, $b: W) -> W {
                let ($a, $b) = ($a.widen(), $b.widen());
                W::narrow($bare)
            }
        }
    };
}

binary!(Add, Flags::add, |_flags, a, b| a.wrapping_add(b));
binary!(Or, Flags::or, |_flags, a, b| a | b);
binary!(Adc, Flags::adc, |flags, a, b| a.wrapping_add(b).wrapping_add(flags.carry() as u32));
binary!(Sbb, Flags::sbb, |flags, a, b| a.wrapping_sub(b).wrapping_sub(flags.carry() as u32));
binary!(And, Flags::and, |_flags, a, b| a & b);
binary!(Sub, Flags::sub, |_flags, a, b| a.wrapping_sub(b));
binary!(Xor, Flags::xor, |_flags, a, b| a ^ b);

/// An operation of one operand.
pub(in super::super) trait Unary {
    fn apply<W: Width>(flags: &mut Flags, a: W) -> W;
    fn bare<W: Width>(a: W) -> W;
}

/// INC.
pub(in super::super) struct Increment;
/// DEC.
pub(in super::super) struct Decrement;
/// NEG.
pub(in super::super) struct Negate;
/// NOT.
pub(in super::super) struct Not;

macro_rules! unary {
    ($name:ident, |$flags:ident, $a:ident| $apply:expr, $bare:expr) => {
        impl Unary for $name {
            #[inline(always)]
            fn apply<W: Width>($flags: &mut Flags, $a: W) -> W {
                $apply
            }
            #[inline(always)]
            fn bare<W: Width>($a: W) -> W {
                let $a = $a.widen();
                W::narrow($bare)
            }
        }
    };
}

unary!(Increment, |flags, a| flags.increment(a), a.wrapping_add(1));
unary!(Decrement, |flags, a| flags.decrement(a), a.wrapping_sub(1));
unary!(Negate, |flags, a| flags.sub(W::narrow(0), a), a.wrapping_neg());
unary!(Not, |_flags, a| W::narrow(!a.widen()), !a);

/// A handler, and the one that sets no flags, where there is one.
pub(in super::super) type Pair = (Handler, Option<Handler>);

/// Returns the handlers of a ← operation(a, b).
pub(in super::super) fn binary<W, O, A, B>() -> Pair
where
    W: Operand,
    O: Binary,
    A: Place<W>,
    B: Place<W>,
{
    let bare: Handler = |cpu, bus, op| {
        let (a, b) = (A::load(cpu, bus, op), B::load(cpu, bus, op));
        let result = O::bare::<W>(&cpu.flags, a, b);
        A::store(cpu, bus, op, result)
    };
    let full: Handler = |cpu, bus, op| {
        let (a, b) = (A::load(cpu, bus, op), B::load(cpu, bus, op));
        let result = O::apply::<W>(&mut cpu.flags, a, b);
        A::store(cpu, bus, op, result)
    };
    (full, (!A::IS_MEMORY).then_some(bare))
}

/// Returns the handlers of flags ← operation(a, b): CMP and TEST.
pub(in super::super) fn compare<W, O, A, B>() -> Pair
where
    W: Operand,
    O: Binary,
    A: Place<W>,
    B: Place<W>,
{
    let full: Handler = |cpu, bus, op| {
        let (a, b) = (A::load(cpu, bus, op), B::load(cpu, bus, op));
        O::apply::<W>(&mut cpu.flags, a, b);
        Flow::Next
    };
    (full, Some(super::data::nothing))
}

/// Returns the handlers of a ← operation(a).
pub(in super::super) fn unary<W: Operand, O: Unary, A: Place<W>>() -> Pair {
    let bare: Handler = |cpu, bus, op| {
        let result = O::bare::<W>(A::load(cpu, bus, op));
        A::store(cpu, bus, op, result)
    };
    let full: Handler = |cpu, bus, op| {
        let a = A::load(cpu, bus, op);
        let result = O::apply::<W>(&mut cpu.flags, a);
        A::store(cpu, bus, op, result)
    };
    (full, (!A::IS_MEMORY).then_some(bare))
}

/// Shifts and rotates by the immediate; `shift` says which, in `reg`.
pub(in super::super) fn shift<W: Operand, A: Place<W>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let value = A::load(cpu, bus, op);
    let result = cpu.shifted::<W>(value, op.reg as usize, op.immediate as u8);
    A::store(cpu, bus, op, result)
}

/// The same by CL; by 0 nothing changes.
pub(in super::super) fn shift_by_count<W: Operand, A: Place<W>>(
    cpu: &mut Cpu,
    bus: &mut Bus,
    op: &Op,
) -> Flow {
    let count = cpu.shift_count(cpu.registers[CX] as u8);
    if count == 0 {
        return Flow::Next;
    }
    let value = A::load(cpu, bus, op);
    let result = cpu.shifted::<W>(value, op.reg as usize, count);
    A::store(cpu, bus, op, result)
}

/// MUL and IMUL of the accumulator.
pub(in super::super) struct Multiply<W>(PhantomData<W>);

impl<W: Word> Multiply<W> {
    pub(in super::super) fn word<A: Place<W>>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
        let operand = A::load(cpu, bus, op);
        cpu.multiply_word(operand);
        Flow::Next
    }

    pub(in super::super) fn signed_word<A: Place<W>>(
        cpu: &mut Cpu,
        bus: &mut Bus,
        op: &Op,
    ) -> Flow {
        let operand = A::load(cpu, bus, op);
        cpu.multiply_signed_word(operand);
        Flow::Next
    }
}

/// MUL of AL.
pub(in super::super) fn multiply_byte<A: Place<u8>>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let operand = A::load(cpu, bus, op);
    cpu.multiply_byte(operand);
    Flow::Next
}

/// DIV of DX:AX. An error is the interpreter's.
pub(in super::super) fn divide_word<A: Place<u16>>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let divisor = A::load(cpu, bus, op);
    match cpu.quotient_word::<u16>(divisor) {
        Some(()) => Flow::Next,
        None => divide_error(cpu, bus, op),
    }
}

/// DIV of AX.
pub(in super::super) fn divide_byte<A: Place<u8>>(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    let divisor = A::load(cpu, bus, op);
    match cpu.quotient_byte(divisor) {
        Some(()) => Flow::Next,
        None => divide_error(cpu, bus, op),
    }
}

/// The instruction's beginning is the immediate.
#[cold]
fn divide_error(cpu: &mut Cpu, bus: &mut Bus, op: &Op) -> Flow {
    (cpu.start, cpu.ip) = (op.immediate as u16, op.next);
    cpu.divide_error(bus);
    Flow::Leave
}

/// What becomes of CF, as an immediate.
pub(in super::super) struct CarryChange;

impl CarryChange {
    /// CLC.
    pub(in super::super) const CLEAR: u32 = 0;
    /// STC.
    pub(in super::super) const SET: u32 = 1;
    /// CMC.
    pub(in super::super) const FLIP: u32 = 2;
}

/// CMC, CLC, STC.
pub(in super::super) fn change_carry(cpu: &mut Cpu, _bus: &mut Bus, op: &Op) -> Flow {
    let carry = match op.immediate {
        CarryChange::CLEAR => false,
        CarryChange::SET => true,
        _ => !cpu.flags.carry(),
    };
    cpu.flags.set_carry(carry);
    Flow::Next
}
