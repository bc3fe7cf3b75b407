//! The environment in guest memory: SET, PATH.

use alloc::vec::Vec;

use crate::shell::Shell;
use crate::system::System;
use crate::text::{skip_delimiters, trim};

/// Returns a variable's value.
pub fn variable(system: &mut impl System, name: &[u8]) -> Option<Vec<u8>> {
    value(&system.environment(), name)
}

/// Returns a variable's value among an environment's strings.
pub fn value(strings: &[Vec<u8>], name: &[u8]) -> Option<Vec<u8>> {
    let found = strings.iter().find(|string| is_of(string, name))?;
    Some(found[name.len() + 1..].to_vec())
}

fn is_of(string: &[u8], name: &[u8]) -> bool {
    string.len() > name.len()
        && string[name.len()] == b'='
        && string[..name.len()].eq_ignore_ascii_case(name)
}

impl Shell {
    /// SET: everything, or `NAME=value`; blanks before the `=` belong to the name, as in DOS.
    pub(crate) fn set<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let tail = skip_delimiters(tail);
        if tail.is_empty() {
            for string in system.environment() {
                self.say(system, &[&string[..], b"\r\n"].concat());
            }
            return;
        }
        match tail.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                self.set_variable(system, &tail[..at].to_ascii_uppercase(), &tail[at + 1..])
            }
            None => self.complain(system, b"Syntax error"),
        }
    }

    /// PATH: shows it, sets it; `;` alone takes it away.
    pub(crate) fn path<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let given = tail.trim_ascii_start();
        let given = given.strip_prefix(b"=").map_or(given, trim);
        match given {
            b"" => match variable(system, b"PATH") {
                Some(path) => self.say(system, &[b"PATH=", &path[..], b"\r\n"].concat()),
                None => self.say(system, b"No Path\r\n"),
            },
            b";" => self.set_variable(system, b"PATH", b""),
            path => self.set_variable(system, b"PATH", &trim(path).to_ascii_uppercase()),
        }
    }

    /// Sets a variable, the last one; without a value it goes.
    pub(crate) fn set_variable<S: System>(&mut self, system: &mut S, name: &[u8], value: &[u8]) {
        let mut strings = system.environment();
        strings.retain(|string| !is_of(string, name));
        if !value.is_empty() {
            strings.push([name, b"=", value].concat());
        }
        if system.set_environment(&strings).is_err() {
            self.complain(system, b"Out of environment space");
        }
    }

    /// Sets a variable that is not there.
    pub(crate) fn set_default<S: System>(&mut self, system: &mut S, name: &[u8], value: &[u8]) {
        if variable(system, name).is_none() {
            self.set_variable(system, name, value);
        }
    }
}
