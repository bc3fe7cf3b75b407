//! What a program is started with: working directory, arguments, environment.
//!
//! [`Arguments`] is what `process.spawn` carries from one server to another and what a native
//! program finds in its message page. Strings are bytes without NUL, as in POSIX; the block is
//! checked whole before anything of it is believed.
//!
//! ```text
//!   0: "KARG"   4: argc u32   8: envc u32   12: string cwd, then argc + envc strings
//!   string: length u32, bytes                                  (all little endian)
//! ```

use alloc::vec::Vec;

/// Most bytes of a block.
pub const MAX_BLOCK: usize = 256 * 1024;
/// Most arguments and environment strings together.
pub const MAX_STRINGS: usize = 8192;

const MAGIC: &[u8; 4] = b"KARG";

/// Working directory, argument vector (the program's path first) and environment of a program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arguments {
    /// Absolute path of the working directory.
    pub cwd: Vec<u8>,
    /// Arguments; the first one is the program's path or name.
    pub argv: Vec<Vec<u8>>,
    /// Environment, as `NAME=value`.
    pub env: Vec<Vec<u8>>,
}

/// Why a block is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgumentsError {
    /// The block does not begin like one.
    NotArguments,
    /// The block ends within a number or string, or goes on after the last one.
    Length,
    /// There are more strings than [`MAX_STRINGS`].
    TooMany,
    /// The block is longer than [`MAX_BLOCK`].
    TooLong,
    /// A string holds a NUL.
    Nul,
}

impl Arguments {
    /// Returns arguments from strings.
    pub fn new(cwd: &[u8], argv: &[&[u8]], env: &[&[u8]]) -> Self {
        let owned = |strings: &[&[u8]]| strings.iter().map(|string| string.to_vec()).collect();
        Arguments { cwd: cwd.to_vec(), argv: owned(argv), env: owned(env) }
    }

    /// Returns the value of an environment variable.
    pub fn variable(&self, name: &[u8]) -> Option<&[u8]> {
        self.env.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix(b"="))
    }

    /// Returns the block that stands for the arguments.
    ///
    /// # Errors
    /// `TooMany`, `TooLong` and `Nul` where a reader would refuse the block.
    pub fn emit(&self) -> Result<Vec<u8>, ArgumentsError> {
        let mut block = Vec::new();
        block.extend_from_slice(MAGIC);
        if self.argv.len() + self.env.len() > MAX_STRINGS {
            return Err(ArgumentsError::TooMany);
        }
        put_number(&mut block, self.argv.len())?;
        put_number(&mut block, self.env.len())?;
        for string in core::iter::once(&self.cwd).chain(&self.argv).chain(&self.env) {
            put_string(&mut block, string)?;
        }
        Ok(block)
    }

    /// Returns the arguments that a block stands for.
    ///
    /// # Errors
    /// Whatever is wrong with the block first.
    pub fn parse(block: &[u8]) -> Result<Self, ArgumentsError> {
        if block.len() > MAX_BLOCK {
            return Err(ArgumentsError::TooLong);
        }
        let mut rest = block.strip_prefix(MAGIC).ok_or(ArgumentsError::NotArguments)?;
        let argc = take_number(&mut rest)?;
        let envc = take_number(&mut rest)?;
        if argc.saturating_add(envc) > MAX_STRINGS {
            return Err(ArgumentsError::TooMany);
        }
        let cwd = take_string(&mut rest)?.to_vec();
        let argv = take_strings(&mut rest, argc)?;
        let env = take_strings(&mut rest, envc)?;
        if !rest.is_empty() {
            return Err(ArgumentsError::Length);
        }
        Ok(Arguments { cwd, argv, env })
    }
}

