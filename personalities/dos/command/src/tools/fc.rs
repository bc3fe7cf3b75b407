//! FC: compares files, byte by byte or by lines.
//!
//! ```text
//!   FC [/A] [/C] [/L] [/LBn] [/N] [/T] [/W] [/nnnn] file1 file2        FC /B file1 file2
//! ```
//!
//! Lines are looked for in windows of both files: where they differ, the nearest place is taken from
//! which on so many lines are alike again. What is shown begins and ends with a line that is alike
//! (MS-DOS 4.0, FC.C, LineCompare).

mod lines;

use alloc::format;
use alloc::vec::Vec;

use crate::filter::CHUNK;
use crate::options::Arguments;
use crate::shell::Shell;
use crate::system::{Outcome, Refused, System, attribute, code};
use crate::text::parse_number;
use crate::walk;
use crate::wildcard;
use lines::Rules;

/// Exit codes (MS-DOS 4.0, FC.C, main and usage).
const DIFFERENT: u8 = 1;
const USAGE: &[u8] = b"FC: Invalid number of parameters";
/// Files that are compared byte by byte.
const BINARY: [&[u8]; 6] = [b"EXE", b"COM", b"SYS", b"OBJ", b"LIB", b"BIN"];

/// How files are compared.
enum Mode {
    Lines(Rules),
    Bytes,
}

impl Shell {
    pub(super) fn fc<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        let [first, second] = &given.words[..] else {
            return self.fail_tool(system, DIFFERENT, USAGE);
        };
        let mode = match mode(&given, first) {
            Ok(mode) => mode,
            Err(text) => return self.fail_tool(system, DIFFERENT, text),
        };
        for (first, second) in pairs(system, first, second) {
            let done = self.compare_files(system, &mode, &first, &second);
            if done == Err(Refused::Break) {
                return self.note_break();
            }
        }
    }

    fn compare_files<S: System>(
        &mut self,
        system: &mut S,
        mode: &Mode,
        first: &[u8],
        second: &[u8],
    ) -> Outcome<()> {
        let head = [b"Comparing files ", first, b" and ", second, b"\r\n"].concat();
        self.say(system, &head);
        let mut handles = [0; 2];
        for (place, path) in [first, second].into_iter().enumerate() {
            match system.open(path, 0) {
                Ok(handle) => handles[place] = handle,
                Err(refused) => {
                    handles[..place].iter().for_each(|handle| system.close(*handle));
                    self.fail_tool(system, DIFFERENT, &unopened(path, refused));
                    return Ok(());
                }
            }
        }
        let done = match mode {
            Mode::Lines(rules) => self.compare_lines(system, rules, handles, [first, second]),
            Mode::Bytes => self.compare_bytes(system, handles, [first, second]),
        };
        handles.into_iter().for_each(|handle| system.close(handle));
        if done? {
            self.say(system, b"FC: no differences encountered\r\n");
        } else {
            self.errorlevel = DIFFERENT;
        }
        self.say(system, b"\r\n");
        Ok(())
    }

    /// Shows the bytes that differ; returns whether none does.
    fn compare_bytes<S: System>(
        &mut self,
        system: &mut S,
        handles: [u16; 2],
        names: [&[u8]; 2],
    ) -> Outcome<bool> {
        let (mut at, mut is_same) = (0u32, true);
        loop {
            let first = chunk(system, handles[0])?;
            let second = chunk(system, handles[1])?;
            let mut text = Vec::new();
            for (place, (a, b)) in (at..).zip(first.iter().zip(&second)) {
                if a != b {
                    text.extend(format!("{place:08X}: {a:02X} {b:02X}\r\n").into_bytes());
                }
            }
            is_same &= text.is_empty();
            self.say(system, &text);
            if first.len() != second.len() {
                let is_first = first.len() > second.len();
                let [long, short] = if is_first { names } else { [names[1], names[0]] };
                self.say(system, &[b"FC: ", long, b" longer than ", short, b"\r\n"].concat());
                return Ok(false);
            }
            if first.is_empty() {
                return Ok(is_same);
            }
            if self.is_stopped(system) {
                return Err(Refused::Break);
            }
            at = at.wrapping_add(first.len() as u32);
        }
    }
}

/// Returns as many bytes as there are, up to a chunk.
fn chunk(system: &mut impl System, handle: u16) -> Outcome<Vec<u8>> {
    let mut bytes = alloc::vec![0; CHUNK];
    let mut len = 0;
    while len < CHUNK {
        match system.read(handle, &mut bytes[len..])? {
            0 => break,
            count => len += count,
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

fn unopened(path: &[u8], refused: Refused) -> Vec<u8> {
    let why: &[u8] = match refused {
        Refused::Error(code::FILE_NOT_FOUND | code::PATH_NOT_FOUND) => b"No such file or directory",
        _ => b"Permission denied",
    };
    [b"FC: cannot open ", path, b" - ", why].concat()
}

fn mode(given: &Arguments, first: &[u8]) -> Result<Mode, &'static [u8]> {
    let (mut rules, mut is_binary, mut has_lines) = (Rules::default(), false, false);
    for switch in &given.switches {
        match &switch[..] {
            b"B" => {
                is_binary = true;
                continue;
            }
            b"A" => rules.is_short = true,
            b"C" => rules.folds = true,
            b"L" => {}
            b"N" => rules.numbers = true,
            b"T" => rules.keeps_tabs = true,
            b"W" => rules.ignores_blanks = true,
            [b'L', b'B', digits @ ..] => rules.window = number(digits)?,
            digits => rules.alike = number(digits)?,
        }
        has_lines = true;
    }
    let ending = wildcard::extension(wildcard::split(first).1).1.to_ascii_uppercase();
    match is_binary {
        true if has_lines => Err(b"FC: Incompatible switches"),
        false if has_lines || !BINARY.contains(&&ending[..]) => Ok(Mode::Lines(rules)),
        _ => Ok(Mode::Bytes),
    }
}

fn number(digits: &[u8]) -> Result<usize, &'static [u8]> {
    const MOST: u32 = 9999;
    let number = parse_number(digits).filter(|number| (1..=MOST).contains(number));
    number.map(|number| number as usize).ok_or(b"FC: Invalid switch")
}

/// Returns the pairs of files that two paths mean, in capitals: a pattern's files and what the
/// second pattern makes of their names.
fn pairs(system: &mut impl System, first: &[u8], second: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (first, second) = (first.to_ascii_uppercase(), second.to_ascii_uppercase());
    let (directory, name) = wildcard::split(&first);
    let (other, pattern) = walk::place(system, &second);
    let paired = |name: &[u8]| wildcard::join(&other, &wildcard::apply(&pattern, name));
    if !wildcard::is_pattern(&first) {
        let second = paired(name);
        return alloc::vec![(first, second)];
    }
    let found = walk::files(system, directory, name, attribute::READ_ONLY).unwrap_or_default();
    if found.is_empty() {
        let second = paired(name);
        return alloc::vec![(first, second)];
    }
    let path = |name: &[u8]| [directory, name].concat();
    found.iter().map(|entry| (path(&entry.name), paired(&entry.name))).collect()
}
