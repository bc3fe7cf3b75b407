//! Programs that call DOS and tell what came back, assembled by the tests.
//!
//! ```text
//!   0100 code    4000 results: ten words for each call    5000 data, where strings and buffers lie
//! ```
//!
//! A [`Probe`] gathers calls; [`Probe::run`] assembles a .COM program that makes them one after the
//! other, keeps every register after each, and writes results and data to a file at its end.
#![allow(dead_code, reason = "what a probe can do is more than the tests of now need")]

use dos_machine::{End, Session, Start};
use iced_x86::code_asm::{
    AsmRegister16, CodeAssembler, ax, bp, bx, cs, cx, di, ds, dx, es, si, word_ptr,
};

use crate::support::{MemoryHost, start};

const RESULTS: u16 = 0x4000;
const DATA: u16 = 0x5000;
/// Name of the program and of the file that it writes.
const PROGRAM: &str = "PROBE.COM";
const REPORT: &str = "PROBE.OUT";
const ENTRY: u64 = 0x100;

/// A register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reg {
    Ax,
    Bx,
    Cx,
    Dx,
    Si,
    Di,
    Bp,
    Ds,
    Es,
    Flags,
}

/// What a register is loaded with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number, or the offset of data.
    Word(u16),
    /// What a register was after an earlier call.
    After(usize, Reg),
    /// The program's own segment.
    Own,
}

impl From<u16> for Value {
    fn from(word: u16) -> Self {
        Value::Word(word)
    }
}

enum Step {
    Interrupt { number: u8, registers: Vec<(Reg, Value)> },
    Peek { segment: Value, offset: Value, to: u16, len: u16 },
    Poke { segment: Value, offset: Value, from: u16, len: u16 },
}

/// A program in the making.
#[derive(Default)]
pub struct Probe {
    steps: Vec<Step>,
    data: Vec<u8>,
    calls: usize,
    arguments: Vec<String>,
}

/// What a program left.
pub struct Outcome {
    pub end: End,
    pub host: MemoryHost,
    results: Vec<u16>,
    data: Vec<u8>,
}

impl Probe {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument of the program.
    pub fn argument(&mut self, text: &str) {
        self.arguments.push(text.into());
    }

    /// Puts bytes into the data and returns their offset.
    pub fn bytes(&mut self, bytes: &[u8]) -> u16 {
        let at = DATA + self.data.len() as u16;
        self.data.extend(bytes);
        at
    }

    /// Puts a zero-terminated string into the data and returns its offset.
    pub fn text(&mut self, text: &str) -> u16 {
        self.bytes(&[text.as_bytes(), &[0]].concat())
    }

    /// Returns the offset of so many zeros.
    pub fn space(&mut self, len: usize) -> u16 {
        self.bytes(&vec![0; len])
    }

    /// Calls INT 21h with AX and other registers; returns the call's number.
    pub fn dos(&mut self, function: u16, registers: &[(Reg, Value)]) -> usize {
        self.interrupt(0x21, function, registers)
    }

    /// Calls an interrupt.
    pub fn interrupt(&mut self, number: u8, function: u16, registers: &[(Reg, Value)]) -> usize {
        let mut all = vec![(Reg::Ax, Value::Word(function))];
        all.extend(registers);
        self.steps.push(Step::Interrupt { number, registers: all });
        self.calls += 1;
        self.calls - 1
    }

    /// Copies memory from anywhere into the data; returns where it will be.
    pub fn peek(&mut self, segment: Value, offset: Value, len: u16) -> u16 {
        let to = self.space(len as usize);
        self.steps.push(Step::Peek { segment, offset, to, len });
        to
    }

    /// Copies bytes to anywhere in memory.
    pub fn poke(&mut self, segment: Value, offset: Value, bytes: &[u8]) {
        let from = self.bytes(bytes);
        self.steps.push(Step::Poke { segment, offset, from, len: bytes.len() as u16 });
    }

    /// Copies data, as it is then, to anywhere in memory.
    pub fn poke_data(&mut self, segment: Value, offset: Value, from: u16, len: u16) {
        self.steps.push(Step::Poke { segment, offset, from, len });
    }

    /// Returns the offset at which a register of a call is kept.
    pub fn place_of(call: usize, reg: Reg) -> u16 {
        result(call, reg) as u16
    }

    /// Runs the program.
    pub fn run(self, host: MemoryHost) -> Outcome {
        self.run_as(host, Start::default())
    }

    /// Runs the program in a session with that version and those versions of programs.
    pub fn run_as(self, mut host: MemoryHost, with: Start) -> Outcome {
        let program = self.assemble().expect("what tests write can be assembled");
        host.add(PROGRAM, &program);
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let Start { version, versions, .. } = with;
        let mut session = Session::new(host);
        let end = session.run(&Start { version, versions, ..start(PROGRAM, &arguments) });
        let host = session.into_host();
        let report = host.file(REPORT).unwrap_or_default();
        let (results, data) = report.split_at(report.len().min(self.calls * 20));
        let results =
            results.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect();
        let data = data.to_vec();
        Outcome { end, host, results, data }
    }

