//! Operands: the ModRM byte, registers and memory of either width.
//!
//! An effective address is the sum of two registers and a displacement; a table gives the two
//! registers of each form (those that a form lacks are a register that is always 0), so that
//! decoding branches on the displacement's length only.
//!
//! Encoding: Intel iAPX 86/88, 186/188 User's Manual 3.4, tables 3-7 to 3-10.

use super::flags::Width;
use super::register::{BP, BX, DI, SI};
use super::segment::{DS, SS};
use super::{Cpu, Flags};
use crate::{Bus, FarPointer};

/// A register that is always 0.
const ZERO: u8 = 8;
/// Base and index register and default segment of each `rm` with a displacement.
const FORMS: [(u8, u8, u8); 8] = [
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
    fn rm(self) -> usize {
        (self.0 & 7) as usize
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

    /// Returns where the memory operand is.
    #[inline(always)]
    pub(super) fn address(&mut self, bus: &Bus, modrm: ModRm) -> FarPointer {
        let (offset, default) = self.effective_address(bus, modrm);
        FarPointer { segment: self.data_segment(default), offset }
    }

    /// Returns the memory operand's offset alone (LEA).
    pub(super) fn address_offset(&mut self, bus: &Bus, modrm: ModRm) -> u16 {
        self.effective_address(bus, modrm).0
    }

    /// Returns the segment that a prefix chose, otherwise the default's.
    #[inline(always)]
    pub(super) fn data_segment(&self, default: usize) -> u16 {
        let number = self.override_segment.map_or(default, usize::from);
        self.segments[number & 3]
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
