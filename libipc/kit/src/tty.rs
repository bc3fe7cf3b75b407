//! A terminal's line discipline, without the terminal: bytes in, bytes out.
//!
//! ```text
//!   keyboard ── receive ──> edit, signals ──> queue ── read ──> program
//!                  │ echo
//!   screen  <── sink <── processing (column) <── output ─────── program
//! ```
//!
//! [`Tty`] does what Linux's default line discipline does (termios(3), POSIX chapter 11), as far
//! as [`flags`] names it. Bytes that have an effect on the screen go to a [`Sink`].

pub mod flags;
mod queue;
mod screen;
#[cfg(test)]
mod tests;

pub use queue::QUEUE_MAX;
pub use screen::{OUTPUT_MAX, Sink};

use flags::{character, input, local};
use queue::{Item, Queue};
use screen::Column;

#[doc(no_inline)]
pub use protocols::console::Modes;

/// What a control character asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// INTR was typed.
    Interrupt,
    /// QUIT was typed.
    Quit,
    /// SUSP was typed.
    Suspend,
}

/// Whether a read can be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// Now.
    Ready,
    /// When more has been typed.
    Waiting,
}

/// A line discipline and what it remembers.
#[derive(Clone, Debug)]
pub struct Tty {
    modes: Modes,
    queue: Queue,
    column: Column,
    /// Where the line that is being edited began on the screen.
    line_column: Column,
    /// Whether the next byte is to be taken as it is.
    is_literal: bool,
    is_stopped: bool,
}

/// Returns the modes of a new terminal: those of Linux (`tty_std_termios`), and UTF-8.
pub fn default_modes() -> Modes {
    let mut characters = [0; 24];
    characters[..17].copy_from_slice(&[
        3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0x0f, 0x17, 0x16, 0,
    ]);
    Modes {
        input: input::ICRNL | input::IXON | input::IUTF8,
        output: flags::output::OPOST | flags::output::ONLCR,
        control: flags::control::B38400
            | flags::control::CS8
            | flags::control::CREAD
            | flags::control::HUPCL,
        local: local::ISIG
            | local::ICANON
            | local::ECHO
            | local::ECHOE
            | local::ECHOK
            | local::ECHOCTL
            | local::ECHOKE
            | local::IEXTEN,
        characters,
    }
}

/// Returns modes in which nothing is changed, echoed or acted on: for a line that is a pipe.
pub fn transparent_modes() -> Modes {
    Modes { input: 0, output: 0, local: 0, ..default_modes() }
}

impl Tty {
    /// Returns a terminal with an empty queue.
    pub fn new(modes: Modes) -> Self {
        Tty {
            modes,
            queue: Queue::default(),
            column: Column::default(),
            line_column: Column::default(),
            is_literal: false,
            is_stopped: false,
        }
    }

    /// Returns the modes.
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// Sets the modes; what waits in the queue stays and is read in the new way.
    pub fn set_modes(&mut self, modes: Modes) {
        let was_by_lines = self.is_set(local::ICANON);
        self.modes = modes;
        match (was_by_lines, self.is_set(local::ICANON)) {
            (false, true) => self.queue.complete(),
            (true, false) => self.queue.join(),
            (true, true) | (false, false) => {}
        }
        self.is_literal = false;
        if modes.input & input::IXON == 0 {
            self.is_stopped = false;
        }
    }

    /// Drops unread input.
    pub fn flush(&mut self) {
        self.queue.clear();
    }

    /// Returns whether the STOP character has stopped output.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Processes a byte that a program writes; the sink gets at most [`OUTPUT_MAX`] bytes.
    pub fn output(&mut self, byte: u8, sink: &mut impl Sink) {
        self.column.put(&self.modes, byte, sink);
    }

    /// Processes a byte that was typed; its echo goes to the sink.
    pub fn receive(&mut self, byte: u8, sink: &mut impl Sink) -> Option<Signal> {
        let byte = if self.modes.input & input::ISTRIP != 0 { byte & 0x7f } else { byte };
        if self.is_literal {
            self.is_literal = false;
            self.take(byte, sink);
            return None;
        }
        if self.flow(byte) {
            return None;
        }
        if let Some(signal) = self.signal(byte) {
            self.echo_if_on(byte, sink);
            if !self.is_set(local::NOFLSH) {
                self.queue.clear();
            }
            return Some(signal);
        }
        if let Some(byte) = self.translate(byte) {
            self.enter(byte, sink);
        }
        None
    }

