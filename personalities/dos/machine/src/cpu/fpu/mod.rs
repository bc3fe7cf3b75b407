//! The coprocessor: an 80387, where a session has one.
//!
//! ```text
//!   ESC ─► instructions (by opcode and ModRM) ─► arithmetic, transcendental ─► number (rounding)
//!              └► memory: loads, stores, environment        convert: memory's formats
//! ```
//! Registers are a stack of eight: ST(0) is `registers[top]`. Exceptions that are masked have their
//! results; one that is not is a PC's IRQ 13 before the next instruction that waits: INT 75h, from which
//! the BIOS calls interrupt 2. The 8087's FENI and FDISI and the 80287's FSETPM do nothing, as on the
//! 80387. Without a coprocessor ESC reads its operand and does nothing, so that a program which looks
//! (FNINIT, FNSTSW to memory) finds what it had put there.
//!
//! Source: Intel 80387 Programmer's Reference Manual (1987).

mod arithmetic;
mod convert;
mod instructions;
mod memory;
mod number;
mod transcendental;

pub(super) use memory::Format;

use number::exception::{DENORMAL, INVALID, ZERO};
use number::{Context, Kind, Number};

/// Which coprocessor stands beside the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Coprocessor {
    /// None.
    #[default]
    None,
    /// An 80287: as the 80387 here, but for comparisons of infinities.
    I80287,
    /// An 80387.
    I80387,
}

/// Bits of the status word beside the exceptions (80387 manual 2.1.1).
mod status {
    /// The stack over- or underflowed.
    pub const STACK: u16 = 1 << 6;
    /// An exception is not masked.
    pub const SUMMARY: u16 = 1 << 7;
    pub const C0: u16 = 1 << 8;
    pub const C1: u16 = 1 << 9;
    pub const C2: u16 = 1 << 10;
    pub const C3: u16 = 1 << 14;
    pub const BUSY: u16 = 1 << 15;
    /// The exceptions.
    pub const EXCEPTIONS: u16 = 0x3f;
    /// All of the conditions.
    pub const CONDITIONS: u16 = C0 | C1 | C2 | C3;
}

use status::{BUSY, C1, EXCEPTIONS, STACK, SUMMARY};

/// The exceptions of operands, which come before those of results.
const BEFORE: u16 = INVALID | DENORMAL | ZERO;

/// The control word's bit by which infinities have signs (Intel 80287 data sheet, "Control Word").
const SIGNED_INFINITIES: u16 = 1 << 12;

/// What FINIT sets the control word to.
const INITIAL_CONTROL: u16 = 0x037f;

/// The coprocessor's registers.
#[derive(Clone, Debug)]
pub(super) struct Fpu {
    kind: Coprocessor,
    control: u16,
    /// Without the number of the top register.
    status: u16,
    top: u8,
    /// A bit for each register that holds something.
    full: u8,
    registers: [Number; 8],
    /// Where the last instruction that computes was, and its opcode.
    instruction: u32,
    opcode: u16,
    /// Where its operand was.
    operand: u32,
    /// Whether the interrupt of an unmasked exception is still to be called.
    is_pending: bool,
}

impl Fpu {
    pub(super) fn new(kind: Coprocessor) -> Fpu {
        let mut fpu = Fpu {
            kind,
            control: 0,
            status: 0,
            top: 0,
            full: 0,
            registers: [Number::ZERO; 8],
            instruction: 0,
            opcode: 0,
            operand: 0,
            is_pending: false,
        };
        fpu.initialize();
        fpu
    }

    fn initialize(&mut self) {
        (self.control, self.status, self.top, self.full) = (INITIAL_CONTROL, 0, 0, 0);
        (self.instruction, self.opcode, self.operand) = (0, 0, 0);
        self.is_pending = false;
    }

    /// Returns and forgets whether the interrupt of an exception is to be called.
    pub(super) fn take_pending(&mut self) -> bool {
        core::mem::take(&mut self.is_pending)
    }

    /// Returns whether there is but one infinity, without a sign.
    fn has_one_infinity(&self) -> bool {
        self.kind == Coprocessor::I80287 && self.control & SIGNED_INFINITIES == 0
    }

