//! A pseudo-terminal: a line discipline between a program and whoever plays its screen.
//!
//! ```text
//!   master ── write ──> Tty ── queue ──> read ── slave
//!      ^                 │ echo                    │
//!      └── read ── output <── processing <── write ┘          pty(7)
//! ```
//!
//! The discipline is the console's ([`kamen_kit::tty`]). Nothing here knows processes: signals
//! that keys ask for are returned.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;

use kamen_kit::tty::{Modes, OUTPUT_MAX, Readiness, Signal, Sink, Tty, default_modes, flags};

use crate::Errno;
use crate::open::Closed;
use crate::servers::Ready;
use crate::terminal::WindowSize;

/// Most pseudo-terminals (Linux's `kernel.pty.max` is 4,096); each may hold 16 KiB here.
pub const MAX_PTYS: u32 = 64;
/// Most bytes that wait for the master; as many as wait for the slave.
const OUTPUT_CAPACITY: usize = 4096;

/// What a packet's first byte says (ioctl_tty(2), TIOCPKT; asm-generic/ioctls.h).
mod packet {
    pub const DATA: u8 = 0;
    pub const FLUSH_READ: u8 = 1;
    pub const FLUSH_WRITE: u8 = 2;
    pub const STOP: u8 = 4;
    pub const START: u8 = 8;
    pub const NO_STOP: u8 = 16;
    pub const DO_STOP: u8 = 32;
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Who plays the screen and the keyboard.
    Master,
    /// The terminal of programs.
    Slave,
}

/// Which queues a flush drops (tcflush(3)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// What was typed and not read.
    Input,
    /// What was written and not shown.
    Output,
    /// Both.
    Both,
}

/// An open side of a pseudo-terminal; the personality is told when it is dropped.
#[derive(Debug)]
pub struct PtyEnd {
    number: u32,
    side: Side,
    life: u64,
    closed: Closed,
}

impl PtyEnd {
    /// Returns the pseudo-terminal's number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns which side it is.
    pub fn side(&self) -> Side {
        self.side
    }
}

impl Drop for PtyEnd {
    fn drop(&mut self) {
        self.closed.add_pty(self.number, self.side, self.life);
    }
}

/// A pseudo-terminal.
#[derive(Debug)]
pub struct Pty {
    number: u32,
    tty: Tty,
    /// What the master has not read.
    output: VecDeque<u8>,
    /// Its size.
    pub size: WindowSize,
    /// Whether the slave cannot be opened yet (unlockpt(3)).
    pub is_locked: bool,
    /// Who opened the master: user.
    pub owner: u32,
    is_master_open: bool,
    /// Open slaves of this life.
    slaves: u32,
    /// A number for its life, which no other has: slaves of an earlier life are dead.
    life: u64,
    /// Whether slaves were open, and none is now.
    was_left: bool,
    /// In packet mode, what is to be told.
    packet: Option<u8>,
}

/// A sink with an end: what has no room is lost.
struct Bounded<'o>(&'o mut VecDeque<u8>);

impl Sink for Bounded<'_> {
    fn put(&mut self, byte: u8) {
        if self.0.len() < OUTPUT_CAPACITY {
            self.0.push_back(byte);
        }
    }
}

impl Pty {
    /// Returns a pseudo-terminal whose slave is locked, and its master; `life` is a number that was
    /// not used before.
    pub fn new(number: u32, owner: u32, life: u64, closed: &Closed) -> (Pty, Rc<PtyEnd>) {
        // A new pseudo-terminal does not know of UTF-8, and has no line to be dropped
        // (`tty_std_termios`, drivers/tty/tty_io.c; `unix98_pty_init`, drivers/tty/pty.c).
        let standard = default_modes();
        let input = standard.input & !flags::input::IUTF8;
        let control = standard.control & !flags::control::HUPCL;
        let modes = Modes { input, control, ..standard };
        let pty = Pty {
            number,
            tty: Tty::new(modes),
            output: VecDeque::new(),
            size: WindowSize::default(),
            is_locked: true,
            owner,
            is_master_open: true,
            slaves: 0,
            life,
            was_left: false,
            packet: None,
        };
        let end = PtyEnd { number, side: Side::Master, life, closed: closed.clone() };
        (pty, Rc::new(end))
    }

