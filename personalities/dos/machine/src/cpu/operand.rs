//! Operands: the ModRM byte, registers and memory of each width.
//!
//! An effective address is the sum of two registers and a displacement; a table gives the two
//! registers of each form (those that a form lacks are a register that is always 0), so that
//! decoding branches on the displacement's length only.
//!
//! Encoding: Intel iAPX 86/88, 186/188 User's Manual 3.4, tables 3-7 to 3-10; of 32 bits: Intel
//! 80386 Programmer's Reference Manual (1986) 17.2.1.

use super::flags::Width;
use super::register::{BP, BX, DI, SI, SP};
use super::segment::{DS, SS};
use super::{Cpu, Exit, Flags};
use crate::{Bus, FarPointer};

/// A register that is always 0.
pub(super) const ZERO: u8 = 8;
/// Base and index register and default segment of each `rm` with a displacement.
pub(super) const FORMS: [(u8, u8, u8); 8] = [
    (BX as u8, SI as u8, DS as u8),
    (BX as u8, DI as u8, DS as u8),
    (BP as u8, SI as u8, SS as u8),
    (BP as u8, DI as u8, SS as u8),
    (ZERO, SI as u8, DS as u8),
    (ZERO, DI as u8, DS as u8),
    (BP as u8, ZERO, SS as u8),
    (BX as u8, ZERO, DS as u8),
];

/// A fetched ModRM byte.
#[derive(Clone, Copy)]
pub(super) struct ModRm(u8);

impl ModRm {
    /// The register operand, or the operation of a group.
    #[inline(always)]
    pub(super) fn reg(self) -> usize {
        (self.0 >> 3 & 7) as usize
    }

    #[inline(always)]
    pub(super) fn rm(self) -> usize {
        (self.0 & 7) as usize
    }

    /// Returns all of it.
    pub(super) fn byte(self) -> u8 {
        self.0
    }

    /// Returns the eleven bits of a coprocessor's instruction.
    pub(super) fn code(self, escape: u8) -> u16 {
        (escape as u16) << 8 | self.0 as u16
    }

    #[inline(always)]
    pub(super) fn is_register(self) -> bool {
        self.0 >= 0xc0
    }
}

/// Where an operand is.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Register(usize),
    Memory(FarPointer),
}

/// A width together with the ways to reach registers and memory of it.
pub(super) trait Operand: Width {
    fn register(cpu: &Cpu, number: usize) -> Self;
    fn set_register(cpu: &mut Cpu, number: usize, value: Self);
    fn load(bus: &Bus, at: FarPointer) -> Self;
    fn store(bus: &mut Bus, at: FarPointer, value: Self);
    fn fetch(cpu: &mut Cpu, bus: &Bus) -> Self;
    fn port_in(bus: &mut Bus, port: u16) -> Self;
    fn port_out(bus: &mut Bus, port: u16, value: Self);
}

impl Operand for u8 {
    #[inline(always)]
    fn register(cpu: &Cpu, number: usize) -> u8 {
        (cpu.registers[number & 3] >> ((number & 4) << 1)) as u8
    }
    #[inline(always)]
    fn set_register(cpu: &mut Cpu, number: usize, value: u8) {
        let shift = (number & 4) << 1;
        let register = &mut cpu.registers[number & 3];
        *register = *register & (0xff00 >> shift) | (value as u16) << shift;
    }
    #[inline(always)]
    fn load(bus: &Bus, at: FarPointer) -> u8 {
        bus.read8(at)
    }
    #[inline(always)]
    fn store(bus: &mut Bus, at: FarPointer, value: u8) {
        bus.write8(at, value);
    }
    #[inline(always)]
    fn fetch(cpu: &mut Cpu, bus: &Bus) -> u8 {
        cpu.fetch8(bus)
    }
    fn port_in(bus: &mut Bus, port: u16) -> u8 {
        bus.port_in(port)
    }
    fn port_out(bus: &mut Bus, port: u16, value: u8) {
        bus.port_out(port, value);
    }
}

