//! The keyboard and its controller, an 8042: scan codes, commands, the address line A20.
//!
//! ```text
//!   key ─► queue of scan codes ─► output buffer (port 60) ─► IRQ 1
//! ```
//!
//! Source: IBM PC AT Technical Reference (1984), "Keyboard Controller" and "Keyboard", scan
//! codes of set 1.

use alloc::collections::VecDeque;

/// Status bits of port 64.
const OUTPUT_FULL: u8 = 1;
const SELF_TESTED: u8 = 4;
const WAS_COMMAND: u8 = 8;
const NOT_LOCKED: u8 = 0x10;
/// Bits of the command byte: interrupt, translation, keyboard disabled.
const INTERRUPT: u8 = 1;
const DISABLED: u8 = 0x10;
const COMMAND_BYTE: u8 = 0x45;
/// The output port: reset line not pulled (bit 0), A20 (bit 1).
const A20: u8 = 2;
const OUTPUT_PORT: u8 = 0xdd;
/// What the keyboard answers to a command.
const ACKNOWLEDGED: u8 = 0xfa;
/// Time between two scan codes where a program's interrupt handler reads them, too: the keyboard sends
/// eleven bits at 10 to 16.7 kHz. That is enough for all handlers to read the same one.
const PACE_NS: u64 = 660_000;
/// Scan codes that wait at most, as long as nobody reads them.
const QUEUE_MAX: usize = 64;

/// Where the next byte to port 60 goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expects {
    Keyboard,
    /// The argument of a keyboard's command.
    Argument,
    CommandByte,
    OutputPort,
    /// What is passed on as if the keyboard had sent it.
    Output,
    Ignored,
}

/// Keyboard and controller.
#[derive(Clone, Debug)]
pub(crate) struct Keyboard {
    queue: VecDeque<u8>,
    output: u8,
    is_full: bool,
    /// Whether the byte in the output buffer is still to be told by IRQ 1.
    untold: bool,
    command_byte: u8,
    was_command: bool,
    expects: Expects,
    output_port: u8,
    resets: bool,
    is_read: bool,
    /// Time between two scan codes, ns.
    pace: u64,
    /// When the next scan code may come, and whether the last one was read since that was known.
    due: u64,
    was_taken: bool,
    /// Whether the status was read and said that there is nothing.
    empty_look: bool,
}

impl Keyboard {
    /// Returns a keyboard at which nobody has typed.
    pub(crate) fn new() -> Keyboard {
        Keyboard {
            queue: VecDeque::new(),
            output: 0,
            is_full: false,
            untold: false,
            command_byte: COMMAND_BYTE,
            was_command: false,
            expects: Expects::Keyboard,
            output_port: OUTPUT_PORT & !A20,
            resets: false,
            is_read: false,
            pace: 0,
            due: 0,
            was_taken: false,
            empty_look: false,
        }
    }

    /// Returns whether every scan code was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.is_full
    }

    /// Appends scan codes; those that find no room are lost.
    pub(crate) fn press(&mut self, codes: &[u8]) {
        if self.queue.len() + codes.len() <= QUEUE_MAX {
            self.queue.extend(codes);
        }
    }

    /// Tells whether a program has hooked the keyboard's interrupt.
    pub(crate) fn set_pace(&mut self, is_hooked: bool) {
        self.pace = if is_hooked { PACE_NS } else { 0 };
    }

    /// Returns when the next scan code can be in the output buffer.
    pub(crate) fn due(&self) -> Option<u64> {
        let is_waiting = !self.queue.is_empty() && !self.is_full;
        (is_waiting && self.command_byte & DISABLED == 0).then_some(self.due)
    }

    /// Moves the next scan code to the output buffer; returns whether IRQ 1 tells of it.
    pub(crate) fn advance(&mut self, now: u64) -> bool {
        if core::mem::take(&mut self.was_taken) {
            self.due = now + self.pace;
        }
        if !self.is_full
            && now >= self.due
            && self.command_byte & DISABLED == 0
            && let Some(code) = self.queue.pop_front()
        {
            (self.output, self.is_full, self.untold) = (code, true, true);
        }
        core::mem::take(&mut self.untold) && self.command_byte & INTERRUPT != 0
    }

    /// Returns whether the address line A20 is on.
    pub(crate) fn a20(&self) -> bool {
        self.output_port & A20 != 0
    }

    /// Switches the address line A20.
    pub(crate) fn set_a20(&mut self, on: bool) {
        self.output_port = self.output_port & !A20 | if on { A20 } else { 0 };
    }

    /// Returns whether the processor's reset line was pulled.
    pub(crate) fn resets(&self) -> bool {
        self.resets
    }

    /// Returns whether a program has read a port of the controller.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Returns and forgets whether a program looked for a scan code in vain.
    pub(crate) fn take_empty_look(&mut self) -> bool {
        core::mem::take(&mut self.empty_look)
    }

    /// Reads port 60.
    pub(crate) fn read_data(&mut self) -> u8 {
        self.is_read = true;
        self.was_taken |= self.is_full;
        (self.is_full, self.untold) = (false, false);
        self.output
    }

    /// Reads port 64.
    pub(crate) fn read_status(&mut self) -> u8 {
        self.is_read = true;
        self.empty_look = !self.is_full;
        let full = if self.is_full { OUTPUT_FULL } else { 0 };
        let command = if self.was_command { WAS_COMMAND } else { 0 };
        full | SELF_TESTED | command | NOT_LOCKED
    }

    /// Writes port 64, a command to the controller.
    pub(crate) fn write_command(&mut self, value: u8) {
        self.was_command = true;
        self.expects = Expects::Keyboard;
        match value {
            0x20 => self.answer(self.command_byte),
            0x60 => self.expects = Expects::CommandByte,
            0xaa => self.answer(0x55),
            0xab => self.answer(0),
            0xad => self.command_byte |= DISABLED,
            0xae => self.command_byte &= !DISABLED,
            0xc0 => self.answer(0xff),
            0xd0 => self.answer(self.output_port),
            0xd1 => self.expects = Expects::OutputPort,
            0xd2 => self.expects = Expects::Output,
            0xd3 | 0xd4 => self.expects = Expects::Ignored,
            0xdd => self.set_a20(false),
            0xdf => self.set_a20(true),
            // Pulses those of the output port's low bits that are 0.
            0xf0..=0xff => self.resets |= value & 1 == 0,
            _ => {}
        }
    }

    /// Writes port 60, to the keyboard or as a command's argument.
    pub(crate) fn write_data(&mut self, value: u8) {
        self.was_command = false;
        match core::mem::replace(&mut self.expects, Expects::Keyboard) {
            Expects::Keyboard => self.keyboard_command(value),
            Expects::Argument => self.queue.push_front(ACKNOWLEDGED),
            Expects::CommandByte => self.command_byte = value,
            Expects::OutputPort => {
                self.resets |= value & 1 == 0;
                self.output_port = value;
            }
            Expects::Output => self.answer(value),
            Expects::Ignored => {}
        }
    }

    fn keyboard_command(&mut self, value: u8) {
        self.command_byte &= !DISABLED;
        let answers: &[u8] = match value {
            0xed | 0xf0 | 0xf3 => {
                self.expects = Expects::Argument;
                &[ACKNOWLEDGED]
            }
            0xee => &[0xee],
            // An enhanced keyboard, its identification translated to set 1.
            0xf2 => &[ACKNOWLEDGED, 0xab, 0x41],
            0xff => &[ACKNOWLEDGED, 0xaa],
            0xf4..=0xf6 => &[ACKNOWLEDGED],
            // Resend: there is no other keyboard that could have erred.
            _ => &[0xfe],
        };
        for answer in answers.iter().rev() {
            self.queue.push_front(*answer);
        }
    }

    /// Puts the controller's own answer in the output buffer.
    fn answer(&mut self, value: u8) {
        (self.output, self.is_full, self.untold) = (value, true, true);
    }
}

