//! The handler of an operation for a width and kinds of operands.
//!
//! Each combination is a function of its own; here a decoder's values become type parameters.

pub(super) use super::super::handlers::arithmetic::Pair;
use super::super::handlers::arithmetic::{
    Adc, Add, And, Binary, Decrement, Increment, Multiply, Negate, Not, Or, Sbb, Sub, Unary, Xor,
    binary as pair_of, compare, divide_byte, divide_word, multiply_byte, shift as shift_of,
    shift_by_count as shift_by_count_of, unary as unary_of,
};
use super::super::handlers::{Handler, Imm, Mem, Place, Reg, Rm, data, transfer};
use super::super::operand::Operand;

/// An operand's width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Byte,
    Word,
}

impl Shape {
    /// Returns the width that the lowest bit of an opcode tells.
    pub(super) fn of(opcode: u8) -> Shape {
        if opcode & 1 == 0 { Shape::Byte } else { Shape::Word }
    }
}

/// Which operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// The register that `reg` names.
    Reg,
    /// The register that r/m names.
    Rm,
    /// Memory.
    Mem,
    /// The immediate.
    Imm,
}

/// Returns the handlers of one of the eight operations of opcodes 00 to 3D.
pub(super) fn binary(operation: u8, shape: Shape, to: Target, from: Target) -> Option<Pair> {
    Some(match operation {
        0 => of_shape::<Add>(shape, to, from),
        1 => of_shape::<Or>(shape, to, from),
        2 => of_shape::<Adc>(shape, to, from),
        3 => of_shape::<Sbb>(shape, to, from),
        4 => of_shape::<And>(shape, to, from),
        5 => of_shape::<Sub>(shape, to, from),
        6 => of_shape::<Xor>(shape, to, from),
        _ => comparing::<Sub>(shape, to, from),
    })
}

/// Returns the handlers of TEST.
pub(super) fn test(shape: Shape, to: Target, from: Target) -> Pair {
    comparing::<And>(shape, to, from)
}

fn of_shape<O: Binary>(shape: Shape, to: Target, from: Target) -> Pair {
    match shape {
        Shape::Byte => of_places::<u8, O>(to, from),
        Shape::Word => of_places::<u16, O>(to, from),
    }
}

fn of_places<W: Operand, O: Binary>(to: Target, from: Target) -> Pair {
    match (to, from) {
        (Target::Rm, Target::Imm) => pair_of::<W, O, Rm, Imm>(),
        (Target::Mem, Target::Imm) => pair_of::<W, O, Mem, Imm>(),
        (Target::Rm, _) => pair_of::<W, O, Rm, Reg>(),
        (Target::Mem, _) => pair_of::<W, O, Mem, Reg>(),
        (_, Target::Rm) => pair_of::<W, O, Reg, Rm>(),
        (_, Target::Mem) => pair_of::<W, O, Reg, Mem>(),
        (_, Target::Imm | Target::Reg) => pair_of::<W, O, Reg, Imm>(),
    }
}

fn comparing<O: Binary>(shape: Shape, to: Target, from: Target) -> Pair {
    match shape {
        Shape::Byte => comparing_places::<u8, O>(to, from),
        Shape::Word => comparing_places::<u16, O>(to, from),
    }
}

fn comparing_places<W: Operand, O: Binary>(to: Target, from: Target) -> Pair {
    match (to, from) {
        (Target::Rm, Target::Imm) => compare::<W, O, Rm, Imm>(),
        (Target::Mem, Target::Imm) => compare::<W, O, Mem, Imm>(),
        (Target::Rm, _) => compare::<W, O, Rm, Reg>(),
        (Target::Mem, _) => compare::<W, O, Mem, Reg>(),
        (_, Target::Rm) => compare::<W, O, Reg, Rm>(),
        (_, Target::Mem) => compare::<W, O, Reg, Mem>(),
        (_, Target::Imm | Target::Reg) => compare::<W, O, Reg, Imm>(),
    }
}

/// Returns the handlers of INC, DEC, NEG and NOT, in this order.
pub(super) fn unary(operation: u8, shape: Shape, target: Target) -> Pair {
    match operation {
        0 => unary_of_shape::<Increment>(shape, target),
        1 => unary_of_shape::<Decrement>(shape, target),
        2 => unary_of_shape::<Negate>(shape, target),
        _ => unary_of_shape::<Not>(shape, target),
    }
}

fn unary_of_shape<O: Unary>(shape: Shape, target: Target) -> Pair {
    match (shape, target) {
        (Shape::Byte, Target::Mem) => unary_of::<u8, O, Mem>(),
        (Shape::Byte, _) => unary_of::<u8, O, Rm>(),
        (Shape::Word, Target::Mem) => unary_of::<u16, O, Mem>(),
        (Shape::Word, _) => unary_of::<u16, O, Rm>(),
    }
}

/// Returns the handler of MOV.
pub(super) fn copy(shape: Shape, to: Target, from: Target) -> Handler {
    match shape {
        Shape::Byte => copy_of::<u8>(to, from),
        Shape::Word => copy_of::<u16>(to, from),
    }
}