impl Operand for u16 {
    #[inline(always)]
    fn register(cpu: &Cpu, number: usize) -> u16 {
        cpu.registers[number & 7]
    }
    #[inline(always)]
    fn set_register(cpu: &mut Cpu, number: usize, value: u16) {
        cpu.registers[number & 7] = value;
    }
    #[inline(always)]
    fn load(bus: &Bus, at: FarPointer) -> u16 {
        bus.read16(at)
    }
    #[inline(always)]
    fn store(bus: &mut Bus, at: FarPointer, value: u16) {
        bus.write16(at, value);
    }
    #[inline(always)]
    fn fetch(cpu: &mut Cpu, bus: &Bus) -> u16 {
        cpu.fetch16(bus)
    }
    fn port_in(bus: &mut Bus, port: u16) -> u16 {
        u16::from_le_bytes([bus.port_in(port), bus.port_in(port.wrapping_add(1))])
    }
    fn port_out(bus: &mut Bus, port: u16, value: u16) {
        let [low, high] = value.to_le_bytes();
        bus.port_out(port, low);
        bus.port_out(port.wrapping_add(1), high);
    }
}

impl Operand for u32 {
    #[inline(always)]
    fn register(cpu: &Cpu, number: usize) -> u32 {
        (cpu.upper[number & 7] as u32) << 16 | cpu.registers[number & 7] as u32
    }
    #[inline(always)]
    fn set_register(cpu: &mut Cpu, number: usize, value: u32) {
        cpu.registers[number & 7] = value as u16;
        cpu.upper[number & 7] = (value >> 16) as u16;
    }
    fn load(bus: &Bus, at: FarPointer) -> u32 {
        bus.read32(at)
    }
    fn store(bus: &mut Bus, at: FarPointer, value: u32) {
        bus.write32(at, value);
    }
    fn fetch(cpu: &mut Cpu, bus: &Bus) -> u32 {
        let low = cpu.fetch16(bus) as u32;
        (cpu.fetch16(bus) as u32) << 16 | low
    }
    fn port_in(bus: &mut Bus, port: u16) -> u32 {
        let low = u16::port_in(bus, port) as u32;
        (u16::port_in(bus, port.wrapping_add(2)) as u32) << 16 | low
    }
    fn port_out(bus: &mut Bus, port: u16, value: u32) {
        u16::port_out(bus, port, value as u16);
        u16::port_out(bus, port.wrapping_add(2), (value >> 16) as u16);
    }
}

/// The width of an instruction's words: 16 bits, or 32 with the prefix 66 of an 80386.
pub(super) trait Word: Operand {
    /// Returns a word, zero-extended.
    fn from_word(word: u16) -> Self;
    /// Returns a word, sign-extended.
    fn from_signed(word: u16) -> Self;
    /// Returns the product, high half first.
    fn multiply(self, other: Self) -> (Self, Self);
    /// Returns the signed product, high half first.
    fn multiply_signed(self, other: Self) -> (Self, Self);
    /// Divides a number of two halves; returns quotient and remainder if the quotient fits.
    fn divide(high: Self, low: Self, by: Self) -> Option<(Self, Self)>;
    /// As `divide`, signed; the quotient is at least `least`.
    fn divide_signed(high: Self, low: Self, by: Self, least: Least) -> Option<(Self, Self)>;
}

/// The least quotient of a signed division.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Least {
    /// As far from 0 as the greatest (up to the 80186).
    Symmetric,
    /// One more.
    Whole,
}

impl Least {
    #[inline(always)]
    pub(super) fn of(self, lowest: i64) -> i64 {
        if self == Least::Symmetric { lowest + 1 } else { lowest }
    }
}

impl Word for u16 {
    #[inline(always)]
    fn from_word(word: u16) -> u16 {
        word
    }
    #[inline(always)]
    fn from_signed(word: u16) -> u16 {
        word
    }
    #[inline(always)]
    fn multiply(self, other: u16) -> (u16, u16) {
        let product = self as u32 * other as u32;
        ((product >> 16) as u16, product as u16)
    }
    #[inline(always)]
    fn multiply_signed(self, other: u16) -> (u16, u16) {
        let product = self as i16 as i32 * other as i16 as i32;
        ((product >> 16) as u16, product as u16)
    }
    #[inline(always)]
    fn divide(high: u16, low: u16, by: u16) -> Option<(u16, u16)> {
        let (dividend, by) = ((high as u32) << 16 | low as u32, by as u32);
        let quotient = u16::try_from(dividend.checked_div(by)?).ok()?;
        Some((quotient, (dividend % by) as u16))
    }
    fn divide_signed(high: u16, low: u16, by: u16, least: Least) -> Option<(u16, u16)> {
        let dividend = ((high as u32) << 16 | low as u32) as i32 as i64;
        let by = by as i16 as i64;
        let quotient = dividend.checked_div(by)?;
        let fits = (least.of(i16::MIN.into())..=i16::MAX.into()).contains(&quotient);
        fits.then_some((quotient as u16, (dividend % by) as u16))
    }
}

