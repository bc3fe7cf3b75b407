//! Small commands: ECHO, VER, VOL, VERIFY, BREAK, CHCP, TRUENAME.

use alloc::vec::Vec;

use crate::shell::Shell;
use crate::system::{Setting, System, attribute};
use crate::text::{decimal, skip_delimiters, trim, two};
use crate::wildcard;

/// Opened for reading and writing.
const BOTH: u8 = 2;

/// Returns `Kamen DOS Version 5.00`.
pub fn version_text(system: &mut impl System) -> Vec<u8> {
    let (major, minor) = system.version();
    [b"Kamen DOS Version ", &decimal(major.into())[..], b".", &two(minor)].concat()
}

/// Returns a drive's label.
pub fn label(system: &mut impl System, drive: u8) -> Option<Vec<u8>> {
    let pattern = [b'A' + drive, b':', b'\\', b'*', b'.', b'*'];
    let found = system.find(&pattern, attribute::LABEL).unwrap_or_default().into_iter().next()?;
    Some(found.name.into_iter().filter(|byte| *byte != b'.').collect())
}

/// Returns a line with a drive's serial number, where it has one.
pub fn serial_text(system: &mut impl System, drive: u8) -> Vec<u8> {
    let Some(serial) = system.serial(drive) else { return Vec::new() };
    let number = alloc::format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff);
    [b"Volume Serial Number is ", number.as_bytes(), b"\r\n"].concat()
}

/// Returns what VOL and DIR say of a drive's label and serial number.
pub fn volume_text(system: &mut impl System, drive: u8) -> Vec<u8> {
    let mut text = [&b" Volume in drive "[..], &[b'A' + drive]].concat();
    match label(system, drive) {
        Some(label) => text.extend([b" is ", &label[..], b"\r\n"].concat()),
        None => text.extend(b" has no label\r\n"),
    }
    let serial = serial_text(system, drive);
    if !serial.is_empty() {
        text.extend([b" ", &serial[..]].concat());
    }
    text
}

impl Shell {
    /// ECHO: on, off, the state, or a text.
    pub(crate) fn echo_text<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        match trim(skip_delimiters(tail)) {
            b"" if tail.iter().all(|byte| byte.is_ascii_whitespace()) => {
                let state: &[u8] = if self.echo { b"ECHO is on\r\n" } else { b"ECHO is off\r\n" };
                self.say(system, state);
            }
            word if word.eq_ignore_ascii_case(b"ON") => self.echo = true,
            word if word.eq_ignore_ascii_case(b"OFF") => self.echo = false,
            // One character parts the text from the name.
            _ => self.say(system, &[&tail[1..], b"\r\n"].concat()),
        }
    }

    /// CTTY: standard streams are a device from now on.
    pub(crate) fn change_terminal<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let device = trim(skip_delimiters(tail));
        let device = device.strip_suffix(b":").unwrap_or(device);
        let opened = system.open(device, BOTH).ok().filter(|_| wildcard::is_device(device));
        let Some(opened) = opened else {
            return self.complain(system, b"Invalid device");
        };
        system.close(opened);
        for handle in 0..3 {
            system.close(handle);
            // The first free handle is the one that was just closed.
            if system.open(device, BOTH) != Ok(handle) {
                return self.complain(system, b"Invalid device");
            }
        }
    }

    /// VERIFY, BREAK.
    pub(crate) fn switch<S: System>(&mut self, system: &mut S, setting: Setting, tail: &[u8]) {
        let word = trim(skip_delimiters(tail));
        if word.eq_ignore_ascii_case(b"ON") {
            system.set_setting(setting, true);
        } else if word.eq_ignore_ascii_case(b"OFF") {
            system.set_setting(setting, false);
        } else if word.is_empty() {
            let name: &[u8] = match setting {
                Setting::Verify => b"VERIFY is ",
                Setting::Break => b"BREAK is ",
            };
            let state: &[u8] = if system.setting(setting) { b"on\r\n" } else { b"off\r\n" };
            self.say(system, &[name, state].concat());
        } else {
            self.complain(system, b"Must specify ON or OFF");
        }
    }

    /// VER.
    pub(crate) fn show_version<S: System>(&mut self, system: &mut S) {
        let version = version_text(system);
        self.say(system, &[b"\r\n", &version[..], b"\r\n"].concat());
    }

    /// VOL.
    pub(crate) fn volume<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let drive = match trim(skip_delimiters(tail)) {
            b"" => system.drive(),
            [letter, b':'] if letter.is_ascii_alphabetic() => letter.to_ascii_uppercase() - b'A',
            _ => return self.complain(system, b"Invalid drive specification"),
        };
        if system.directory(drive).is_err() {
            return self.complain(system, b"Invalid drive specification");
        }
        let text = volume_text(system, drive);
        self.say(system, &[b"\r\n", &text[..]].concat());
    }

    /// CHCP: shows the code page; it cannot be changed.
    pub(crate) fn show_code_page<S: System>(&mut self, system: &mut S) {
        let page = decimal(system.code_page().into());
        self.say(system, &[b"Active code page: ", &page[..], b"\r\n"].concat());
    }

    /// TRUENAME.
    pub(crate) fn true_name<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let path = trim(skip_delimiters(tail));
        let path = if path.is_empty() { b"." } else { path };
        match system.true_name(path) {
            Ok(name) => self.say(system, &[b"\r\n", &name[..], b"\r\n"].concat()),
            Err(_) => self.complain(system, b"Path not found"),
        }
    }
}
