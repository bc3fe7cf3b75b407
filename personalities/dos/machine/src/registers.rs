//! Short names for the guest's registers, as the handlers of interrupts use them.

use crate::FarPointer;
use crate::cpu::register::{AX, BX, CX, DI, DX, SI};
use crate::cpu::segment::{DS, ES};
use crate::session::Session;

impl<H> Session<H> {
    pub(crate) fn ax(&self) -> u16 {
        self.cpu.register(AX)
    }
    pub(crate) fn bx(&self) -> u16 {
        self.cpu.register(BX)
    }
    pub(crate) fn cx(&self) -> u16 {
        self.cpu.register(CX)
    }
    pub(crate) fn dx(&self) -> u16 {
        self.cpu.register(DX)
    }
    pub(crate) fn al(&self) -> u8 {
        self.ax() as u8
    }
    pub(crate) fn ah(&self) -> u8 {
        (self.ax() >> 8) as u8
    }
    pub(crate) fn bl(&self) -> u8 {
        self.bx() as u8
    }
    pub(crate) fn bh(&self) -> u8 {
        (self.bx() >> 8) as u8
    }
    pub(crate) fn ch(&self) -> u8 {
        (self.cx() >> 8) as u8
    }
    pub(crate) fn cl(&self) -> u8 {
        self.cx() as u8
    }
    pub(crate) fn dl(&self) -> u8 {
        self.dx() as u8
    }
    pub(crate) fn dh(&self) -> u8 {
        (self.dx() >> 8) as u8
    }
    pub(crate) fn set_ax(&mut self, value: u16) {
        self.cpu.set_register(AX, value);
    }
    pub(crate) fn set_bx(&mut self, value: u16) {
        self.cpu.set_register(BX, value);
    }
    pub(crate) fn set_cx(&mut self, value: u16) {
        self.cpu.set_register(CX, value);
    }
    pub(crate) fn set_dx(&mut self, value: u16) {
        self.cpu.set_register(DX, value);
    }
    pub(crate) fn set_al(&mut self, value: u8) {
        self.set_ax(self.ax() & 0xff00 | value as u16);
    }
    pub(crate) fn set_bl(&mut self, value: u8) {
        self.set_bx(self.bx() & 0xff00 | value as u16);
    }
    pub(crate) fn set_bh(&mut self, value: u8) {
        self.set_bx(self.bx() & 0xff | (value as u16) << 8);
    }
    pub(crate) fn set_dl(&mut self, value: u8) {
        self.set_dx(self.dx() & 0xff00 | value as u16);
    }
    pub(crate) fn ds(&self) -> u16 {
        self.cpu.segment(DS)
    }
    pub(crate) fn ds_dx(&self) -> FarPointer {
        FarPointer::new(self.ds(), self.dx())
    }
    pub(crate) fn ds_si(&self) -> FarPointer {
        FarPointer::new(self.ds(), self.cpu.register(SI))
    }
    pub(crate) fn es_di(&self) -> FarPointer {
        FarPointer::new(self.es(), self.cpu.register(DI))
    }
    pub(crate) fn es(&self) -> u16 {
        self.cpu.segment(ES)
    }
    pub(crate) fn es_bx(&self) -> FarPointer {
        FarPointer::new(self.es(), self.bx())
    }
    pub(crate) fn set_si(&mut self, value: u16) {
        self.cpu.set_register(SI, value);
    }
    pub(crate) fn set_ds(&mut self, value: u16) {
        self.cpu.set_segment(DS, value);
    }
    pub(crate) fn set_es(&mut self, value: u16) {
        self.cpu.set_segment(ES, value);
    }
    /// Returns CX:DX.
    pub(crate) fn cx_dx(&self) -> u32 {
        (self.cx() as u32) << 16 | self.dx() as u32
    }
}