impl Word for u32 {
    fn from_word(word: u16) -> u32 {
        word.into()
    }
    fn from_signed(word: u16) -> u32 {
        word as i16 as u32
    }
    fn multiply(self, other: u32) -> (u32, u32) {
        let product = self as u64 * other as u64;
        ((product >> 32) as u32, product as u32)
    }
    fn multiply_signed(self, other: u32) -> (u32, u32) {
        let product = self as i32 as i64 * other as i32 as i64;
        ((product >> 32) as u32, product as u32)
    }
    fn divide(high: u32, low: u32, by: u32) -> Option<(u32, u32)> {
        let (dividend, by) = ((high as u64) << 32 | low as u64, by as u64);
        let quotient = u32::try_from(dividend.checked_div(by)?).ok()?;
        Some((quotient, (dividend % by) as u32))
    }
    fn divide_signed(high: u32, low: u32, by: u32, least: Least) -> Option<(u32, u32)> {
        let dividend = ((high as u64) << 32 | low as u64) as i64;
        let by = by as i32 as i64;
        let quotient = dividend.checked_div(by)?;
        let fits = (least.of(i32::MIN.into())..=i32::MAX.into()).contains(&quotient);
        fits.then_some((quotient as u32, (dividend % by) as u32))
    }
}

impl Cpu {
    #[inline(always)]
    pub(super) fn fetch_modrm(&mut self, bus: &Bus) -> ModRm {
        ModRm(self.fetch8(bus))
    }

    /// Returns the memory operand's offset and segment register, before any override.
    #[inline(always)]
    fn effective_address(&mut self, bus: &Bus, modrm: ModRm) -> (u16, usize) {
        let (base, index, segment) = FORMS[modrm.rm()];
        let displacement = match modrm.0 >> 6 {
            0 if modrm.rm() == 6 => return (self.fetch16(bus), DS),
            0 => 0,
            1 => self.fetch_signed(bus),
            _ => self.fetch16(bus),
        };
        let base = self.registers[base as usize & 15];
        let index = self.registers[index as usize & 15];
        (base.wrapping_add(index).wrapping_add(displacement), segment as usize)
    }

    /// The same of 32 bits, where a prefix says so.
    #[cold]
    #[inline(never)]
    fn effective_address_wide(&mut self, bus: &Bus, modrm: ModRm) -> (u32, usize) {
        let mode = modrm.0 >> 6;
        let (mut sum, mut segment) = (0u32, DS);
        let mut base = Some(modrm.rm());
        if modrm.rm() == 4 {
            let sib = self.fetch8(bus);
            let (scale, index) = (sib >> 6, (sib >> 3 & 7) as usize);
            if index != SP {
                sum = u32::register(self, index) << scale;
            }
            base = Some((sib & 7) as usize);
        }
        if mode == 0 && base == Some(BP) {
            base = None;
        }
        if let Some(base) = base {
            sum = sum.wrapping_add(u32::register(self, base));
            segment = if base == SP || base == BP { SS } else { DS };
        }
        let displacement = match mode {
            0 if base.is_some() => 0,
            1 => self.fetch_signed(bus) as i16 as u32,
            _ => u32::fetch(self, bus),
        };
        (sum.wrapping_add(displacement), segment)
    }

    /// Returns where the memory operand is.
    #[inline(always)]
    pub(super) fn address(&mut self, bus: &Bus, modrm: ModRm) -> FarPointer {
        let (offset, default) = match self.is_wide_address {
            false => self.effective_address(bus, modrm),
            true => {
                let (offset, default) = self.effective_address_wide(bus, modrm);
                (self.limited(offset), default)
            }
        };
        FarPointer { segment: self.data_segment(default), offset }
    }

