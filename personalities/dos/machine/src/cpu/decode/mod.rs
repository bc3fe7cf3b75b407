//! From bytes to handlers: the common instructions of 16 bits.
//!
//! Whatever is not here, prefixes of 32 bits and repetitions among it, becomes the handler that
//! interprets: it reads memory itself, so its bytes are not part of the run. The opcode table is in the
//! order of the encoding, as in `execute`; `groups` has the forms that opcodes share, `operands` what
//! bytes mean, `pairs` chooses among the handlers of one operation.
//!
//! Encoding: Intel iAPX 86/88, 186/188 User's Manual 3.4, tables 3-7 to 3-11.

mod groups;
mod operands;
mod pairs;

use super::Model;
use super::bit;
use super::handlers::arithmetic::CarryChange;
use super::handlers::data::{self, interpret, nothing};
use super::handlers::{Handler, Op, transfer};
use super::operand::ZERO;
use super::register::BX;
use super::segment::{CS, DS, ES, SS};
use pairs::{Shape, Target};

/// Bytes that an instruction is decoded from: more than the longest that is decoded has.
pub(super) const WINDOW: usize = 16;

/// What an instruction does to the flags, all six of arithmetic taken together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// It sets all of them, and looks at none.
    Sets,
    /// It looks at them, or may end the run with them visible.
    Looks,
    /// It sets some, or none; those that it looks at it only keeps.
    Keeps,
}

/// An instruction, decoded.
#[derive(Clone, Copy)]
pub(super) struct Decoded {
    pub(super) op: Op,
    /// The handler that sets no flags.
    pub(super) bare: Option<Handler>,
    pub(super) effect: Effect,
    /// Bytes that it was decoded from; of what is interpreted none.
    pub(super) len: u8,
    /// Whether the run ends here.
    pub(super) ends: bool,
}

impl Decoded {
    pub(super) const NONE: Decoded = Decoded {
        op: Op {
            run: nothing,
            immediate: 0,
            displacement: 0,
            next: 0,
            reg: 0,
            base: 0,
            index: 0,
            segment: 0,
        },
        bare: None,
        effect: Effect::Keeps,
        len: 0,
        ends: false,
    };
}

/// Returns the instruction that begins with these bytes, at an offset in the code segment.
pub(super) fn decode(code: &[u8; WINDOW], offset: u16, model: Model) -> Decoded {
    let mut decoder = Decoder { code, at: 0, offset, model, chosen: None, decoded: Decoded::NONE };
    match decoder.instruction() {
        Some(()) => {
            decoder.decoded.len = decoder.at as u8;
            decoder.decoded.op.next = decoder.next();
            decoder.decoded
        }
        None => {
            let op = Op { run: interpret, next: offset, ..Decoded::NONE.op };
            Decoded { op, effect: Effect::Looks, ends: true, ..Decoded::NONE }
        }
    }
}

/// An instruction while it is decoded.
struct Decoder<'a> {
    code: &'a [u8; WINDOW],
    /// Bytes taken so far.
    at: usize,
    offset: u16,
    model: Model,
    /// Segment register that a prefix chose.
    chosen: Option<usize>,
    decoded: Decoded,
}

