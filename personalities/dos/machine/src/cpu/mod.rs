//! The processor: an interpreter of the 80186 in real mode.
//!
//! ```text
//!   run ─► fetch ─► execute (the opcode table) ─► operand (ModRM) ─► flags (arithmetic)
//!                        └► arithmetic, shift, string, control: the longer instructions
//! ```
//!
//! **Which processor.** An 80186 without its on-chip devices: 8086 instructions with 8086
//! results, plus PUSH immediate, IMUL immediate, PUSHA, POPA, BOUND, ENTER, LEAVE, shifts by an
//! immediate, INS and OUTS. Programs that check find: flag bits 12 to 15 always set (before the
//! 80286); PUSH SP stores the decremented SP (before the 80286); shift counts are taken modulo 32
//! (after the 8086); 0F is no instruction (after the 8086). No coprocessor: ESC reads its operand
//! and does nothing, WAIT does not wait. Undefined opcodes raise interrupt 6.
//!
//! DOS and the BIOS are reached through *host calls*: the bytes 0F n, executed in segment F000,
//! end [`Cpu::run`] with [`Exit::HostCall`]. Interrupt vectors point at such bytes, so programs
//! can hook, chain and trace them like code in a ROM.
//!
//! Source: Intel iAPX 86/88, 186/188 User's Manual, Programmer's Reference (1983), chapters 2, 3.

mod arithmetic;
mod control;
mod execute;
mod flags;
mod operand;
mod shift;
mod string;

pub use flags::{Flags, bit};

use crate::{Bus, FarPointer};

/// The segment in which 0F is a host call: the BIOS ROM's.
pub const HOST_SEGMENT: u16 = 0xf000;

/// Most prefixes of one instruction; a real 8086 takes any number, and a segment full of them
/// would never end.
const MAX_PREFIXES: u32 = 32;

/// Word registers, in the order of their encoding (User's Manual 3.4, table 3-7).
pub mod register {
    /// Accumulator.
    pub const AX: usize = 0;
    /// Count.
    pub const CX: usize = 1;
    /// Data.
    pub const DX: usize = 2;
    /// Base.
    pub const BX: usize = 3;
    /// Stack pointer.
    pub const SP: usize = 4;
    /// Base pointer.
    pub const BP: usize = 5;
    /// Source index.
    pub const SI: usize = 6;
    /// Destination index.
    pub const DI: usize = 7;
}

/// Segment registers, in the order of their encoding (User's Manual 3.4, table 3-8).
pub mod segment {
    /// Extra segment.
    pub const ES: usize = 0;
    /// Code segment.
    pub const CS: usize = 1;
    /// Stack segment.
    pub const SS: usize = 2;
    /// Data segment.
    pub const DS: usize = 3;
}

use register::{AX, SP};
use segment::{CS, SS};

/// Why [`Cpu::run`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The instructions granted are used up.
    Budget,
    /// A host call with its number; CS:IP is behind it.
    HostCall(u8),
    /// HLT: nothing goes on before an interrupt.
    Halt,
}

/// A repeat prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Repeat {
    #[default]
    Once,
    /// REP, REPE.
    WhileEqual,
    /// REPNE.
    WhileNotEqual,
}

/// The processor's registers, and what the current instruction needs.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// Word registers by [`register`]; those past DI stay 0, for address forms with fewer terms.
    registers: [u16; 16],
    segments: [u16; 4],
    ip: u16,
    flags: Flags,
    /// Instructions left of what `run` was granted.
    left: u32,
    /// What was left when an exit or the trap flag ended the inner loop.
    unused: u32,
    exit: Option<Exit>,
    /// Offset of the current instruction, prefixes included.
    start: u16,
    /// Segment register that a prefix chose.
    override_segment: Option<u8>,
    repeat: Repeat,
    /// The instruction before which nothing may interrupt: SS was loaded, SP may follow.
    held_at: Option<FarPointer>,
}

impl Cpu {
    /// Returns a processor with all registers 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a word register, by its number in [`register`].
    #[inline(always)]
    pub fn register(&self, number: usize) -> u16 {
        self.registers[number & 7]
    }

    /// Sets a word register.
    #[inline(always)]
    pub fn set_register(&mut self, number: usize, value: u16) {
        self.registers[number & 7] = value;
    }

    /// Returns a segment register, by its number in [`segment`].
    #[inline(always)]
    pub fn segment(&self, number: usize) -> u16 {
        self.segments[number & 3]
    }

    /// Sets a segment register.
    #[inline(always)]
    pub fn set_segment(&mut self, number: usize, value: u16) {
        self.segments[number & 3] = value;
    }