    /// Returns the memory operand's offset, unlimited, and segment register, before any override.
    pub(super) fn whole_address(&mut self, bus: &Bus, modrm: ModRm) -> (u32, usize) {
        match self.is_wide_address {
            false => {
                let (offset, segment) = self.effective_address(bus, modrm);
                (offset.into(), segment)
            }
            true => self.effective_address_wide(bus, modrm),
        }
    }

    /// Returns an offset of 32 bits, which ends the session where no segment of real mode has it.
    pub(super) fn limited(&mut self, offset: u32) -> u16 {
        if offset > u16::MAX.into() {
            self.leave(Exit::Limit);
        }
        offset as u16
    }

    /// Returns the offset that a register holds, or its low half where addresses are of 16 bits.
    #[inline(always)]
    pub(super) fn offset_in(&mut self, number: usize) -> u16 {
        match self.is_wide_address {
            false => self.registers[number],
            true => self.limited(u32::register(self, number)),
        }
    }

    /// Returns the segment that a prefix chose, otherwise the default's.
    #[inline(always)]
    pub(super) fn data_segment(&self, default: usize) -> u16 {
        let number = self.override_segment.map_or(default, usize::from);
        self.segments[number & 7]
    }

    /// Decodes the r/m operand's place; the displacement is fetched once, here.
    #[inline(always)]
    pub(super) fn place(&mut self, bus: &Bus, modrm: ModRm) -> Place {
        if modrm.is_register() {
            Place::Register(modrm.rm())
        } else {
            Place::Memory(self.address(bus, modrm))
        }
    }

    #[inline(always)]
    pub(super) fn load<W: Operand>(&self, bus: &Bus, place: Place) -> W {
        match place {
            Place::Register(number) => W::register(self, number),
            Place::Memory(at) => W::load(bus, at),
        }
    }

    #[inline(always)]
    pub(super) fn store<W: Operand>(&mut self, bus: &mut Bus, place: Place, value: W) {
        match place {
            Place::Register(number) => W::set_register(self, number, value),
            Place::Memory(at) => W::store(bus, at, value),
        }
    }

    /// r/m ← operation(r/m, reg)
    #[inline(always)]
    pub(super) fn rm_reg<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let operand = W::register(self, modrm.reg());
        if modrm.is_register() {
            let value = W::register(self, modrm.rm());
            let result = operation(&mut self.flags, value, operand);
            W::set_register(self, modrm.rm(), result);
        } else {
            let at = self.address(bus, modrm);
            let result = operation(&mut self.flags, W::load(bus, at), operand);
            W::store(bus, at, result);
        }
    }

    /// reg ← operation(reg, r/m)
    #[inline(always)]
    pub(super) fn reg_rm<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let operand = self.load(bus, place);
        let value = W::register(self, modrm.reg());
        let result = operation(&mut self.flags, value, operand);
        W::set_register(self, modrm.reg(), result);
    }

    /// accumulator ← operation(accumulator, immediate)
    #[inline(always)]
    pub(super) fn accumulator<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let operand = W::fetch(self, bus);
        let value = W::register(self, 0);
        let result = operation(&mut self.flags, value, operand);
        W::set_register(self, 0, result);
    }

    /// Flags of operation(r/m, reg); the result is dropped (CMP, TEST).
    #[inline(always)]
    pub(super) fn compare_rm_reg<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load(bus, place);
        let operand = W::register(self, modrm.reg());
        operation(&mut self.flags, value, operand);
    }

    /// Flags of operation(reg, r/m).
    #[inline(always)]
    pub(super) fn compare_reg_rm<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let operand = self.load(bus, place);
        let value = W::register(self, modrm.reg());
        operation(&mut self.flags, value, operand);
    }

    /// Flags of operation(accumulator, immediate).
    #[inline(always)]
    pub(super) fn compare_accumulator<W: Operand>(
        &mut self,
        bus: &mut Bus,
        operation: impl FnOnce(&mut Flags, W, W) -> W,
    ) {
        let operand = W::fetch(self, bus);
        let value = W::register(self, 0);
        operation(&mut self.flags, value, operand);
    }
}
