//! What an instruction is made of: its bytes, operands, targets and handlers.

use super::super::Model;
use super::super::handlers::Handler;
use super::super::operand::{FORMS, ZERO};
use super::super::segment::{DS, GS};
use super::pairs::{Pair, Shape, Target};
use super::{Decoder, Effect, WINDOW};

impl Decoder<'_> {
    /// Checks the segment register that `reg` names.
    pub(super) fn segment_register(&mut self) -> Option<usize> {
        let number = self.decoded.op.reg as usize;
        let most = if self.model < Model::I80386 { DS } else { GS };
        (number <= most).then_some(number)
    }

    /// Takes the ModRM byte and the displacement; returns which operand it names.
    pub(super) fn modrm(&mut self) -> Target {
        let modrm = self.byte();
        let (mode, rm) = (modrm >> 6, modrm & 7);
        self.decoded.op.reg = modrm >> 3 & 7;
        if mode == 3 {
            self.decoded.op.base = rm;
            return Target::Rm;
        }
        let (base, index, segment) = FORMS[rm as usize];
        match mode {
            0 if rm == 6 => {
                let offset = self.word();
                self.memory(ZERO, ZERO, DS as u8, offset);
            }
            0 => self.memory(base, index, segment, 0),
            1 => {
                let distance = self.signed_byte();
                self.memory(base, index, segment, distance);
            }
            _ => {
                let distance = self.word();
                self.memory(base, index, segment, distance);
            }
        }
        Target::Mem
    }

    pub(super) fn memory(&mut self, base: u8, index: u8, segment: u8, displacement: u16) {
        let segment = self.chosen.map_or(segment, |chosen| chosen as u8);
        let op = &mut self.decoded.op;
        (op.base, op.index, op.segment, op.displacement) = (base, index, segment, displacement);
    }

    pub(super) fn plain(&mut self, run: Handler) -> Option<()> {
        self.decoded.effect = Effect::Keeps;
        self.pair((run, None))
    }

    pub(super) fn looks(&mut self, run: Handler) -> Option<()> {
        self.decoded.effect = Effect::Looks;
        self.pair((run, None))
    }

    pub(super) fn stores(&mut self, target: Target, run: Handler) -> Option<()> {
        if target == Target::Mem { self.looks(run) } else { self.plain(run) }
    }

    pub(super) fn ending(&mut self, run: Handler) -> Option<()> {
        self.decoded.ends = true;
        self.looks(run)
    }

    pub(super) fn sets(&mut self, pair: Pair) -> Option<()> {
        self.decoded.effect = Effect::Sets;
        self.pair(pair)
    }

    pub(super) fn pair(&mut self, (run, bare): Pair) -> Option<()> {
        (self.decoded.op.run, self.decoded.bare) = (run, bare);
        Some(())
    }

    pub(super) fn short_target(&mut self) {
        let distance = self.signed_byte();
        self.decoded.op.immediate = self.next().wrapping_add(distance).into();
    }

    pub(super) fn far_target(&mut self) {
        let (offset, segment) = (self.word() as u32, self.word() as u32);
        self.decoded.op.immediate = segment << 16 | offset;
    }

    pub(super) fn immediate(&mut self, shape: Shape) {
        match shape {
            Shape::Byte => self.decoded.op.immediate = self.byte().into(),
            Shape::Word => self.immediate_word(),
        }
    }

    pub(super) fn immediate_word(&mut self) {
        self.decoded.op.immediate = self.word().into();
    }

    /// Returns the offset behind what was taken.
    pub(super) fn next(&self) -> u16 {
        self.offset.wrapping_add(self.at as u16)
    }

    pub(super) fn byte(&mut self) -> u8 {
        let byte = self.code[self.at % WINDOW];
        self.at += 1;
        byte
    }

    pub(super) fn signed_byte(&mut self) -> u16 {
        self.byte() as i8 as u16
    }

    pub(super) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }
}
