//! INT 9, which turns scan codes into keys, and INT 16h, which gives them to programs.
//!
//! Keys take the way that they take in a real machine, from the controller through INT 9, which
//! programs hook, to the ring buffer in the data area, which programs read and write. A program
//! that waits here has its INT 16h begin anew after each interrupt, so that hooked ones run.
//!
//! Source: IBM PC AT Technical Reference (1986), BIOS listing; RBIL INT 09, INT 16.

use super::data::{self, ALT_NUMBER, BREAK, KEYBOARD_STATE, SHIFT_STATE, SHIFT_STATE_2};
use super::keys::{self, Level};
use crate::cpu::bit;
use crate::dos::Refusal;
use crate::host::Host;
use crate::session::{End, Session};

/// Bits of the shift state.
const RIGHT: u8 = 0x01;
const LEFT: u8 = 0x02;
const CONTROL: u8 = 0x04;
const ALT: u8 = 0x08;
const SCROLL: u8 = 0x10;
const NUM: u8 = 0x20;
const CAPS: u8 = 0x40;
const INSERT: u8 = 0x80;
/// Bits of the keyboard's state: the next scan code is an extended one, or one of Pause's.
const AFTER_E0: u8 = 0x02;
const AFTER_E1: u8 = 0x01;

impl<H: Host> Session<H> {
    /// INT 9's work, for the scan code in AL.
    pub(super) fn scan_code(&mut self) {
        let code = self.al();
        let state = self.bus.read8(KEYBOARD_STATE);
        match code {
            0xe0 => return self.bus.write8(KEYBOARD_STATE, state | AFTER_E0),
            0xe1 => return self.bus.write8(KEYBOARD_STATE, state | AFTER_E1),
            // What the keyboard answers to commands, and its overrun.
            0x00 | 0xee | 0xfa..=0xff => return,
            _ => {}
        }
        let is_extended = state & AFTER_E0 != 0;
        let is_pause = state & AFTER_E1 != 0;
        // Pause is E1 1D 45: its end is the second of them.
        let rest = if is_pause && code & 0x7f == keys::CONTROL { AFTER_E1 } else { 0 };
        self.bus.write8(KEYBOARD_STATE, state & !(AFTER_E0 | AFTER_E1) | rest);
        if is_pause {
            return;
        }
        let key = code & !keys::RELEASED;
        if code & keys::RELEASED != 0 {
            self.release_key(key, is_extended);
        } else if !self.press_modifier(key, is_extended) {
            self.press_key(key, is_extended);
        }
    }

    fn modifier(key: u8) -> Option<u8> {
        match key {
            keys::RIGHT_SHIFT => Some(RIGHT),
            keys::LEFT_SHIFT => Some(LEFT),
            keys::CONTROL => Some(CONTROL),
            keys::ALT => Some(ALT),
            _ => None,
        }
    }

    fn change_state(&mut self, clear: u8, set: u8, toggle: u8) {
        let state = self.bus.read8(SHIFT_STATE);
        self.bus.write8(SHIFT_STATE, (state & !clear | set) ^ toggle);
    }

    fn release_key(&mut self, key: u8, is_extended: bool) {
        let Some(bit) = Self::modifier(key) else { return };
        // Enhanced keyboards surround some keys with shifts that nobody pressed.
        if is_extended && bit <= LEFT {
            return;
        }
        self.change_state(bit, 0, 0);
        let left = self.bus.read8(SHIFT_STATE_2);
        self.bus.write8(SHIFT_STATE_2, left & !(bit >> 2));
        let number = self.bus.read8(ALT_NUMBER);
        if bit == ALT && number != 0 {
            self.bus.write8(ALT_NUMBER, 0);
            data::put_key(&mut self.bus, number.into());
        }
    }

    /// Returns whether the key is a modifier or a lock, which has no code.
    fn press_modifier(&mut self, key: u8, is_extended: bool) -> bool {
        if let Some(bit) = Self::modifier(key) {
            if !(is_extended && bit <= LEFT) {
                self.change_state(0, bit, 0);
                let left = self.bus.read8(SHIFT_STATE_2);
                let bit = if is_extended { 0 } else { bit >> 2 };
                self.bus.write8(SHIFT_STATE_2, left | bit);
            }
            return true;
        }
        let has_control = self.bus.read8(SHIFT_STATE) & CONTROL != 0;
        match key {
            0x3a => self.change_state(0, 0, CAPS),
            0x45 => self.change_state(0, 0, NUM),
            0x46 if has_control => self.break_key(),
            0x46 => self.change_state(0, 0, SCROLL),
            _ => return false,
        }
        true
    }