    fn status_word(&self) -> u16 {
        self.status | (self.top as u16) << 11
    }

    fn set_status_word(&mut self, word: u16) {
        self.top = (word >> 11 & 7) as u8;
        self.status = word & !(7 << 11 | SUMMARY | BUSY);
        self.summarize();
    }

    fn set_control_word(&mut self, word: u16) {
        // Bit 6 reads as set; bits 13 to 15 and 7 as clear.
        self.control = word & 0x1f7f | 0x0040;
        self.summarize();
    }

    /// Sets the summary by exceptions and masks.
    fn summarize(&mut self) {
        self.status &= !(SUMMARY | BUSY);
        if self.status & EXCEPTIONS & !self.control != 0 {
            self.status |= SUMMARY | BUSY;
        }
    }

    /// Returns the tag word: 0 a number, 1 zero, 2 special, 3 empty.
    fn tag_word(&self) -> u16 {
        (0..8).rev().fold(0, |word, register| word << 2 | self.tag(register))
    }

    fn tag(&self, register: usize) -> u16 {
        if self.full >> register & 1 == 0 {
            return 3;
        }
        let number = self.registers[register & 7];
        match number.kind() {
            Kind::Zero => 1,
            Kind::Finite(..) if !number.is_denormal() => 0,
            _ => 2,
        }
    }

    fn set_tag_word(&mut self, word: u16) {
        self.full = (0..8)
            .filter(|register| word >> (register * 2) & 3 != 3)
            .fold(0, |full, one| full | 1 << one);
    }

    fn place(&self, index: u8) -> usize {
        (self.top.wrapping_add(index) & 7) as usize
    }

    fn is_full(&self, index: u8) -> bool {
        self.full >> self.place(index) & 1 != 0
    }

    /// Returns ST(index); an empty register is the stack's fault.
    fn get(&mut self, index: u8, context: &mut Context) -> Option<Number> {
        if self.is_full(index) {
            return Some(self.registers[self.place(index)]);
        }
        self.status |= STACK;
        context.invalid();
        None
    }

    /// Returns two registers, if both hold something.
    fn pair(&mut self, a: u8, b: u8, context: &mut Context) -> Option<(Number, Number)> {
        let (a, b) = (self.get(a, context), self.get(b, context));
        Some((a?, b?))
    }

    /// Sets ST(index).
    fn put(&mut self, index: u8, value: Number) {
        let place = self.place(index);
        self.registers[place] = value;
        self.full |= 1 << place;
    }

    fn free(&mut self, index: u8) {
        self.full &= !(1 << self.place(index));
    }

    fn pop(&mut self) {
        self.free(0);
        self.top = self.top.wrapping_add(1) & 7;
    }

    /// Pushes a number, or the indefinite with the stack's fault.
    fn push(&mut self, mut value: Number, context: &mut Context) {
        self.set_conditions(C1, 0);
        if self.is_full(7) {
            self.status |= STACK | C1;
            value = context.invalid();
        }
        if !context.is_stopped() {
            self.top = self.top.wrapping_sub(1) & 7;
            self.put(0, value);
        }
    }

    /// Takes up what an operation raised; returns whether its result is to be stored.
    fn finish(&mut self, context: &Context) -> bool {
        // What stops an operation comes before what its result would have raised.
        let is_stopped = context.is_stopped();
        let raised = if is_stopped { context.raised & BEFORE } else { context.raised };
        self.status |= raised;
        self.summarize();
        if raised & !self.control != 0 {
            self.is_pending = true;
        }
        !is_stopped
    }

    /// Finishes an operation whose result goes to ST(index).
    fn finish_to(&mut self, index: u8, value: Number, context: &Context) -> bool {
        let is_up = context.is_up && !context.is_stopped();
        self.set_conditions(C1, if is_up { C1 } else { 0 });
        let is_stored = self.finish(context);
        if is_stored {
            self.put(index, value);
        }
        is_stored
    }

    fn set_conditions(&mut self, mask: u16, set: u16) {
        self.status = self.status & !mask | set;
    }

    fn context(&self) -> Context {
        Context::new(self.control)
    }
}