#[cfg(test)]
mod tests {
    use super::Keyboard;

    #[test]
    fn scan_codes_come_one_by_one() {
        let mut keyboard = Keyboard::new();
        keyboard.press(&[0x1e, 0x9e]);
        assert!(keyboard.advance(0));
        assert!(!keyboard.advance(0), "it has been told already");
        assert_eq!((keyboard.read_status() & 1, keyboard.read_data()), (1, 0x1e));
        assert_eq!((keyboard.read_status() & 1, keyboard.read_data()), (0, 0x1e));
        assert!(keyboard.advance(0));
        assert_eq!(keyboard.read_data(), 0x9e);
    }

    #[test]
    fn a_scan_code_stays_for_every_handler_that_reads_it() {
        let mut keyboard = Keyboard::new();
        keyboard.set_pace(true);
        keyboard.press(&[0x1e, 0x9e]);
        assert!(keyboard.advance(1000));
        assert_eq!(keyboard.read_data(), 0x1e);
        assert!(!keyboard.advance(1000));
        assert_eq!((keyboard.read_data(), keyboard.due()), (0x1e, Some(1000 + super::PACE_NS)));
        assert!(keyboard.advance(1000 + super::PACE_NS));
        assert_eq!((keyboard.read_data(), keyboard.due()), (0x9e, None));
    }

    #[test]
    fn the_controller_answers_commands() {
        let mut keyboard = Keyboard::new();
        for (command, answer) in [(0x20, 0x45), (0xaa, 0x55), (0xab, 0), (0xd0, 0xdd & !2)] {
            keyboard.write_command(command);
            assert_eq!((keyboard.read_status(), keyboard.read_data()), (0x1d, answer));
        }
        keyboard.write_command(0xad);
        keyboard.press(&[1]);
        assert!(!keyboard.advance(0), "disabled");
        keyboard.write_command(0xae);
        assert!(keyboard.advance(0));
    }

    #[test]
    fn the_address_line_is_switched_in_three_ways() {
        let mut keyboard = Keyboard::new();
        assert!(!keyboard.a20());
        keyboard.write_command(0xdf);
        assert!(keyboard.a20());
        keyboard.write_command(0xd1);
        keyboard.write_data(0xdd);
        assert!(!keyboard.a20() && !keyboard.resets());
        keyboard.set_a20(true);
        assert!(keyboard.a20());
        keyboard.write_command(0xfe);
        assert!(keyboard.resets());
    }

    #[test]
    fn the_keyboard_acknowledges() {
        let mut keyboard = Keyboard::new();
        keyboard.write_data(0xed);
        keyboard.advance(0);
        assert_eq!(keyboard.read_data(), 0xfa);
        keyboard.write_data(0x02);
        keyboard.advance(0);
        assert_eq!(keyboard.read_data(), 0xfa);
        keyboard.write_data(0xff);
        keyboard.advance(0);
        assert_eq!(keyboard.read_data(), 0xfa);
        keyboard.advance(0);
        assert_eq!(keyboard.read_data(), 0xaa);
    }

    #[test]
    fn keys_that_nobody_reads_are_bounded() {
        let mut keyboard = Keyboard::new();
        for _ in 0..1000 {
            keyboard.press(&[0x1e, 0x9e]);
        }
        assert_eq!(keyboard.queue.len(), super::QUEUE_MAX);
    }
}