    /// Ctrl-Break: the buffer is dropped, INT 1Bh called.
    fn break_key(&mut self) {
        self.bus.write8(BREAK, 0x80);
        data::clear_keys(&mut self.bus);
        data::put_key(&mut self.bus, 0);
        self.cpu.interrupt(&mut self.bus, 0x1b);
    }

    fn press_key(&mut self, key: u8, is_extended: bool) {
        let state = self.bus.read8(SHIFT_STATE);
        if state & ALT != 0
            && !is_extended
            && let Some(digit) = keys::pad_digit(key)
        {
            let number = self.bus.read8(ALT_NUMBER);
            self.bus.write8(ALT_NUMBER, number.wrapping_mul(10).wrapping_add(digit));
            return;
        }
        if key == 0x52 && state & (ALT | CONTROL) == 0 {
            self.change_state(0, 0, INSERT);
        }
        let level = level(key, state);
        let code =
            if is_extended { keys::extended_code(key, level) } else { keys::code(key, level) };
        if let Some(code) = code {
            // What finds no room is lost, as on the real machine, which beeps.
            data::put_key(&mut self.bus, code);
        }
    }

    /// INT 16h.
    pub(super) fn keyboard(&mut self) {
        match self.ah() {
            0x00 | 0x10 => {
                self.dos.input.is_raw = true;
                self.read_key();
            }
            0x01 | 0x11 => {
                self.dos.input.is_raw = true;
                self.look_for_key();
            }
            0x02 => {
                let state = self.bus.read8(SHIFT_STATE);
                self.set_al(state);
            }
            0x05 => {
                let key = self.cx();
                let is_stored = data::put_key(&mut self.bus, key);
                self.set_al(u8::from(!is_stored));
            }
            // Which functions there are: the enhanced ones.
            0x09 => self.set_al(0x20),
            0x12 => {
                let [state, second] = [SHIFT_STATE, SHIFT_STATE_2].map(|at| self.bus.read8(at));
                self.set_ax(u16::from_le_bytes([state, second]));
            }
            _ => {}
        }
    }

    fn read_key(&mut self) {
        match self.next_key() {
            Ok(Some(key)) => match self.as_asked_for(key) {
                Some(key) => self.set_ax(key),
                None => self.begin_anew(0x16),
            },
            // The terminal is gone: nobody will type any more.
            Ok(None) => self.finish(End::Terminated),
            Err(Refusal::Waiting) => self.wait(0x16),
            Err(_) => self.look_for_requests(),
        }
    }

    fn look_for_key(&mut self) {
        match self.key_is_ready() {
            Err(Refusal::Waiting) => return self.wait(0x16),
            Err(Refusal::Break) => self.look_for_requests(),
            Ok(_) | Err(_) => {}
        }
        let key = loop {
            let Some(key) = data::peek_key(&self.bus) else { break None };
            match self.as_asked_for(key) {
                None => drop(data::take_key(&mut self.bus)),
                known => break known,
            }
        };
        self.set_caller_flag(bit::ZERO, key.is_none());
        if let Some(key) = key {
            self.set_ax(key);
        }
    }

    /// Returns a key as function 10h gives it, or as the older 00h does: keys that the first
    /// keyboards had not look like those that they had, or are not there.
    fn as_asked_for(&self, key: u16) -> Option<u16> {
        if self.ah() >= 0x10 {
            return Some(key);
        }
        let [scan, character] = key.to_be_bytes();
        match (scan, character) {
            // The key pad's Enter and slash.
            (0xe0, b'\r' | b'\n') => Some(u16::from_be_bytes([0x1c, character])),
            (0xe0, _) => Some(u16::from_be_bytes([0x35, character])),
            (0x85.., 0 | 0xe0) => None,
            (1.., 0xe0) => Some(key & 0xff00),
            _ => Some(key),
        }
    }
}

fn level(key: u8, state: u8) -> Level {
    let is_letter = matches!(key, 0x10..=0x19 | 0x1e..=0x26 | 0x2c..=0x32);
    let lock = match key {
        _ if is_letter => state & CAPS != 0,
        0x47..=0x53 => state & NUM != 0,
        _ => false,
    };
    match state {
        _ if state & ALT != 0 => Level::Alt,
        _ if state & CONTROL != 0 => Level::Control,
        _ if (state & (LEFT | RIGHT) != 0) != lock => Level::Shift,
        _ => Level::Plain,
    }
}