fn copy_of<W: Operand>(to: Target, from: Target) -> Handler
where
    Reg: Place<W>,
{
    match (to, from) {
        (Target::Rm, Target::Imm) => data::copy::<W, Rm, Imm>,
        (Target::Mem, Target::Imm) => data::copy::<W, Mem, Imm>,
        (Target::Rm, _) => data::copy::<W, Rm, Reg>,
        (Target::Mem, _) => data::copy::<W, Mem, Reg>,
        (_, Target::Rm) => data::copy::<W, Reg, Rm>,
        (_, Target::Mem) => data::copy::<W, Reg, Mem>,
        (_, Target::Imm | Target::Reg) => data::copy::<W, Reg, Imm>,
    }
}

/// Returns the handler of XCHG.
pub(super) fn exchange(shape: Shape, target: Target) -> Handler {
    match (shape, target) {
        (Shape::Byte, Target::Mem) => data::exchange::<u8, Mem>,
        (Shape::Byte, _) => data::exchange::<u8, Rm>,
        (Shape::Word, Target::Mem) => data::exchange::<u16, Mem>,
        (Shape::Word, _) => data::exchange::<u16, Rm>,
    }
}

/// Returns the handler of PUSH.
pub(super) fn push(from: Target) -> Handler {
    match from {
        Target::Reg => data::push::<Reg>,
        Target::Rm => data::push::<Rm>,
        Target::Mem => data::push::<Mem>,
        Target::Imm => data::push::<Imm>,
    }
}

/// Returns the handler of MOV to r/m from a segment register.
pub(super) fn store_segment(to: Target) -> Handler {
    if to == Target::Mem { data::store_segment::<Mem> } else { data::store_segment::<Rm> }
}

/// Returns the handler of MOV to a segment register.
pub(super) fn load_segment(from: Target) -> Handler {
    if from == Target::Mem { data::load_segment::<Mem> } else { data::load_segment::<Rm> }
}

/// Returns the handler of a shift by the immediate.
pub(super) fn shift(shape: Shape, target: Target) -> Handler {
    match (shape, target) {
        (Shape::Byte, Target::Mem) => shift_of::<u8, Mem>,
        (Shape::Byte, _) => shift_of::<u8, Rm>,
        (Shape::Word, Target::Mem) => shift_of::<u16, Mem>,
        (Shape::Word, _) => shift_of::<u16, Rm>,
    }
}

/// Returns the handler of a shift by CL.
pub(super) fn shift_by_count(shape: Shape, target: Target) -> Handler {
    match (shape, target) {
        (Shape::Byte, Target::Mem) => shift_by_count_of::<u8, Mem>,
        (Shape::Byte, _) => shift_by_count_of::<u8, Rm>,
        (Shape::Word, Target::Mem) => shift_by_count_of::<u16, Mem>,
        (Shape::Word, _) => shift_by_count_of::<u16, Rm>,
    }
}

/// Returns the handler of MUL, IMUL and DIV; IDIV and IMUL of bytes have none.
pub(super) fn multiply_divide(operation: u8, shape: Shape, from: Target) -> Option<Handler> {
    let is_memory = from == Target::Mem;
    Some(match (operation, shape) {
        (4, Shape::Byte) if is_memory => multiply_byte::<Mem>,
        (4, Shape::Byte) => multiply_byte::<Rm>,
        (4, Shape::Word) if is_memory => Multiply::<u16>::word::<Mem>,
        (4, Shape::Word) => Multiply::<u16>::word::<Rm>,
        (5, Shape::Word) if is_memory => Multiply::<u16>::signed_word::<Mem>,
        (5, Shape::Word) => Multiply::<u16>::signed_word::<Rm>,
        (6, Shape::Byte) if is_memory => divide_byte::<Mem>,
        (6, Shape::Byte) => divide_byte::<Rm>,
        (6, Shape::Word) if is_memory => divide_word::<Mem>,
        (6, Shape::Word) => divide_word::<Rm>,
        _ => return None,
    })
}

/// Returns the handler of CALL near by an operand.
pub(super) fn call(to: Target) -> Handler {
    if to == Target::Mem { transfer::call_operand::<Mem> } else { transfer::call_operand::<Rm> }
}

/// Returns the handler of JMP near by an operand.
pub(super) fn jump(to: Target) -> Handler {
    if to == Target::Mem { transfer::jump_operand::<Mem> } else { transfer::jump_operand::<Rm> }
}

/// Returns the handler of the jump on a condition, the low four bits of an opcode.
pub(super) fn jump_on(condition: u8) -> Handler {
    const JUMPS: [Handler; 16] = [
        transfer::jump_on::<0>,
        transfer::jump_on::<1>,
        transfer::jump_on::<2>,
        transfer::jump_on::<3>,
        transfer::jump_on::<4>,
        transfer::jump_on::<5>,
        transfer::jump_on::<6>,
        transfer::jump_on::<7>,
        transfer::jump_on::<8>,
        transfer::jump_on::<9>,
        transfer::jump_on::<10>,
        transfer::jump_on::<11>,
        transfer::jump_on::<12>,
        transfer::jump_on::<13>,
        transfer::jump_on::<14>,
        transfer::jump_on::<15>,
    ];
    JUMPS[condition as usize & 15]
}