    /// Opens the slave.
    ///
    /// # Errors
    /// EIO: it is locked, or its master is closed.
    pub fn open_slave(&mut self, closed: &Closed) -> Result<Rc<PtyEnd>, Errno> {
        if self.is_locked || !self.is_master_open {
            return Err(Errno::EIO);
        }
        self.slaves += 1;
        self.was_left = false;
        let (number, side, life) = (self.number, Side::Slave, self.life);
        Ok(Rc::new(PtyEnd { number, side, life, closed: closed.clone() }))
    }

    /// Takes note that a side was closed.
    pub fn close(&mut self, side: Side, life: u64) {
        match side {
            Side::Master => self.is_master_open = false,
            Side::Slave if life == self.life => {
                self.slaves = self.slaves.saturating_sub(1);
                self.was_left = self.slaves == 0;
            }
            Side::Slave => {}
        }
    }

    /// Returns whether nobody can use it any more.
    pub fn is_gone(&self) -> bool {
        !self.is_master_open && self.slaves == 0
    }

    /// Hangs up: whoever has the slave open finds it dead; another life begins.
    pub fn hang_up(&mut self, life: u64) {
        self.life = life;
        self.was_left = true;
        self.slaves = 0;
        self.tty.flush();
    }

    /// Returns whether an open side finds the other one gone for good.
    pub fn is_hung_up(&self, end: &PtyEnd) -> bool {
        match end.side {
            Side::Master => self.was_left,
            Side::Slave => !self.is_master_open || end.life != self.life,
        }
    }

    /// Returns the modes.
    pub fn modes(&self) -> Modes {
        *self.tty.modes()
    }

    /// Sets the modes after dropping unread input if `flush`.
    pub fn set_modes(&mut self, flush: bool, modes: Modes) {
        if flush {
            self.flush(Flush::Input);
        }
        let stops = |modes: &Modes| modes.input & flags::input::IXON != 0;
        match (stops(self.tty.modes()), stops(&modes)) {
            (false, true) => self.tell(packet::DO_STOP),
            (true, false) => self.tell(packet::NO_STOP),
            (true, true) | (false, false) => {}
        }
        self.tty.set_modes(modes);
    }

    /// Drops queues.
    pub fn flush(&mut self, which: Flush) {
        if which != Flush::Output {
            self.tty.flush();
            self.tell(packet::FLUSH_READ);
        }
        if which != Flush::Input {
            self.output.clear();
            self.tell(packet::FLUSH_WRITE);
        }
    }

    /// Stops output, or lets it go on, as the keys STOP and START do.
    pub fn set_stopped(&mut self, is_stopped: bool) {
        self.tty.set_stopped(is_stopped);
        self.tell(if is_stopped { packet::STOP } else { packet::START });
    }

    /// Turns packet mode on or off.
    pub fn set_packets(&mut self, on: bool) {
        self.packet = on.then(|| self.packet.unwrap_or(packet::DATA));
    }

    /// Returns whether the master reads packets.
    pub fn has_packets(&self) -> bool {
        self.packet.is_some()
    }

    fn tell(&mut self, what: u8) {
        if let Some(packet) = &mut self.packet {
            *packet |= what;
        }
    }

    /// Returns how many bytes a side could read now.
    pub fn waiting(&self, side: Side) -> usize {
        match side {
            Side::Master => self.output.len(),
            Side::Slave => self.tty.input_len(),
        }
    }

    /// Returns how many bytes a side has written that the other has not read.
    pub fn unread(&self, side: Side) -> usize {
        match side {
            Side::Master => self.tty.input_len(),
            Side::Slave => self.output.len(),
        }
    }

