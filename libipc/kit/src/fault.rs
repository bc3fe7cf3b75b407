//! Exceptions of the processor in words: what a program did, where, and which signal that is.
//!
//! Used by init for native programs and by the personalities for theirs, so that a crash reads
//! the same everywhere. Vectors and error codes: Intel SDM 3A 6.3.1 and 4.7; signals: POSIX.

use core::fmt;

/// An exception that a thread met, as a call of kind `Exception` tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Vector.
    pub vector: u32,
    /// Error code, 0 where the vector has none.
    pub error: u64,
    /// Faulting address (CR2); means something for page faults.
    pub address: u64,
    /// Instruction pointer.
    pub instruction: u64,
}

/// Vector of a page fault.
pub const PAGE_FAULT: u32 = 14;

impl Fault {
    /// Returns the fault of an exception call: its label and its words.
    pub const fn of_call(number: u32, words: [u64; 6]) -> Self {
        let [error, address, instruction, ..] = words;
        Fault { vector: number, error, address, instruction }
    }

    /// Returns the number of the UNIX signal that stands for the fault.
    pub const fn signal(&self) -> u64 {
        match self.vector {
            0 | 16 | 19 => 8,
            1 | 3 => 5,
            6 => 4,
            17 => 7,
            _ => 11,
        }
    }

    /// Returns what a page fault wanted: bit 1 of the error code is a write, bit 4 a fetch.
    fn wanted(&self) -> &'static str {
        match (self.error & 0x10, self.error & 2) {
            (0, 0) => "reading",
            (0, _) => "writing",
            _ => "executing",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { vector, error, address, instruction } = self;
        match *vector {
            PAGE_FAULT => {
                write!(f, "page fault {} {address:#x} at {instruction:#x}", self.wanted())
            }
            0 => write!(f, "division error at {instruction:#x}"),
            1 => write!(f, "debug exception at {instruction:#x}"),
            3 => write!(f, "breakpoint at {instruction:#x}"),
            6 => write!(f, "invalid instruction at {instruction:#x}"),
            13 => write!(f, "general protection fault (error {error:#x}) at {instruction:#x}"),
            16 | 19 => write!(f, "floating-point exception at {instruction:#x}"),
            17 => write!(f, "misaligned access at {instruction:#x}"),
            _ => write!(f, "exception {vector} (error {error:#x}) at {instruction:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn page_faults_tell_what_was_wanted() {
        let text = |error| Fault::of_call(14, [error, 0x10, 0x2011a0, 0, 0, 0]).to_string();
        assert_eq!(text(4), "page fault reading 0x10 at 0x2011a0");
        assert_eq!(text(6), "page fault writing 0x10 at 0x2011a0");
        assert_eq!(text(0x15), "page fault executing 0x10 at 0x2011a0");
    }

    #[test]
    fn faults_have_signals() {
        let signal = |vector| Fault::of_call(vector, [0; 6]).signal();
        assert_eq!([0, 3, 6, 13, 14, 17].map(signal), [8, 5, 4, 11, 11, 7]);
    }
}
