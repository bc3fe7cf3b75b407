//! The processor: an interpreter of the 8086 to 80386 in real mode.
//!
//! ```text
//!   run ─► cache ─► handlers ────────────────────┬─► flags (arithmetic)
//!            │        └ what is not decoded        │
//!            │             ▼                       │
//!            │   step ─► execute (opcode table) ─► operand (ModRM)
//!            │                └► arithmetic, shift, string, control: the longer instructions
//!            └ decode: from bytes to handlers
//! ```
//!
//! **Twice.** `execute` fetches, decodes and executes every instruction; `decode` turns the common ones
//! into handlers with their operands, which `cache` keeps by address (decisions/0051). What is not
//! decoded is a handler that calls `step`, and with [`Caching::Off`] everything goes through `step`:
//! tests compare the two.
//!
//! **Which processor.** [`Model`] says which; each has the flags and the results of its own, by which
//! programs tell them apart:
//!
//! ```text
//!   8086    60-6F are conditional jumps, C0, C1, C8 and C9 returns, shifts count to 255, 0F is POP CS
//!   80186   PUSHA, ENTER, BOUND, IMUL and shifts by immediates, INS, OUTS; interrupt 6; counts modulo 32
//!   80286   flag bits 12 to 15 are 0 (1 before), PUSH SP stores SP as it was, a division error returns
//!           to the division, 0F 01 (SMSW …)
//!   80386   32-bit registers, operands and addresses, FS, GS, and the instructions behind 0F
//! ```
//!
//! Protected mode is not there: who asks for it ends [`Cpu::run`] with [`Exit::Protected`]. Offsets
//! above FFFF are in no segment of real mode and end it with [`Exit::Limit`]; words at offset FFFF wrap
//! as on the 8086. The coprocessor is `fpu`; without one ESC reads its operand and does nothing, or calls
//! the interrupt of an emulator (`escape`).
//! Undefined opcodes raise interrupt 6, but on the 8086, which has none.
//!
//! DOS and the BIOS are reached through *host calls*: the bytes 0F n, executed in segment F000,
//! end [`Cpu::run`] with [`Exit::HostCall`]. Interrupt vectors point at such bytes, so programs
//! can hook, chain and trace them like code in a ROM.
//!
//! Source: Intel iAPX 86/88, 186/188 User's Manual, Programmer's Reference (1983), chapters 2, 3;
//! 80386 Programmer's Reference Manual (1986), chapters 14 and 17.

mod arithmetic;
mod cache;
mod control;
mod decode;
mod escape;
mod execute;
mod extended;
mod flags;
mod fpu;
mod handlers;
mod operand;
mod shift;
mod stack;
mod string;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use cache::Cache;
pub use flags::{Flags, bit};
pub use fpu::Coprocessor;
use operand::Word;
use words::Words;

use alloc::boxed::Box;

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
    /// The 80386's first extra one.
    pub const FS: usize = 4;
    /// And its second.
    pub const GS: usize = 5;
}

use register::{AX, SP};
use segment::{CS, SS};

/// Which processor it is, in the order of their years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Model {
    /// 8086, 8088.
    I8086,
    /// 80186, without its on-chip devices.
    I80186,
    /// 80286.
    I80286,
    /// 80386.
    #[default]
    I80386,
}

/// Why [`Cpu::run`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The instructions granted are used up, or a device wants to be looked at.
    Budget,
    /// A host call with its number; CS:IP is behind it.
    HostCall(u8),
    /// HLT: nothing goes on before an interrupt.
    Halt,
    /// The program wants protected mode.
    Protected,
    /// The program used an offset above FFFF, which no segment of real mode has.
    Limit,
}

