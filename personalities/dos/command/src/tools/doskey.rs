//! DOSKEY: macros for the prompt, and the lines that were entered there.
//!
//! ```text
//!   DOSKEY [/REINSTALL] [/BUFSIZE=n] [/MACROS] [/HISTORY] [/INSERT|/OVERSTRIKE] [name=[text]]
//! ```
//!
//! In a macro's text $1 to $9 are the line's words, $* all of them; $T parts commands, $G, $L and
//! $B are `>`, `<` and `|`, $$ is `$`. A blank before a command keeps it from being one. Source:
//! MS-DOS 5.0 User's Guide and Reference, "doskey".

use alloc::vec::Vec;

use crate::options::{Arguments, invalid_switch};
use crate::shell::{Shell, Task};
use crate::system::System;
use crate::text;

const FAILED: u8 = 1;
/// Most macros.
const MACROS_MAX: usize = 256;

/// Macros by their names, in capitals.
pub(crate) type Macros = Vec<(Vec<u8>, Vec<u8>)>;

impl Shell {
    pub(super) fn doskey<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let tail = text::trim(tail);
        if !tail.starts_with(b"/") {
            return self.define(system, tail);
        }
        let given = Arguments::parse(tail);
        for switch in &given.switches {
            match &switch[..] {
                b"REINSTALL" => {
                    self.history.clear();
                    self.macros.clear();
                }
                b"BUFSIZE" => {}
                b"INSERT" => self.overwrites = false,
                b"OVERSTRIKE" => self.overwrites = true,
                b"MACROS" | b"M" => {
                    let line = |(name, text): &(Vec<u8>, Vec<u8>)| {
                        [&name[..], b"=", text, b"\r\n"].concat()
                    };
                    let text: Vec<u8> = self.macros.iter().flat_map(line).collect();
                    self.say(system, &text);
                }
                b"HISTORY" | b"H" => {
                    let line = |line: &Vec<u8>| [&line[..], b"\r\n"].concat();
                    let text: Vec<u8> = self.history.iter().flat_map(line).collect();
                    self.say(system, &text);
                }
                switch => return self.fail_tool(system, FAILED, &invalid_switch(switch)),
            }
        }
    }

    /// Defines a macro, or takes it away where it has no text.
    fn define<S: System>(&mut self, system: &mut S, definition: &[u8]) {
        if definition.is_empty() {
            return;
        }
        let at = definition.iter().position(|byte| *byte == b'=');
        let Some(at) = at.filter(|at| !text::trim(&definition[..*at]).is_empty()) else {
            return self.fail_tool(system, FAILED, b"Invalid macro definition");
        };
        let name = text::trim(&definition[..at]).to_ascii_uppercase();
        self.macros.retain(|(known, _)| *known != name);
        let text = text::trim(&definition[at + 1..]);
        if text.is_empty() {
            return;
        }
        if self.macros.len() >= MACROS_MAX {
            return self.fail_tool(system, FAILED, b"Insufficient memory to store macro");
        }
        self.macros.push((name, text.to_vec()));
    }

    /// Puts what a line of the prompt means on the stack: a macro's commands, or the line.
    pub(crate) fn push_typed(&mut self, line: &[u8]) {
        let len = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (name, rest) = line.split_at(len);
        let meant = self.macros.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let commands = match meant {
            Some((_, text)) => expand(text, text::trim(rest)),
            None => alloc::vec![line.to_vec()],
        };
        self.tasks.extend(commands.into_iter().rev().map(Task::Command));
    }
}

/// Returns the commands that a macro makes of the rest of its line.
fn expand(text: &[u8], rest: &[u8]) -> Vec<Vec<u8>> {
    let words: Vec<&[u8]> =
        rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let (mut commands, mut command) = (Vec::new(), Vec::new());
    let mut left = text;
    while let [byte, after @ ..] = left {
        left = after;
        let (b'$', [letter, after @ ..]) = (byte, after) else {
            command.push(*byte);
            continue;
        };
        left = after;
        match letter.to_ascii_uppercase() {
            b'G' => command.push(b'>'),
            b'L' => command.push(b'<'),
            b'B' => command.push(b'|'),
            b'T' => commands.push(core::mem::take(&mut command)),
            b'*' => command.extend(rest),
            digit @ b'1'..=b'9' => {
                let word = words.get(usize::from(digit - b'1'));
                command.extend(word.copied().unwrap_or_default());
            }
            b'$' => command.push(b'$'),
            _ => command.extend([b'$', *letter]),
        }
    }
    commands.push(command);
    commands
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn codes_of_macros_are_replaced() {
        let of = |text: &[u8]| expand(text, b"one  two");
        assert_eq!(of(b"dir $2 $1$3."), [b"dir two one."]);
        assert_eq!(of(b"cd $1$tdir $* $g$G x"), [&b"cd one"[..], b"dir one  two >> x"]);
        assert_eq!(of(b"a $L b $b c $$1 $x $"), [b"a < b | c $1 $x $"]);
    }
}
