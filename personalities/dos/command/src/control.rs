//! IF, FOR and CALL: commands whose tail is a command.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::batch::Caller;
use crate::expand::substitute;
use crate::internal::{self, Internal};
use crate::shell::{Shell, Task};
use crate::system::{System, attribute};
use crate::text::{self, first_word, skip_delimiters};
use crate::usage;
use crate::wildcard;

/// A FOR that runs.
pub(crate) struct Loop {
    variable: u8,
    values: VecDeque<Vec<u8>>,
    command: Vec<u8>,
}

impl Shell {
    /// Acts on IF and FOR, whose redirections are their command's; returns whether it was one.
    pub(crate) fn controls<S: System>(&mut self, system: &mut S, line: &[u8]) -> bool {
        let done = match internal::find(line) {
            Some((_, rest)) if usage::is_asked(rest) => return false,
            Some((Internal::If, rest)) => self.decide(system, rest),
            Some((Internal::For, rest)) => self.begin_loop(system, rest),
            _ => return false,
        };
        if let Err(message) = done {
            self.complain(system, message);
        }
        true
    }

    /// CALL: a batch file that comes back.
    pub(crate) fn call<S: System>(&mut self, system: &mut S, command: &[u8]) {
        self.dispatch(system, skip_delimiters(command), Caller::Returns);
    }

    /// The next round of a FOR.
    pub(crate) fn next_round<S: System>(&mut self, system: &mut S, mut rounds: Loop) {
        let Some(value) = rounds.values.pop_front() else { return };
        let command = substitute(&rounds.command, rounds.variable, &value);
        self.push(system, Task::For(rounds));
        // A single line (/C) is quiet.
        let is_shown = self.echo && (!self.single || self.batch().is_some());
        if is_shown && !command.starts_with(b"@") {
            let prompt = crate::prompt::prompt(system);
            self.say(system, &[b"\r\n", &prompt[..], &command, b"\r\n"].concat());
        }
        self.push(system, Task::Command(command));
    }

    fn decide<S: System>(&mut self, system: &mut S, rest: &[u8]) -> Result<(), &'static [u8]> {
        let (mut word, mut rest) = first_word(rest);
        let mut negated = false;
        while word.eq_ignore_ascii_case(b"NOT") {
            negated = !negated;
            (word, rest) = first_word(rest);
        }
        let (holds, command) = if word.eq_ignore_ascii_case(b"ERRORLEVEL") {
            let (number, command) = first_word(rest);
            (self.errorlevel >= level(number), command)
        } else if word.eq_ignore_ascii_case(b"EXIST") {
            let (path, command) = first_word(rest);
            (exists(system, path), command)
        } else {
            compare(word, rest).ok_or(&b"Syntax error"[..])?
        };
        let command = skip_delimiters(command);
        if command.is_empty() {
            return Err(b"Syntax error");
        }
        if holds != negated {
            self.push(system, Task::Command(command.to_vec()));
        }
        Ok(())
    }

    fn begin_loop<S: System>(&mut self, system: &mut S, rest: &[u8]) -> Result<(), &'static [u8]> {
        let (variable, rest) = first_word(rest);
        // `IN` and the bracket may stand together.
        let rest = skip_delimiters(rest);
        let (word, rest) = rest.split_at(rest.len().min(2));
        let rest = skip_delimiters(rest);
        let ([b'%', variable], true, [b'(', rest @ ..]) =
            (variable, word.eq_ignore_ascii_case(b"IN"), rest)
        else {
            return Err(b"Syntax error");
        };
        let close = rest.iter().position(|byte| *byte == b')').ok_or(&b"Syntax error"[..])?;
        let (word, command) = first_word(&rest[close + 1..]);
        let command = skip_delimiters(command);
        if !word.eq_ignore_ascii_case(b"DO") || command.is_empty() {
            return Err(b"Syntax error");
        }
        if matches!(internal::find(command), Some((Internal::For, _))) {
            return Err(b"FOR cannot be nested");
        }
        let values = text::words(&rest[..close]).into_iter();
        let values = values.flat_map(|word| names(system, word)).collect();
        self.push(
            system,
            Task::For(Loop { variable: *variable, values, command: command.to_vec() }),
        );
        Ok(())
    }
}

/// Returns whether two words are equal, and the command behind them: `a==b command`.
fn compare<'t>(word: &'t [u8], rest: &'t [u8]) -> Option<(bool, &'t [u8])> {
    let from = rest.iter().position(|byte| *byte == b'=')?;
    if !rest[from..].starts_with(b"==") {
        return None;
    }
    let (second, command) = first_word(&rest[from..]);
    Some((word == second, command))
}

/// Returns the exit code that a number is, in 8 bits as MS-DOS 4.0 reads it (TBATCH2.ASM, IFERLEV).
fn level(digits: &[u8]) -> u8 {
    digits
        .iter()
        .fold(0u8, |level, digit| level.wrapping_mul(10).wrapping_add(digit.wrapping_sub(b'0')))
}

/// Returns the files that a pattern matches, with its directory; a word itself.
fn names(system: &mut impl System, word: Vec<u8>) -> Vec<Vec<u8>> {
    if !wildcard::is_pattern(&word) {
        return alloc::vec![word];
    }
    let found = system.find(&word, attribute::READ_ONLY).unwrap_or_default();
    let (directory, _) = wildcard::split(&word);
    found.into_iter().map(|entry| [directory, &entry.name].concat()).collect()
}

/// Returns whether a file exists, or a device's name in a directory that does.
fn exists(system: &mut impl System, path: &[u8]) -> bool {
    if wildcard::is_device(path) {
        let (directory, _) = wildcard::split(path);
        let directory = match directory {
            [rest @ .., b'\\' | b'/'] if !matches!(rest, [] | [.., b':']) => rest,
            whole => whole,
        };
        let is_root = directory.is_empty() || matches!(directory.last(), Some(b'\\' | b'/' | b':'));
        return is_root
            || system.attributes(directory).is_ok_and(|bits| bits & attribute::DIRECTORY != 0);
    }
    let hidden = attribute::HIDDEN | attribute::SYSTEM;
    system.find(path, hidden).is_ok_and(|found| !found.is_empty())
}