    /// Returns where the next instruction is.
    pub fn next_instruction(&self) -> FarPointer {
        FarPointer::new(self.segments[CS], self.ip)
    }

    /// Jumps.
    pub fn jump(&mut self, to: FarPointer) {
        self.segments[CS] = to.segment;
        self.ip = to.offset;
    }

    /// Returns the flags.
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Sets the flags.
    pub fn set_flags(&mut self, word: u16) {
        self.flags.set_word(word);
    }

    /// Returns the top of the stack.
    pub fn stack(&self) -> FarPointer {
        FarPointer::new(self.segments[SS], self.registers[SP])
    }

    /// Runs until something happens that is not the processor's, at most for that many
    /// instructions (a repeated one counts once).
    pub fn run(&mut self, bus: &mut Bus, instructions: u32) -> Exit {
        self.left = instructions;
        loop {
            if self.flags.trap() && self.left > 0 {
                self.step_trapped(bus);
            }
            while self.left != 0 {
                self.step(bus);
            }
            self.left = core::mem::take(&mut self.unused);
            if let Some(exit) = self.exit.take() {
                return exit;
            }
            if self.left == 0 {
                return Exit::Budget;
            }
        }
    }

    /// Returns whether a device's interrupt has to wait for the next instruction.
    pub fn interrupts_held(&self) -> bool {
        self.held_at == Some(self.next_instruction())
    }

    /// Calls an interrupt's handler, as INT does and as a device's request does.
    pub fn interrupt(&mut self, bus: &mut Bus, vector: u8) {
        self.push(bus, self.flags.word());
        self.push(bus, self.segments[CS]);
        self.push(bus, self.ip);
        self.flags.clear_control(bit::INTERRUPT | bit::TRAP);
        self.jump(bus.read_far(FarPointer::new(0, vector as u16 * 4)));
    }

    /// Pushes a word.
    #[inline(always)]
    pub fn push(&mut self, bus: &mut Bus, value: u16) {
        self.registers[SP] = self.registers[SP].wrapping_sub(2);
        bus.write16(self.stack(), value);
    }

    /// Pops a word.
    #[inline(always)]
    pub fn pop(&mut self, bus: &Bus) -> u16 {
        let value = bus.read16(self.stack());
        self.registers[SP] = self.registers[SP].wrapping_add(2);
        value
    }

    #[inline(always)]
    fn step(&mut self, bus: &mut Bus) {
        self.left -= 1;
        self.start = self.ip;
        let opcode = self.fetch8(bus);
        self.execute(bus, opcode);
    }

    /// Executes one instruction with the trap flag set, then raises interrupt 1.
    #[cold]
    fn step_trapped(&mut self, bus: &mut Bus) {
        let granted = core::mem::replace(&mut self.left, 1);
        self.step(bus);
        if self.exit.is_none() && !self.interrupts_held() {
            self.interrupt(bus, 1);
        }
        (self.left, self.unused) = (0, granted - 1);
    }

    /// Ends the inner loop after this instruction.
    fn leave_loop(&mut self) {
        self.unused = core::mem::take(&mut self.left);
    }

    fn leave(&mut self, exit: Exit) {
        self.exit = Some(exit);
        self.leave_loop();
    }

    /// Holds interrupts until the next instruction has run: a stack is being switched.
    fn hold_interrupts(&mut self) {
        self.held_at = Some(self.next_instruction());
    }

    #[inline(always)]
    fn fetch8(&mut self, bus: &Bus) -> u8 {
        let byte = bus.read8(self.next_instruction());
        self.ip = self.ip.wrapping_add(1);
        byte
    }

    #[inline(always)]
    fn fetch16(&mut self, bus: &Bus) -> u16 {
        let word = bus.read16(self.next_instruction());
        self.ip = self.ip.wrapping_add(2);
        word
    }

    /// Returns a fetched byte, sign-extended.
    #[inline(always)]
    fn fetch_signed(&mut self, bus: &Bus) -> u16 {
        self.fetch8(bus) as i8 as u16
    }

    #[inline(always)]
    fn al(&self) -> u8 {
        self.registers[AX] as u8
    }

    #[inline(always)]
    fn set_al(&mut self, value: u8) {
        self.registers[AX] = self.registers[AX] & 0xff00 | value as u16;
    }

    #[inline(always)]
    fn ah(&self) -> u8 {
        (self.registers[AX] >> 8) as u8
    }

    #[inline(always)]
    fn set_ah(&mut self, value: u8) {
        self.registers[AX] = self.registers[AX] & 0x00ff | (value as u16) << 8;
    }
}
