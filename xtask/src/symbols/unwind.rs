//! Walks a stack by the unwind tables of the program: from the registers to who called whom.
//!
//! ```text
//!   Crash (registers, words of the stack) ┐
//!   .eh_frame (ELF file on the host) ─────┴─walk──> addresses, the innermost first
//! ```
//!
//! Tables: LSB 5.0 "Exception Frames" 10.6; registers' numbers: System V ABI, AMD64 supplement,
//! figure 3.36.

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EndianSlice, LittleEndian, Register, RegisterRule,
    UnwindContext, UnwindSection,
};
use std::collections::BTreeMap;

/// Most frames that are told: a program that used its stack up has more than anybody reads.
pub const FRAMES_MAX: usize = 48;

/// Numbers of registers; the last one is the return address.
const RBX: usize = 3;
const RBP: usize = 6;
const RSP: usize = 7;
const R12: usize = 12;
const RETURN: usize = 16;

/// Registers by their numbers, as far as they are known.
pub type Known = [Option<u64>; RETURN + 1];

/// What is known of a program at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// Its name.
    pub program: String,
    /// Its registers; that of the return address is rip.
    pub registers: Known,
    /// rip and rsp where the kernel met an exception: the walk goes on there from its trap.
    pub trap: Option<(u64, u64)>,
    /// Words of the stack by address.
    pub stack: BTreeMap<u64, u64>,
}

impl Crash {
    /// Sets rip, rsp, rbp and rbx.
    pub fn set_first(&mut self, [rip, rsp, rbp, rbx]: [u64; 4]) {
        for (number, value) in [(RETURN, rip), (RSP, rsp), (RBP, rbp), (RBX, rbx)] {
            self.registers[number] = Some(value);
        }
    }

    /// Sets r12 to r15.
    pub fn set_second(&mut self, values: [u64; 4]) {
        for (register, value) in self.registers[R12..].iter_mut().zip(values) {
            *register = Some(value);
        }
    }
}

/// An address on the way: of an instruction, or behind the call that leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This instruction is where the program is.
    At(u64),
    /// The call before this address is not back yet.
    Behind(u64),
}

impl Step {
    /// Returns an address within the instruction.
    pub fn address(self) -> u64 {
        match self {
            Step::At(address) => address,
            Step::Behind(address) => address.saturating_sub(1),
        }
    }
}

/// Returns the way from the innermost function out, as far as tables and stack lead; `at` is where
/// the table is (or would be) in the program's memory.
pub fn walk(table: &[u8], at: u64, crash: &Crash) -> Vec<Step> {
    let walker = Walker { table: EhFrame::new(table, LittleEndian), at, crash };
    let mut registers = crash.registers;
    let mut trap = crash.trap;
    let mut steps: Vec<Step> = registers[RETURN].map(Step::At).into_iter().collect();
    while let Some(step) = steps.last().filter(|_| steps.len() < FRAMES_MAX) {
        if let Some(outer) = walker.caller(step.address(), &registers) {
            registers = outer;
            steps.extend(registers[RETURN].map(Step::Behind));
        } else if let Some((rip, rsp)) = trap.take() {
            (registers[RETURN], registers[RSP]) = (Some(rip), Some(rsp));
            steps.push(Step::At(rip));
        } else {
            break;
        }
    }
    steps
}

struct Walker<'a> {
    table: EhFrame<EndianSlice<'a, LittleEndian>>,
    at: u64,
    crash: &'a Crash,
}