    fn assemble(&self) -> Result<Vec<u8>, iced_x86::IcedError> {
        let mut a = CodeAssembler::new(16)?;
        let mut call = 0;
        for step in &self.steps {
            match step {
                Step::Interrupt { number, registers } => {
                    interrupt(&mut a, *number, registers, call)?;
                    call += 1;
                }
                Step::Peek { segment, offset, to, len } => {
                    load(&mut a, Reg::Si, *offset)?;
                    load(&mut a, Reg::Ds, *segment)?;
                    a.mov(di, *to as u32)?;
                    copy(&mut a, *len)?;
                }
                Step::Poke { segment, offset, from, len } => {
                    load(&mut a, Reg::Di, *offset)?;
                    load(&mut a, Reg::Es, *segment)?;
                    a.mov(si, *from as u32)?;
                    copy(&mut a, *len)?;
                }
            }
        }
        let name = DATA as u32 + self.data.len() as u32;
        let report_bytes = self.calls * 20;
        a.mov(ax, 0x3c00u32)?;
        a.xor(cx, cx)?;
        a.mov(dx, name)?;
        a.int(0x21)?;
        a.mov(bx, ax)?;
        for (at, len) in [(RESULTS, report_bytes), (DATA, self.data.len())] {
            a.mov(ax, 0x4000u32)?;
            a.mov(cx, len as u32)?;
            a.mov(dx, at as u32)?;
            if len > 0 {
                a.int(0x21)?;
            }
        }
        a.mov(ax, 0x3e00u32)?;
        a.int(0x21)?;
        a.mov(ax, 0x4c00u32)?;
        a.int(0x21)?;
        let mut program = a.assemble(ENTRY)?;
        assert!(program.len() <= RESULTS as usize - ENTRY as usize, "too many calls");
        program.resize(DATA as usize - ENTRY as usize, 0);
        program.extend(&self.data);
        program.extend(b"C:\\");
        program.extend(REPORT.as_bytes());
        program.push(0);
        Ok(program)
    }
}

fn register(reg: Reg) -> Option<AsmRegister16> {
    Some(match reg {
        Reg::Ax => ax,
        Reg::Bx => bx,
        Reg::Cx => cx,
        Reg::Dx => dx,
        Reg::Si => si,
        Reg::Di => di,
        Reg::Bp => bp,
        Reg::Ds | Reg::Es | Reg::Flags => return None,
    })
}

fn load(a: &mut CodeAssembler, reg: Reg, value: Value) -> Result<(), iced_x86::IcedError> {
    match (register(reg), value) {
        (Some(to), Value::Word(word)) => a.mov(to, word as u32),
        (Some(to), Value::After(call, from)) => a.mov(to, word_ptr(result(call, from)).cs()),
        (Some(to), Value::Own) => a.mov(to, cs),
        (None, value) => {
            a.push(ax)?;
            load(a, Reg::Ax, value)?;
            match reg {
                Reg::Ds => a.mov(ds, ax)?,
                _ => a.mov(es, ax)?,
            }
            a.pop(ax)
        }
    }
}

fn interrupt(
    a: &mut CodeAssembler,
    number: u8,
    registers: &[(Reg, Value)],
    call: usize,
) -> Result<(), iced_x86::IcedError> {
    for (reg, value) in registers {
        load(a, *reg, *value)?;
    }
    a.int(number as u32)?;
    for reg in [Reg::Ax, Reg::Bx, Reg::Cx, Reg::Dx, Reg::Si, Reg::Di, Reg::Bp] {
        let from = register(reg).expect("all of these are");
        a.mov(word_ptr(result(call, reg)).cs(), from)?;
    }
    a.mov(word_ptr(result(call, Reg::Ds)).cs(), ds)?;
    a.mov(word_ptr(result(call, Reg::Es)).cs(), es)?;
    a.pushf()?;
    a.pop(ax)?;
    a.mov(word_ptr(result(call, Reg::Flags)).cs(), ax)?;
    own_segments(a)
}

fn copy(a: &mut CodeAssembler, len: u16) -> Result<(), iced_x86::IcedError> {
    a.mov(cx, len as u32)?;
    a.cld()?;
    a.rep().movsb()?;
    own_segments(a)
}

fn own_segments(a: &mut CodeAssembler) -> Result<(), iced_x86::IcedError> {
    a.mov(ax, cs)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)
}

fn result(call: usize, reg: Reg) -> u32 {
    RESULTS as u32 + call as u32 * 20 + reg as u32 * 2
}

impl Outcome {
    /// Returns a register after a call.
    pub fn word(&self, call: usize, reg: Reg) -> u16 {
        self.results[call * 10 + reg as usize]
    }

    /// Returns AX after a call.
    pub fn ax(&self, call: usize) -> u16 {
        self.word(call, Reg::Ax)
    }

    /// Returns AL after a call.
    pub fn al(&self, call: usize) -> u8 {
        self.ax(call) as u8
    }

    /// Returns AX, or the error code where CF was set.
    pub fn result(&self, call: usize) -> Result<u16, u16> {
        let failed = self.word(call, Reg::Flags) & 1 != 0;
        if failed { Err(self.ax(call)) } else { Ok(self.ax(call)) }
    }

    /// Returns data.
    pub fn bytes(&self, at: u16, len: usize) -> &[u8] {
        let start = (at - DATA) as usize;
        &self.data[start..start + len]
    }

    /// Returns a word of data.
    pub fn data16(&self, at: u16) -> u16 {
        let bytes = self.bytes(at, 2);
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    /// Returns a zero-terminated string of data.
    pub fn text(&self, at: u16) -> String {
        let rest = &self.data[(at - DATA) as usize..];
        let len = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..len]).into_owned()
    }
}
