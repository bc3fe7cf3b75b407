//! Programs that extend COMMAND.COM: INT 2Fh asks them before each command.
//!
//! AX=AE00 asks whether somebody knows the command, AX=AE01 has it carried out; what then is left of
//! the name is a command of this interpreter, with the parameters of the line. Source: RBIL INT
//! 2F/AX=AE00, AE01; MS-DOS 4.0's source, TMISC1.ASM, fndcom.

use alloc::vec::Vec;

use crate::batch::Caller;
use crate::parse::command_name;
use crate::shell::{Request, Shell, Waiting};
use crate::system::System;

const IS_KNOWN: u16 = 0xae00;
const EXECUTE: u16 = 0xae01;
/// Longest command line and name that fit into the buffers (RBIL tables 02977, 02978).
const LINE_MAX: usize = 126;
const NAME_MAX: usize = 11;

/// What was asked about a command.
pub(crate) enum Asked {
    Known(Vec<u8>, Caller),
    Executed(Vec<u8>, Caller),
}

impl Shell {
    /// Asks about a command, unless nobody can know it; returns whether an answer will come.
    pub(crate) fn ask_extensions<S: System>(
        &mut self,
        system: &mut S,
        command: &[u8],
        caller: Caller,
    ) -> bool {
        let len = name_of(command).len();
        let fits = (1..=NAME_MAX).contains(&len) && command.len() <= LINE_MAX;
        let asks = fits && system.may_be_extended();
        if asks {
            self.ask_extension(IS_KNOWN, Asked::Known(command.to_vec(), caller));
        }
        asks
    }

    /// An answer has come: in AL, and to a command carried out in the buffers.
    pub(crate) fn take_extension<S: System>(&mut self, system: &mut S, asked: Asked, al: u8) {
        match asked {
            Asked::Known(command, caller) if al == 0 => self.dispatch_own(system, &command, caller),
            Asked::Known(command, caller) => {
                self.ask_extension(EXECUTE, Asked::Executed(command, caller));
            }
            Asked::Executed(command, caller) => {
                let (name, line) = system.extended();
                if !name.is_empty() {
                    // The parameters are behind as many characters as the old name had.
                    let tail = line.get(name_of(&command).len()..).unwrap_or_default();
                    self.dispatch_own(system, &[&name, tail].concat(), caller);
                }
            }
        }
    }

    fn ask_extension(&mut self, function: u16, asked: Asked) {
        let (Asked::Known(line, _) | Asked::Executed(line, _)) = &asked;
        let name = name_of(line).to_ascii_uppercase();
        self.request = Some(Request::Extension { function, line: line.clone(), name });
        self.waiting = Waiting::Extension(asked);
    }
}

/// Returns a command's name: nothing where that has a drive or a directory.
fn name_of(command: &[u8]) -> &[u8] {
    let (name, _) = command_name(command);
    let len = name.iter().position(|byte| b".\\:".contains(byte)).unwrap_or(name.len());
    if name.get(len) == Some(&b':') { b"" } else { &name[..len] }
}