impl Walker<'_> {
    /// Returns the registers as the caller of the function at an address will have them; none
    /// where the table or the stack says nothing more.
    fn caller(&self, address: u64, inner: &Known) -> Option<Known> {
        let bases = BaseAddresses::default().set_eh_frame(self.at);
        let mut context = UnwindContext::new();
        let find = EhFrame::cie_from_offset;
        let row = self.table.unwind_info_for_address(&bases, &mut context, address, find).ok()?;
        let &CfaRule::RegisterAndOffset { register, offset } = row.cfa() else { return None };
        let base = (*inner.get(usize::from(register.0))?)?;
        let frame = base.checked_add_signed(offset)?;
        // A frame that does not lie above the one before is none.
        if frame <= inner[RSP]? {
            return None;
        }
        let word = |offset| self.crash.stack.get(&frame.checked_add_signed(offset)?).copied();
        let mut outer = [None; RETURN + 1];
        for (number, value) in outer.iter_mut().enumerate() {
            *value = match row.register(Register(number as u16)) {
                Some(RegisterRule::Offset(offset)) => word(offset),
                Some(RegisterRule::SameValue) | None => inner[number],
                Some(_) => None,
            };
        }
        outer[RSP] = Some(frame);
        // A function whose return address is not told is the outermost one.
        let is_told = row.register(Register(RETURN as u16)).is_some();
        outer[RETURN].filter(|address| *address != 0 && is_told)?;
        Some(outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a table for functions of 256 bytes at 0x1000 and 0x2000. At its first byte a
    /// function has pushed nothing, from the second on 16 bytes, of which the upper word is rbp.
    fn table() -> Vec<u8> {
        let mut table = Vec::new();
        let mut add = |id: u32, body: &[u8]| {
            let len = (4 + body.len()).next_multiple_of(8);
            table.extend((len as u32).to_le_bytes());
            table.extend(id.to_le_bytes());
            table.extend(body);
            table.resize(table.len() + len - 4 - body.len(), 0);
            table.len() as u32
        };
        // Version 1, no augmentation, factors 1 and -8, register 16; frame = rsp + 8, [frame-8].
        let mut end = add(0, &[1, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x80 | 16, 1]);
        for start in [0x1000u64, 0x2000] {
            // From the next byte on: frame = rsp + 24, rbp at frame - 16.
            let rows = [0x40 | 1, 0x0e, 24, 0x80 | 6, 2];
            let body = [&start.to_le_bytes()[..], &256u64.to_le_bytes(), &rows].concat();
            // An entry tells how far before it its common part is.
            end = add(end + 4, &body);
        }
        table.extend([0; 4]);
        table
    }

    fn crash(rip: u64, rsp: u64, stack: &[(u64, u64)]) -> Crash {
        let mut crash = Crash { stack: stack.iter().copied().collect(), ..Crash::default() };
        crash.set_first([rip, rsp, 0x77, 0]);
        crash.set_second([0; 4]);
        crash
    }

    #[test]
    fn callers_are_found_by_the_table() {
        let stack = [(0x7000, 1), (0x7008, 0x99), (0x7010, 0x2040), (0x7018, 0), (0x7028, 0x3000)];
        let steps = walk(&table(), 0, &crash(0x1080, 0x7000, &stack));
        assert_eq!(steps, [Step::At(0x1080), Step::Behind(0x2040), Step::Behind(0x3000)]);
        // Before the function has pushed anything, its return address is on top.
        let steps = walk(&table(), 0, &crash(0x1000, 0x7010, &stack));
        assert_eq!(steps, [Step::At(0x1000), Step::Behind(0x2040), Step::Behind(0x3000)]);
    }

    #[test]
    fn the_walk_ends_where_the_stack_does() {
        assert_eq!(walk(&table(), 0, &crash(0x1080, 0x7000, &[])), [Step::At(0x1080)]);
        assert_eq!(walk(&table(), 0, &crash(0x9000, 0x7000, &[])), [Step::At(0x9000)]);
        assert_eq!(walk(b"", 0, &crash(0x1080, 0x7000, &[])), [Step::At(0x1080)]);
        assert_eq!(walk(&table()[..40], 0, &crash(0x1080, u64::MAX, &[])), [Step::At(0x1080)]);
        assert_eq!(walk(&table(), 0, &Crash::default()), []);
    }

    #[test]
    fn a_stack_without_end_has_a_bound() {
        let word = |index| if index % 2 == 0 { 0x1040 } else { 0x2040 };
        let stack: Vec<(u64, u64)> = (0..4096).map(|at| (0x7000 + at * 8, word(at))).collect();
        assert_eq!(walk(&table(), 0, &crash(0x1080, 0x7000, &stack)).len(), FRAMES_MAX);
    }

    #[test]
    fn from_the_kernels_trap_the_walk_goes_on_where_it_came_from() {
        let stack = [(0x7010, 0x9000), (0x8010, 0x3000)];
        let crash = Crash { trap: Some((0x2080, 0x8000)), ..crash(0x1080, 0x7000, &stack) };
        let (first, trap) = (Step::At(0x1080), Step::At(0x2080));
        let wanted = [first, Step::Behind(0x9000), trap, Step::Behind(0x3000)];
        assert_eq!(walk(&table(), 0, &crash), wanted);
    }
}
