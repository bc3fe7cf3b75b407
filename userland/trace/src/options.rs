//! The command line: what to run, and how to tell of it.

use alloc::string::String;
use alloc::vec::Vec;

/// Calls that a tree shows where nothing else is said.
const CALLS: usize = 1000;
/// How to use it.
const USAGE: &str = "usage: trace [--tree|--table|--linux|--json] [--calls N] [unix|dos|native] PROGRAM [ARGS]\n   or: trace --waits";

/// How a trace is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Each call with those below it.
    Tree,
    /// How often who called whom.
    Table,
    /// The system calls of Linux programs alone.
    Linux,
    /// JSON for trace viewers.
    Chrome,
}

/// Whose system calls a program makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Personality {
    /// This system's own.
    Native,
    /// Linux'.
    Unix,
    /// DOS'.
    Dos,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// To trace a program.
    Trace(Options),
    /// Who waits for whom at this moment.
    Waits,
}

impl Asked {
    /// Returns what the arguments ask for, the first of which is this program's own name.
    ///
    /// # Errors
    /// What to type instead.
    pub fn parse(argv: &[Vec<u8>]) -> Result<Asked, String> {
        match argv {
            [_, only] if only == b"--waits" => Ok(Asked::Waits),
            _ => Options::parse(argv).map(Asked::Trace),
        }
    }
}

/// What the command line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// How the trace is told.
    pub format: Format,
    /// Most calls of a tree.
    pub calls: usize,
    /// What is printed between the program's output and the trace.
    pub mark: Vec<u8>,
    /// Who runs the program; found out from its file if not given.
    pub personality: Option<Personality>,
    /// The program and its arguments, at least one.
    pub program: Vec<Vec<u8>>,
}

impl Options {
    fn parse(argv: &[Vec<u8>]) -> Result<Options, String> {
        let mut options = Options {
            format: Format::Tree,
            calls: CALLS,
            mark: Vec::new(),
            personality: None,
            program: Vec::new(),
        };
        let mut rest = argv.get(1..).unwrap_or(&[]);
        while let [word, after @ ..] = rest
            && word.starts_with(b"-")
        {
            rest = after;
            match word.as_slice() {
                b"--tree" => options.format = Format::Tree,
                b"--table" => options.format = Format::Table,
                b"--linux" => options.format = Format::Linux,
                b"--json" => options.format = Format::Chrome,
                b"--calls" => {
                    let (number, after) = rest.split_first().ok_or(USAGE)?;
                    options.calls = parse(number).ok_or("trace: --calls needs a number")?;
                    rest = after;
                }
                b"--mark" => {
                    let (mark, after) = rest.split_first().ok_or(USAGE)?;
                    options.mark = [mark, &b"\n"[..]].concat();
                    rest = after;
                }
                _ => return Err(USAGE.into()),
            }
        }
        options.personality = match rest.first().map(Vec::as_slice) {
            Some(b"native") => Some(Personality::Native),
            Some(b"unix") => Some(Personality::Unix),
            Some(b"dos") => Some(Personality::Dos),
            _ => None,
        };
        let skipped = usize::from(options.personality.is_some());
        options.program = rest.get(skipped..).unwrap_or(&[]).to_vec();
        if options.program.is_empty() { Err(USAGE.into()) } else { Ok(options) }
    }
}

fn parse(number: &[u8]) -> Option<usize> {
    core::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options, String> {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        Options::parse(&words)
    }

    #[test]
    fn options_end_at_the_program_whose_own_they_are_from_there_on() {
        let found = options(&["trace", "--json", "--calls", "7", "unix", "ls", "--tree"]).unwrap();
        assert_eq!((found.format, found.calls), (Format::Chrome, 7));
        assert_eq!(found.personality, Some(Personality::Unix));
        assert_eq!(found.program, [b"ls".to_vec(), b"--tree".to_vec()]);
        let found = options(&["trace", "--mark", "x", "hello"]).unwrap();
        assert_eq!((found.format, found.mark), (Format::Tree, b"x\n".to_vec()));
        assert_eq!(found.personality, None);
    }

    #[test]
    fn waits_are_asked_for_alone() {
        let parse = |words: &[&str]| {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            Asked::parse(&words)
        };
        assert_eq!(parse(&["trace", "--waits"]), Ok(Asked::Waits));
        assert!(parse(&["trace", "--waits", "hello"]).is_err());
        assert!(matches!(parse(&["trace", "hello"]), Ok(Asked::Trace(_))));
    }

    #[test]
    fn mistakes_are_explained() {
        for words in
            [&["trace"][..], &["trace", "--tree"], &["trace", "--calls"], &["trace", "unix"]]
        {
            assert!(options(words).unwrap_err().starts_with("usage: trace"), "{words:?}");
        }
        assert!(options(&["trace", "--calls", "x", "hello"]).unwrap_err().contains("number"));
        assert!(options(&["trace", "--nonsense", "hello"]).is_err());
    }
}