    /// Returns whether a read of `len` bytes can be answered.
    ///
    /// By lines, when there is a line; raw, when there are MIN bytes, or `len` if that is less.
    /// TIME is the reader's affair; a read with a time limit is answered from the first byte on.
    pub fn readiness(&self, len: usize) -> Readiness {
        let is_ready = if self.is_set(local::ICANON) {
            self.queue.has_line()
        } else {
            let min = usize::from(self.modes.characters[character::MIN]);
            let has_limit = self.modes.characters[character::TIME] != 0;
            let needed = if has_limit { 1 } else { min.min(len) };
            self.queue.len() >= needed
        };
        if is_ready { Readiness::Ready } else { Readiness::Waiting }
    }

    /// Returns whether a read that does not wait would find anything.
    pub fn has_input(&self) -> bool {
        if self.is_set(local::ICANON) { self.queue.has_line() } else { self.queue.len() > 0 }
    }

    /// Returns how many bytes could be read now: those of whole lines, or all (FIONREAD).
    pub fn input_len(&self) -> usize {
        if self.is_set(local::ICANON) { self.queue.complete_len() } else { self.queue.len() }
    }

    /// Stops output or lets it go on, as the characters STOP and START do (tcflow(3)).
    pub fn set_stopped(&mut self, is_stopped: bool) {
        self.is_stopped = is_stopped;
    }

    /// Returns whether another byte of input has room.
    pub fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Moves input to the reader: a line at most, or what there is; returns the number of bytes.
    /// 0 is the end of the file, unless there was nothing to read.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        if self.is_set(local::ICANON) {
            self.queue.read_line(into)
        } else {
            self.queue.read_raw(into)
        }
    }

    fn is_set(&self, flag: u32) -> bool {
        self.modes.local & flag != 0
    }

    fn is_character(&self, byte: u8, index: usize) -> bool {
        byte != 0 && self.modes.characters[index] == byte
    }

    /// Handles START and STOP; returns whether the byte is used up.
    fn flow(&mut self, byte: u8) -> bool {
        if self.modes.input & input::IXON == 0 {
            return false;
        }
        if self.is_character(byte, character::START) {
            self.is_stopped = false;
            return true;
        }
        if self.is_character(byte, character::STOP) {
            self.is_stopped = true;
            return true;
        }
        if self.modes.input & input::IXANY != 0 {
            self.is_stopped = false;
        }
        false
    }

    fn signal(&mut self, byte: u8) -> Option<Signal> {
        if !self.is_set(local::ISIG) {
            return None;
        }
        let signals = [
            (character::INTR, Signal::Interrupt),
            (character::QUIT, Signal::Quit),
            (character::SUSP, Signal::Suspend),
        ];
        let found = signals.into_iter().find(|(index, _)| self.is_character(byte, *index))?;
        self.is_stopped = false;
        Some(found.1)
    }

    /// Applies IGNCR, ICRNL and INLCR.
    fn translate(&self, byte: u8) -> Option<u8> {
        let flags = self.modes.input;
        match byte {
            b'\r' if flags & input::IGNCR != 0 => None,
            b'\r' if flags & input::ICRNL != 0 => Some(b'\n'),
            b'\n' if flags & input::INLCR != 0 => Some(b'\r'),
            _ => Some(byte),
        }
    }

    fn enter(&mut self, byte: u8, sink: &mut impl Sink) {
        if !self.is_set(local::ICANON) {
            return self.take(byte, sink);
        }
        let is = |index| self.is_character(byte, index);
        let is_extended = self.is_set(local::IEXTEN);
        if is(character::ERASE) {
            self.erase(Extent::Character, sink);
        } else if is(character::KILL) {
            self.kill(byte, sink);
        } else if is_extended && is(character::WERASE) {
            self.erase(Extent::Word, sink);
        } else if is_extended && is(character::REPRINT) && self.is_set(local::ECHO) {
            self.reprint(byte, sink);
        } else if is_extended && is(character::LNEXT) {
            self.is_literal = true;
            if self.is_set(local::ECHO) && self.is_set(local::ECHOCTL) {
                sink.put(b'^');
                sink.put(0x08);
            }
        } else if is(character::EOF) {
            self.queue.push(Item::Eof);
        } else if byte == b'\n' || is(character::EOL) || is(character::EOL2) {
            self.end_line(byte, sink);
        } else {
            self.take(byte, sink);
        }
    }

    /// Adds a byte to the queue, or rings the bell.
    fn take(&mut self, byte: u8, sink: &mut impl Sink) {
        if self.queue.edited().next().is_none() {
            self.line_column = self.column;
        }
        if self.queue.push(Item::Byte(byte)) {
            self.echo_if_on(byte, sink);
        } else {
            sink.put(0x07);
        }
    }

    fn end_line(&mut self, byte: u8, sink: &mut impl Sink) {
        if !self.queue.push(Item::End(byte)) {
            return sink.put(0x07);
        }
        if byte == b'\n' && self.is_set(local::ECHONL) {
            self.column.put(&self.modes, byte, sink);
        } else {
            self.echo_if_on(byte, sink);
        }
        self.line_column = self.column;
    }

    fn echo_if_on(&mut self, byte: u8, sink: &mut impl Sink) {
        if self.is_set(local::ECHO) {
            self.column.echo(&self.modes, byte, sink);
        }
    }
}

