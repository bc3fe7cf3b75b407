//! What a new program finds on its stack: arguments, environment, auxiliary vector.
//!
//! ```text
//!   rsp: argc | argv … 0 | envp … 0 | auxiliary vector … AT_NULL | padding | strings | top
//! ```
//! Layout: x86-64 psABI 1.0, 3.4.1; the vector's entries: linux/auxvec.h.

use alloc::vec::Vec;

use crate::Errno;
use crate::credentials::Credentials;
use crate::exec::image::Facts;
use crate::exec::vdso::OBJECT_AT;
use crate::exec::{ARGUMENTS_MAX, Request, ids};
use crate::memory::PAGE;
use crate::proc::TICKS;

/// CPUID leaf 1, EDX, of every x86-64 processor: FPU TSC MSR PAE CX8 APIC SEP PGE CMOV PAT CLFSH
/// MMX FXSR SSE SSE2.
const HWCAP: u64 = 0x0789_8b71;
/// Bytes of the smallest stack for signal handlers: the frame with room to spare
/// (`AT_MINSIGSTKSZ`).
const SIGNAL_STACK: u64 = 2048;

/// What goes on a new stack.
#[derive(Debug)]
pub struct Content<'a> {
    /// Arguments and environment.
    pub request: &'a Request,
    /// Facts about the program.
    pub image: &'a Facts,
    /// Whom it acts for.
    pub credentials: &'a Credentials,
    /// Seed of the program's stack protector.
    pub random: [u8; 16],
}

/// The first content of a stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stack {
    /// The stack pointer: where the bytes begin.
    pub pointer: u64,
    /// What lies from there to the top.
    pub bytes: Vec<u8>,
    /// Where the environment's strings lie: first byte and the one after the last.
    pub environment: (u64, u64),
    /// Where the auxiliary vector lies.
    pub auxiliary: (u64, u64),
}

/// Collects strings from the top downwards.
struct Strings {
    top: u64,
    /// In reverse order of bytes.
    reversed: Vec<u8>,
}

impl Strings {
    /// Adds bytes and returns their address.
    fn add(&mut self, bytes: &[u8]) -> u64 {
        self.reversed.extend(bytes.iter().rev());
        self.top - self.reversed.len() as u64
    }

    /// Adds a string with its NUL and returns its address.
    fn add_string(&mut self, string: &[u8]) -> u64 {
        self.add(&[0]);
        self.add(string)
    }
}

impl Content<'_> {
    /// Returns the stack that ends at `top`, a multiple of 16.
    ///
    /// # Errors
    /// E2BIG.
    pub fn emit(&self, top: u64) -> Result<Stack, Errno> {
        let Request { path, arguments, environment, .. } = self.request;
        let total: usize = arguments.iter().chain(environment).map(|one| one.len() + 9).sum();
        if total > ARGUMENTS_MAX {
            return Err(Errno::E2BIG);
        }
        let mut strings = Strings { top, reversed: Vec::new() };
        strings.add(&[0; 8]);
        let path = strings.add_string(path);
        let mut place = |list: &[Vec<u8>]| {
            let mut addresses: Vec<u64> =
                list.iter().rev().map(|one| strings.add_string(one)).collect();
            addresses.reverse();
            addresses
        };
        let environment = place(environment);
        let environment_range = (environment.first().copied().unwrap_or(path), path);
        let arguments = place(arguments);
        let platform = strings.add_string(b"x86_64");
        let random = strings.add(&self.random);
        let mut words = alloc::vec![arguments.len() as u64];
        words.extend(arguments.iter().chain(&[0]).chain(&environment).chain(&[0]));
        let auxiliary = self.auxiliary(path, platform, random);
        let (before, entries) = (8 * words.len() as u64, 8 * auxiliary.len() as u64);
        words.extend(auxiliary);
        let strings = strings.reversed;
        let end = top - strings.len() as u64;
        let pointer = (end - 8 * words.len() as u64) & !15;
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize((end - pointer) as usize, 0);
        bytes.extend(strings.iter().rev());
        let auxiliary = (pointer + before, pointer + before + entries);
        Ok(Stack { pointer, bytes, environment: environment_range, auxiliary })
    }

    fn auxiliary(&self, path: u64, platform: u64, random: u64) -> Vec<u64> {
        let image = self.image;
        let [uid, euid, gid, egid] = ids(self.credentials);
        let pairs = [
            (3, image.headers_at),
            (4, image.header_bytes),
            (5, image.headers),
            (6, PAGE),
            (7, 0),
            (8, 0),
            (9, image.entry),
            (11, uid),
            (12, euid),
            (13, gid),
            (14, egid),
            (15, platform),
            (16, HWCAP),
            (17, TICKS),
            (23, u64::from(uid != euid || gid != egid)),
            (25, random),
            (26, 0),
            (31, path),
            (33, OBJECT_AT),
            (51, SIGNAL_STACK),
            (0, 0),
        ];
        pairs.into_iter().flat_map(|(kind, value)| [kind, value]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: u64 = 0x7000_0000;

    fn emit(arguments: &[&[u8]], environment: &[&[u8]]) -> Result<Stack, Errno> {
        let owned = |list: &[&[u8]]| list.iter().map(|one| one.to_vec()).collect();
        let mut request = Request::new(b"/bin/x".to_vec(), None);
        (request.arguments, request.environment) = (owned(arguments), owned(environment));
        let image = Facts { entry: 0x401000, headers_at: 0x400040, headers: 3, header_bytes: 56 };
        let credentials = Credentials::default();
        let random = [7; 16];
        Content { request: &request, image: &image, credentials: &credentials, random }.emit(TOP)
    }

    fn word(stack: &Stack, index: usize) -> u64 {
        u64::from_le_bytes(stack.bytes[8 * index..8 * index + 8].try_into().unwrap())
    }

    fn string(stack: &Stack, address: u64) -> &[u8] {
        let bytes = &stack.bytes[(address - stack.pointer) as usize..];
        &bytes[..bytes.iter().position(|&byte| byte == 0).unwrap()]
    }

    #[test]
    fn arguments_environment_and_vector_are_where_the_psabi_says() {
        let stack = emit(&[b"x", b"one"], &[b"A=1"]).unwrap();
        assert_eq!(stack.pointer % 16, 0);
        assert_eq!(stack.pointer + stack.bytes.len() as u64, TOP);
        assert_eq!(word(&stack, 0), 2);
        assert_eq!(string(&stack, word(&stack, 1)), b"x");
        assert_eq!(string(&stack, word(&stack, 2)), b"one");
        assert_eq!(word(&stack, 3), 0);
        assert_eq!(string(&stack, word(&stack, 4)), b"A=1");
        assert_eq!(word(&stack, 5), 0);
        assert_eq!((word(&stack, 6), word(&stack, 7)), (3, 0x400040));
        let entries = (6..).step_by(2).take_while(|&at| word(&stack, at) != 0);
        let path = entries.map(|at| (word(&stack, at), word(&stack, at + 1)));
        let path = path.into_iter().find(|&(kind, _)| kind == 31).unwrap();
        assert_eq!(string(&stack, path.1), b"/bin/x");
    }

    #[test]
    fn too_many_arguments_are_refused() {
        let long = alloc::vec![b'a'; ARGUMENTS_MAX];
        assert_eq!(emit(&[&long], &[]), Err(Errno::E2BIG));
        assert!(emit(&[], &[]).is_ok());
    }
}