    /// Returns what a side can do without waiting.
    pub fn ready(&self, end: &PtyEnd) -> Ready {
        if self.is_hung_up(end) {
            return Ready { read: true, write: true };
        }
        match end.side {
            Side::Master => {
                let has_news = self.packet.is_some_and(|packet| packet != packet::DATA);
                Ready { read: has_news || self.has_output(), write: self.takes_input() }
            }
            Side::Slave => {
                let has_enough = self.tty.readiness(usize::MAX) == Readiness::Ready;
                let read = self.tty.has_input() && has_enough;
                Ready { read, write: self.takes_output() }
            }
        }
    }

    /// Reads on a side; nothing where it would have to wait.
    ///
    /// # Errors
    /// EIO: the master's slaves are gone.
    pub fn read(&mut self, end: &PtyEnd, into: &mut [u8]) -> Result<Option<usize>, Errno> {
        match end.side {
            Side::Master => self.read_output(into),
            Side::Slave if self.is_hung_up(end) => Ok(Some(0)),
            Side::Slave if self.tty.readiness(into.len()) == Readiness::Ready => {
                Ok(Some(self.tty.read(into)))
            }
            Side::Slave => Ok(None),
        }
    }

    /// Writes on a side; returns what was moved, and the signals that keys asked for.
    ///
    /// # Errors
    /// EIO: a slave's master is gone.
    pub fn write(
        &mut self,
        end: &PtyEnd,
        bytes: &[u8],
    ) -> Result<(Option<usize>, Vec<Signal>), Errno> {
        if end.side == Side::Slave && self.is_hung_up(end) {
            return Err(Errno::EIO);
        }
        let mut signals = Vec::new();
        let mut count = 0;
        for &byte in bytes {
            let takes = match end.side {
                Side::Master => self.takes_input(),
                Side::Slave => self.takes_output(),
            };
            if !takes {
                break;
            }
            match end.side {
                Side::Master => signals.extend(self.receive(byte)),
                Side::Slave => self.tty.output(byte, &mut Bounded(&mut self.output)),
            }
            count += 1;
        }
        let moved = (count != 0 || bytes.is_empty()).then_some(count);
        Ok((moved, signals))
    }

    fn receive(&mut self, byte: u8) -> Option<Signal> {
        let before = self.tty.is_stopped();
        let signal = self.tty.receive(byte, &mut Bounded(&mut self.output));
        match (before, self.tty.is_stopped()) {
            (false, true) => self.tell(packet::STOP),
            (true, false) => self.tell(packet::START),
            (true, true) | (false, false) => {}
        }
        signal
    }

    fn read_output(&mut self, into: &mut [u8]) -> Result<Option<usize>, Errno> {
        let (first, rest) = match (self.packet, into) {
            (Some(_), []) => return Ok(Some(0)),
            (Some(news), [first, ..]) if news != packet::DATA => {
                *first = news;
                self.packet = Some(packet::DATA);
                return Ok(Some(1));
            }
            (Some(_), [first, rest @ ..]) => (Some(first), rest),
            (None, into) => (None, into),
        };
        if !self.has_output() {
            return if self.was_left { Err(Errno::EIO) } else { Ok(None) };
        }
        let head = usize::from(first.is_some());
        if let Some(first) = first {
            *first = packet::DATA;
        }
        let count = self.output.len().min(rest.len());
        for (place, byte) in rest.iter_mut().zip(self.output.drain(..count)) {
            *place = byte;
        }
        Ok(Some(head + count))
    }

    fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Returns whether another key has room. By lines a full queue takes keys, and rings the bell,
    /// as long as no line can be read: the line could not be ended otherwise.
    fn takes_input(&self) -> bool {
        let is_by_lines = self.tty.modes().local & flags::local::ICANON != 0;
        self.tty.has_room() || (is_by_lines && !self.tty.has_input())
    }

    fn takes_output(&self) -> bool {
        !self.tty.is_stopped() && self.output.len() + OUTPUT_MAX <= OUTPUT_CAPACITY
    }
}