/// Whether decoded instructions are kept for the next time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Caching {
    /// They are.
    #[default]
    On,
    /// Each is decoded when it is executed: slower, and what tests compare with.
    Off,
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
#[derive(Clone, Debug)]
pub struct Cpu {
    model: Model,
    /// Word registers by [`register`]; those past DI stay 0, for address forms with fewer terms.
    registers: Words,
    /// The high halves of the 80386's registers.
    upper: [u16; 8],
    /// Segment registers by [`segment`].
    segments: Words,
    ip: u16,
    flags: Flags,
    /// Instructions left of what `run` was granted.
    left: u32,
    caching: Caching,
    exit: Option<Exit>,
    /// Offset of the current instruction, prefixes included.
    start: u16,
    /// Segment register that a prefix chose.
    override_segment: Option<u8>,
    /// Whether a prefix makes addresses 32 bits wide.
    is_wide_address: bool,
    repeat: Repeat,
    /// Bits of the machine status word that programs set.
    status: u16,
    /// The coprocessor, if there is one.
    fpu: Option<Box<fpu::Fpu>>,
    /// The instruction before which nothing may interrupt: SS was loaded, SP may follow.
    held_at: Option<FarPointer>,
}

impl Default for Cpu {
    fn default() -> Self {
        Cpu::new(Model::default())
    }
}

impl Cpu {
    /// Returns a processor with all registers 0.
    pub fn new(model: Model) -> Self {
        Cpu {
            model,
            registers: Words::default(),
            upper: [0; 8],
            segments: Words::default(),
            ip: 0,
            flags: Flags::new(model),
            left: 0,
            caching: Caching::On,
            exit: None,
            start: 0,
            override_segment: None,
            is_wide_address: false,
            repeat: Repeat::Once,
            status: 0,
            fpu: None,
            held_at: None,
        }
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

    /// Returns all 32 bits of a register.
    pub fn wide_register(&self, number: usize) -> u32 {
        <u32 as operand::Operand>::register(self, number)
    }

    /// Sets all 32 bits of a register.
    pub fn set_wide_register(&mut self, number: usize, value: u32) {
        <u32 as operand::Operand>::set_register(self, number, value);
    }

    /// Returns a segment register, by its number in [`segment`].
    #[inline(always)]
    pub fn segment(&self, number: usize) -> u16 {
        self.segments[number & 7]
    }

    /// Sets a segment register.
    #[inline(always)]
    pub fn set_segment(&mut self, number: usize, value: u16) {
        self.segments[number & 7] = value;
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

    /// Chooses which coprocessor there is; it is as after FINIT.
    pub fn set_coprocessor(&mut self, coprocessor: Coprocessor) {
        self.fpu = match coprocessor {
            Coprocessor::None => None,
            kind => Some(Box::new(fpu::Fpu::new(kind))),
        };
    }

    /// Chooses whether decoded instructions are kept; without, each is decoded when it is executed.
    pub fn set_caching(&mut self, caching: Caching) {
        self.caching = caching;
    }

    /// Runs until something happens that is not the processor's, at most for that many
    /// instructions (a repeated one counts once).
    pub fn run(&mut self, bus: &mut Bus, instructions: u32) -> Exit {
        self.left = instructions;
        match self.caching {
            Caching::On => self.run_cached(bus),
            Caching::Off => self.run_uncached(bus),
        }
        self.exit.take().unwrap_or(Exit::Budget)
    }

    /// Returns how many of the instructions that the last run was granted were not executed.
    pub fn remaining(&self) -> u32 {
        self.left
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

    fn run_uncached(&mut self, bus: &mut Bus) {
        while self.left != 0 && self.exit.is_none() {
            self.left -= 1;
            match self.flags.trap() {
                false => self.step(bus),
                true => self.step_trapped(bus),
            }
        }
    }

    /// Executes one instruction, decoding it.
    #[inline(never)]
    fn step(&mut self, bus: &mut Bus) {
        self.start = self.ip;
        let opcode = self.fetch8(bus);
        self.execute_apart::<u16>(bus, opcode);
    }

    /// Executes one instruction with the trap flag set, then raises interrupt 1.
    #[cold]
    fn step_trapped(&mut self, bus: &mut Bus) {
        self.step(bus);
        if self.exit.is_none() && !self.interrupts_held() {
            self.interrupt(bus, 1);
        }
    }

    /// Ends `run` after this instruction; the first reason stands.
    fn leave(&mut self, exit: Exit) {
        self.exit.get_or_insert(exit);
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

    /// Returns a fetched byte, sign-extended to the instruction's width.
    #[inline(always)]
    fn fetch_signed_as<W: Word>(&mut self, bus: &Bus) -> W {
        W::from_signed(self.fetch_signed(bus))
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
