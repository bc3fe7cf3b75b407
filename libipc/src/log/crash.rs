//! What a program's end was like, told to the host's tool: registers and stack.
//!
//! ```text
//!   \x01bt r NAME RIP RSP RBP RBX         registers, in hex
//!   \x01bt q NAME R12 R13 R14 R15
//!   \x01bt s NAME ADDRESS WORD…           words of the stack from there on; "-" is 0
//!   \x01bt e NAME                         the end: unwind and show
//! ```
//!
//! `cargo xtask` unwinds with the tables in the ELF files that it built (xtask/src/symbols.rs);
//! nothing of that is in the guest, and nothing costs anything before the end. A line fits into
//! one write to the port, so that nobody's line comes in between.
//!
//! ```no_run
//! use libipc::{Error, Thread, log::crash};
//!
//! /// Tells of a stopped thread whose stack cannot be read.
//! fn end(name: &str, thread: Thread) -> Result<(), Error> {
//!     crash::tell(name, &thread.read_registers()?, |_, _| 0);
//!     Ok(())
//! }
//! ```

use core::fmt::{self, Display, Formatter};

use kamen_abi::{PAGE_SIZE, Registers};

use super::mark;

/// Most bytes of stack that are told.
pub const STACK_MAX: usize = 8192;

/// Words in a line.
const WORDS: usize = 5;

/// Tells registers and stack of a program that has come to its end. `read` copies memory from an
/// address on and returns how many bytes it could.
///
/// ```
/// use libipc::Registers;
/// use libipc::log::crash::{STACK_MAX, tell};
/// let mut told = 0;
/// tell("shell", &Registers::default(), |_, bytes| {
///     told += bytes.len();
///     bytes.len()
/// });
/// assert!(told >= STACK_MAX, "a stack without an end is cut off");
/// ```
pub fn tell(name: &str, registers: &Registers, mut read: impl FnMut(u64, &mut [u8]) -> usize) {
    let Registers { rip, rsp, rbp, rbx, r12, r13, r14, r15, .. } = registers;
    mark(format_args!("bt r {name} {rip:x} {rsp:x} {rbp:x} {rbx:x}"));
    mark(format_args!("bt q {name} {r12:x} {r13:x} {r14:x} {r15:x}"));
    let mut told = 0;
    while told < STACK_MAX {
        // The registers are what the program made of them: its stack may begin anywhere.
        let Some(at) = rsp.checked_add(told as u64) else { break };
        let mut bytes = [0; WORDS * 8];
        let whole = read(at, &mut bytes) / 8;
        let words: [u64; WORDS] = core::array::from_fn(|index| {
            u64::from_le_bytes(core::array::from_fn(|byte| bytes[index * 8 + byte]))
        });
        if whole > 0 {
            mark(format_args!("bt s {name} {at:x}{}", Words(&words[..whole.min(WORDS)])));
            told += whole * 8;
        } else if told == 0
            && let Some(next) = next_page(at)
        {
            // A stack that was used up ends above the page that is not there.
            told = (next - at) as usize;
        } else {
            break;
        }
    }
    mark(format_args!("bt e {name}"));
}

/// Returns where the page after that of an address begins, unless the address begins one itself or
/// is in the last.
///
/// ```
/// use libipc::log::crash::next_page;
/// assert_eq!(next_page(0x6ff0), Some(0x7000));
/// assert_eq!((next_page(0x7000), next_page(u64::MAX - 7)), (None, None));
/// ```
pub fn next_page(at: u64) -> Option<u64> {
    at.checked_next_multiple_of(PAGE_SIZE as u64).filter(|next| *next != at)
}

/// Words in hex, a blank before each.
struct Words<'a>(&'a [u64]);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| match word {
            0 => f.write_str(" -"),
            word => write!(f, " {word:x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_longest_line_is_written_at_once() {
        let longest =
            std::format!("\x01bt s {} {:x}{}\n", "n".repeat(16), !0u64, Words(&[!0; WORDS]));
        assert!(longest.len() <= kamen_abi::PORT_WRITE_MAX, "{}", longest.len());
    }

    #[test]
    fn zeros_are_short() {
        assert_eq!(Words(&[0, 0x1f, 0]).to_string(), " - 1f -");
    }

    /// Returns the addresses that are read of a stack that is mapped from `first` to `end`.
    fn read_of(rsp: u64, first: u64, end: u64) -> std::vec::Vec<u64> {
        let mut seen = std::vec::Vec::new();
        tell("x", &Registers { rsp, ..Registers::default() }, |at, into| {
            seen.push(at);
            if at < first { 0 } else { (end.saturating_sub(at) as usize).min(into.len()) }
        });
        seen
    }

    #[test]
    fn the_dump_ends_with_the_stack_or_its_bound() {
        assert_eq!(read_of(0x7fb8, 0x7000, 0x8000), [0x7fb8, 0x7fe0, 0x8000]);
        let endless = read_of(0x7000, 0x7000, u64::MAX);
        assert_eq!(endless.len(), STACK_MAX.div_ceil(WORDS * 8));
    }

    #[test]
    fn a_stack_that_is_used_up_is_told_from_the_next_page_on() {
        assert_eq!(read_of(0x6ff0, 0x7000, 0x7008), [0x6ff0, 0x7000, 0x7008]);
        assert_eq!(read_of(0x6ff0, 0x9000, 0xa000), [0x6ff0, 0x7000]);
    }

    #[test]
    fn a_stack_at_the_end_of_all_addresses_is_told_as_far_as_there_is_one() {
        assert_eq!(read_of(u64::MAX - 7, 0x7000, 0x8000), [u64::MAX - 7]);
        assert_eq!(read_of(u64::MAX, 0x7000, 0x8000), [u64::MAX]);
        // Whatever is told to be there: addresses do not begin anew.
        let mut seen = std::vec::Vec::new();
        tell("x", &Registers { rsp: u64::MAX - 7, ..Registers::default() }, |at, into| {
            seen.push(at);
            into.len()
        });
        assert_eq!(seen, [u64::MAX - 7]);
    }
}