/// How much ERASE and its relatives take away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    Character,
    Word,
    Line,
}

impl Tty {
    fn kill(&mut self, byte: u8, sink: &mut impl Sink) {
        let on_screen = local::ECHOK | local::ECHOKE | local::ECHOE;
        if self.modes.local & on_screen == on_screen || !self.is_set(local::ECHO) {
            return self.erase(Extent::Line, sink);
        }
        self.queue.drop_edited(usize::MAX);
        self.column.echo(&self.modes, byte, sink);
        if self.is_set(local::ECHOK) {
            self.column.put(&self.modes, b'\n', sink);
        }
    }

    fn erase(&mut self, extent: Extent, sink: &mut impl Sink) {
        let count = self.erasable(extent);
        if count == 0 {
            return;
        }
        let is_tab = self.queue.edited().next_back() == Some(b'\t');
        self.queue.drop_edited(count);
        if !self.is_set(local::ECHO) {
            return;
        }
        if extent == Extent::Character && !self.is_set(local::ECHOE) {
            return self.echo_if_on(self.modes.characters[character::ERASE], sink);
        }
        let mut from = self.line_column;
        self.queue.edited().for_each(|byte| from.advance_by_echo(&self.modes, byte));
        self.column.wipe(from, is_tab && count == 1, sink);
    }

    /// Returns how many bytes at the end of the edited line are to be erased.
    fn erasable(&self, extent: Extent) -> usize {
        let mut bytes = self.queue.edited().rev();
        let is_utf8 = self.modes.input & input::IUTF8 != 0;
        match extent {
            Extent::Line => bytes.count(),
            Extent::Character => {
                let is_continuation = |byte: &u8| is_utf8 && (0x80..0xc0).contains(byte);
                let tail = bytes.by_ref().take_while(is_continuation).count();
                let len = self.queue.edited().count();
                (tail + 1).min(len)
            }
            Extent::Word => {
                let is_word =
                    |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
                let mut in_word = false;
                bytes
                    .take_while(|&byte| {
                        let goes_on = !in_word || is_word(byte);
                        in_word |= is_word(byte);
                        goes_on
                    })
                    .count()
            }
        }
    }

    fn reprint(&mut self, byte: u8, sink: &mut impl Sink) {
        self.column.echo(&self.modes, byte, sink);
        self.column.put(&self.modes, b'\n', sink);
        self.line_column = self.column;
        for byte in self.queue.edited() {
            self.column.echo(&self.modes, byte, sink);
        }
    }
}
