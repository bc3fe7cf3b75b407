//! LABEL and SUBST: a drive's name, and a drive that stands for a directory.
//!
//! ```text
//!   LABEL [drive:][label]        SUBST [drive: path]        SUBST drive: /D
//! ```

use alloc::vec::Vec;

use crate::files::is_directory;
use crate::input::Question;
use crate::options::{Arguments, invalid_switch};
use crate::settings;
use crate::shell::Shell;
use crate::system::System;
use crate::text::trim;
use crate::walk;

const FAILED: u8 = 1;
/// Longest label.
const LABEL_MAX: usize = 11;
const DRIVES: u8 = 26;

impl Shell {
    pub(super) fn label<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let tail = trim(tail);
        let (drive, label) = match tail {
            [letter, b':', label @ ..] => {
                (letter.to_ascii_uppercase().wrapping_sub(b'A'), trim(label))
            }
            label => (system.drive(), label),
        };
        if system.directory(drive).is_err() {
            return self.fail_tool(system, FAILED, b"Invalid drive specification");
        }
        if !label.is_empty() {
            return self.set_label(system, drive, label);
        }
        let mut text = settings::volume_text(system, drive);
        text.extend(b"Volume label (11 characters, ENTER for none)? ");
        self.ask(system, &text, Question::Label(drive));
    }

    /// Takes a label that was typed: none leaves a drive without one, if there was one.
    pub(crate) fn label_answered<S: System>(&mut self, system: &mut S, drive: u8, line: &[u8]) {
        match trim(line) {
            b"" if settings::label(system, drive).is_none() => {}
            b"" => {
                let text = b"\r\nDelete current volume label (Y/N)? ";
                self.ask(system, text, Question::NoLabel(drive));
            }
            label => self.set_label(system, drive, label),
        }
    }

    pub(crate) fn set_label<S: System>(&mut self, system: &mut S, drive: u8, label: &[u8]) {
        let label = label[..label.len().min(LABEL_MAX)].to_ascii_uppercase();
        let is_wrong = label.iter().any(|byte| b"*?/\\|.,;:+=<>[]()&^\"".contains(byte));
        if is_wrong || system.set_label(drive, &label).is_err() {
            self.fail_tool(system, FAILED, b"Invalid characters in volume label");
        }
    }

    pub(super) fn subst<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = Arguments::parse(tail);
        let number = |word: &[u8]| match word {
            [letter, b':'] if letter.is_ascii_alphabetic() => {
                Some(letter.to_ascii_uppercase() - b'A')
            }
            _ => None,
        };
        if let Some(switch) = given.unknown(&[b"D"]) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        match (&given.words[..], given.has(b"D")) {
            ([], false) => self.show_substitutes(system),
            ([drive], true) => match number(drive).map(|drive| system.substitute(drive, None)) {
                Some(Ok(())) => {}
                _ => self.fail_tool(system, FAILED, b"Invalid parameter"),
            },
            ([drive, path], false) => {
                let Some(drive) = number(drive) else {
                    return self.fail_tool(system, FAILED, b"Invalid parameter");
                };
                let full = walk::full_path(system, path);
                match full.filter(|full| is_directory(system, full)) {
                    None => {
                        let text = [b"Path not found - ", &path.to_ascii_uppercase()[..]].concat();
                        self.fail_tool(system, FAILED, &text);
                    }
                    Some(full) if system.substitute(drive, Some(&full)).is_err() => {
                        self.fail_tool(system, FAILED, b"Invalid parameter");
                    }
                    Some(_) => {}
                }
            }
            _ => self.fail_tool(system, FAILED, b"Incorrect number of parameters"),
        }
    }

    fn show_substitutes<S: System>(&mut self, system: &mut S) {
        let mut text = Vec::new();
        for drive in 0..DRIVES {
            if let Some(path) = system.substituted(drive) {
                text.extend([&[b'A' + drive][..], b": => ", &path, b"\r\n"].concat());
            }
        }
        self.say(system, &text);
    }
}