fn put_number(block: &mut Vec<u8>, number: usize) -> Result<(), ArgumentsError> {
    let number = u32::try_from(number).map_err(|_| ArgumentsError::TooLong)?;
    block.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn put_string(block: &mut Vec<u8>, string: &[u8]) -> Result<(), ArgumentsError> {
    if string.contains(&0) {
        return Err(ArgumentsError::Nul);
    }
    put_number(block, string.len())?;
    block.extend_from_slice(string);
    if block.len() > MAX_BLOCK { Err(ArgumentsError::TooLong) } else { Ok(()) }
}

fn take_number(rest: &mut &[u8]) -> Result<usize, ArgumentsError> {
    let (number, after) = rest.split_first_chunk::<4>().ok_or(ArgumentsError::Length)?;
    *rest = after;
    Ok(u32::from_le_bytes(*number) as usize)
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ArgumentsError> {
    let len = take_number(rest)?;
    let (string, after) = rest.split_at_checked(len).ok_or(ArgumentsError::Length)?;
    *rest = after;
    if string.contains(&0) { Err(ArgumentsError::Nul) } else { Ok(string) }
}

fn take_strings(rest: &mut &[u8], count: usize) -> Result<Vec<Vec<u8>>, ArgumentsError> {
    (0..count).map(|_| Ok(take_string(rest)?.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::{collection::vec as vectors, prelude::*};

    fn strings(most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
        vectors(vectors(1u8..=255, 0..20), 0..most)
    }

    proptest! {
        #[test]
        fn parse_undoes_emit(
            cwd in vectors(1u8..=255, 0..20), argv in strings(8), env in strings(8),
        ) {
            let arguments = Arguments { cwd, argv, env };
            let block = arguments.emit().unwrap();
            prop_assert_eq!(Arguments::parse(&block), Ok(arguments));
        }

        #[test]
        fn a_mutated_block_is_never_a_panic(
            argv in strings(4), at in any::<prop::sample::Index>(), value: u8,
        ) {
            let mut block = Arguments { argv, ..Default::default() }.emit().unwrap();
            let at = at.index(block.len());
            block[at] = value;
            let _ = Arguments::parse(&block);
        }

        #[test]
        fn every_prefix_is_refused(argv in strings(4), end in any::<prop::sample::Index>()) {
            let block = Arguments { argv, ..Default::default() }.emit().unwrap();
            prop_assert!(Arguments::parse(&block[..end.index(block.len())]).is_err());
        }
    }

    #[test]
    fn variable_finds_whole_names_only() {
        let arguments = Arguments::new(b"/", &[], &[b"PATHS=x", b"PATH=/bin", b"EMPTY="]);
        assert_eq!(arguments.variable(b"PATH"), Some(&b"/bin"[..]));
        assert_eq!(arguments.variable(b"EMPTY"), Some(&b""[..]));
        assert_eq!(arguments.variable(b"HOME"), None);
    }

    #[test]
    fn bounds_are_kept_by_both_sides() {
        let many = Arguments { argv: vec![vec![]; MAX_STRINGS + 1], ..Default::default() };
        assert_eq!(many.emit(), Err(ArgumentsError::TooMany));
        let long = Arguments { argv: vec![vec![b'x'; MAX_BLOCK]], ..Default::default() };
        assert_eq!(long.emit(), Err(ArgumentsError::TooLong));
        assert_eq!(Arguments::parse(&vec![0; MAX_BLOCK + 1]), Err(ArgumentsError::TooLong));
        let mut block = MAGIC.to_vec();
        block.extend_from_slice(&(MAX_STRINGS as u32 + 1).to_le_bytes());
        block.extend_from_slice(&0u32.to_le_bytes());
        assert_eq!(Arguments::parse(&block), Err(ArgumentsError::TooMany));
    }

    #[test]
    fn nul_trailing_bytes_and_wrong_magic_are_refused() {
        assert_eq!(Arguments::new(b"/\0", &[], &[]).emit(), Err(ArgumentsError::Nul));
        let mut block = Arguments::new(b"/", &[b"a"], &[]).emit().unwrap();
        block.push(0);
        assert_eq!(Arguments::parse(&block), Err(ArgumentsError::Length));
        assert_eq!(Arguments::parse(b"nothing"), Err(ArgumentsError::NotArguments));
    }
}