impl Decoder<'_> {
    /// Decodes; nothing where it is to be interpreted.
    fn instruction(&mut self) -> Option<()> {
        let mut opcode = self.byte();
        if let 0x26 | 0x2e | 0x36 | 0x3e = opcode {
            self.chosen = Some((opcode >> 3 & 3) as usize);
            opcode = self.byte();
            // The string instructions' sources are the interpreter's, further prefixes too.
            if !takes_segment(opcode) {
                return None;
            }
        }
        match opcode {
            0x00..=0x3f if opcode & 7 < 6 => self.arithmetic(opcode),
            0x06 | 0x0e | 0x16 | 0x1e => {
                self.decoded.op.reg = opcode >> 3 & 3;
                self.looks(data::push_segment)
            }
            0x07 | 0x1f => {
                self.decoded.op.reg = opcode >> 3 & 3;
                self.plain(data::pop_segment)
            }
            0x40..=0x4f => self.count_register(opcode),
            0x54 => None,
            0x50..=0x57 => {
                self.decoded.op.reg = opcode & 7;
                self.looks(pairs::push(Target::Reg))
            }
            0x58..=0x5f => {
                self.decoded.op.reg = opcode & 7;
                self.plain(data::pop)
            }
            0x60..=0x6f if self.model == Model::I8086 => self.jump_on(opcode),
            0x68 => {
                self.immediate_word();
                self.looks(pairs::push(Target::Imm))
            }
            0x6a => {
                self.decoded.op.immediate = self.signed_byte().into();
                self.looks(pairs::push(Target::Imm))
            }
            0x70..=0x7f => self.jump_on(opcode),
            0x80..=0x83 => self.immediate_group(opcode),
            0x84 | 0x85 => {
                let target = self.modrm();
                self.sets(pairs::test(Shape::of(opcode), target, Target::Reg))
            }
            0x86 | 0x87 => {
                let target = self.modrm();
                self.looks(pairs::exchange(Shape::of(opcode), target))
            }
            0x88 | 0x89 => {
                let target = self.modrm();
                self.stores(target, pairs::copy(Shape::of(opcode), target, Target::Reg))
            }
            0x8a | 0x8b => {
                let source = self.modrm();
                self.plain(pairs::copy(Shape::of(opcode), Target::Reg, source))
            }
            0x8c => {
                let target = self.modrm();
                self.segment_register()?;
                self.stores(target, pairs::store_segment(target))
            }
            0x8d => match self.modrm() {
                Target::Mem => self.plain(data::effective_address),
                _ => None,
            },
            0x8e => {
                let source = self.modrm();
                let number = self.segment_register()?;
                (number != CS && number != SS).then_some(())?;
                self.plain(pairs::load_segment(source))
            }
            0x90 => self.plain(nothing),
            0x91..=0x97 => {
                self.decoded.op.base = opcode & 7;
                self.plain(pairs::exchange(Shape::Word, Target::Rm))
            }
            0x98 => self.plain(data::widen),
            0x99 => self.plain(data::spread_sign),
            0x9a => {
                self.far_target();
                self.ending(transfer::call_far)
            }
            0xa0..=0xa3 => self.direct(opcode),
            0xa4 => self.looks(data::move_string::<u8>),
            0xa5 => self.looks(data::move_string::<u16>),
            0xa8 | 0xa9 => {
                self.immediate(Shape::of(opcode));
                self.sets(pairs::test(Shape::of(opcode), Target::Reg, Target::Imm))
            }
            0xaa => self.looks(data::store_string::<u8>),
            0xab => self.looks(data::store_string::<u16>),
            0xac => self.plain(data::load_string::<u8>),
            0xad => self.plain(data::load_string::<u16>),
            0xb0..=0xbf => {
                let shape = if opcode < 0xb8 { Shape::Byte } else { Shape::Word };
                self.decoded.op.reg = opcode & 7;
                self.immediate(shape);
                self.plain(pairs::copy(shape, Target::Reg, Target::Imm))
            }
            0xc0 | 0xc1 if self.model != Model::I8086 => self.shift(opcode),
            0xd0..=0xd3 => self.shift(opcode),
            0xc2 | 0xca => {
                self.immediate_word();
                self.ending(if opcode == 0xc2 {
                    transfer::return_near
                } else {
                    transfer::return_far
                })
            }
            0xc3 => self.ending(transfer::return_near),
            0xcb => self.ending(transfer::return_far),
            0xc4 | 0xc5 => match self.modrm() {
                Target::Mem => {
                    self.decoded.op.immediate = if opcode == 0xc4 { ES } else { DS } as u32;
                    self.plain(data::load_far)
                }
                _ => None,
            },
            0xc6 | 0xc7 => {
                let target = self.modrm();
                self.immediate(Shape::of(opcode));
                self.stores(target, pairs::copy(Shape::of(opcode), target, Target::Imm))
            }
            0xc9 if self.model != Model::I8086 => self.plain(data::leave_frame),
            0xd7 => {
                self.memory(BX as u8, ZERO, DS as u8, 0);
                self.plain(data::translate)
            }
            0xe0..=0xe3 => {
                self.short_target();
                self.ending(match opcode {
                    0xe0 => transfer::count_down_unequal,
                    0xe1 => transfer::count_down_equal,
                    0xe2 => transfer::count_down,
                    _ => transfer::jump_uncounted,
                })
            }
            0xe8 | 0xe9 => {
                let distance = self.word();
                self.decoded.op.immediate = self.next().wrapping_add(distance).into();
                self.ending(if opcode == 0xe8 { transfer::call } else { transfer::jump })
            }
            0xea => {
                self.far_target();
                self.ending(transfer::jump_far)
            }
            0xeb => {
                self.short_target();
                self.ending(transfer::jump)
            }
            0xf5 => self.carry(CarryChange::FLIP),
            0xf8 => self.carry(CarryChange::CLEAR),
            0xf9 => self.carry(CarryChange::SET),
            0xf6 | 0xf7 => self.accumulator_group(opcode),
            0xfa | 0xfc => {
                self.decoded.op.immediate = control_bit(opcode).into();
                self.plain(data::clear_control)
            }
            0xfb | 0xfd => {
                self.decoded.op.immediate = control_bit(opcode).into();
                self.plain(data::set_control)
            }
            0xfe | 0xff => self.transfer_group(opcode),
            _ => None,
        }
    }
}

/// Returns whether a segment prefix before an opcode is decoded: it has a memory operand by ModRM or a
/// direct one.
fn takes_segment(opcode: u8) -> bool {
    match opcode {
        0x00..=0x3f => opcode & 7 < 4,
        0x80..=0x8e
        | 0xa0..=0xa3
        | 0xc4..=0xc7
        | 0xd0..=0xd3
        | 0xd7
        | 0xf6
        | 0xf7
        | 0xfe
        | 0xff => true,
        _ => false,
    }
}

fn control_bit(opcode: u8) -> u16 {
    if opcode < 0xfc { bit::INTERRUPT } else { bit::DIRECTION }
}
