//! A client of the console: what it says of itself, output, and reads that wait for nobody.

use alloc::format;

use kamen_chaos::Dice;
use libipc::{Error, Failure, Transport};
use protocols::console::ConsoleClient;
use protocols::stream::{StreamClient, StreamError, StreamKind, Wait};

use super::Worker;
use crate::watched::{Notes, Once, Watched, Witness};

/// One step of so many writes a line: whoever reads the output has other things to do.
const RARELY: u64 = 40;

/// The client of a console whose line is a pipe.
pub struct ConsoleWorker<'a, T, W> {
    /// The console's streams.
    pub stream: StreamClient<Watched<'a, T, W>>,
    /// The same, for calls that wait for input which does not come.
    pub waiting: StreamClient<Watched<'a, T, W>>,
    /// Its other operations.
    pub console: ConsoleClient<Watched<'a, T, W>>,
    /// What it notes.
    pub notes: &'a Notes<W>,
    /// Lines written.
    pub lines: u64,
}

impl<T: Transport, W: Witness> ConsoleWorker<'_, T, W> {
    fn ask(&self) {
        if let Some(kind) = self.notes.repeatable(self.stream.kind()) {
            self.notes.expect("kind", kind, Ok(StreamKind::Pipe));
        }
        if let Some(size) = self.notes.repeatable(self.console.size()) {
            self.notes.expect("size", size.is_ok(), true);
        }
        if let Some(modes) = self.notes.repeatable(self.console.modes()) {
            self.notes.expect("modes", modes.is_ok(), true);
        }
    }

    fn write(&mut self) {
        self.lines += 1;
        let line = format!("console line {}\n", self.lines);
        match self.notes.once(self.stream.write(Wait::Yes, line.as_bytes())) {
            Once::Answered(Ok(len)) => {
                self.notes.expect("write", (1..=line.len() as u64).contains(&len), true);
            }
            Once::Answered(Err(error)) => self.notes.wrong(format_args!("write: {error:?}")),
            Once::Restarted | Once::Broken => {}
        }
    }

    fn read_at_once(&self) {
        match self.notes.once(self.stream.read(Wait::Never, &mut [0; 16])) {
            Once::Answered(answer) => {
                // The host's end of input may have been seen, or not yet.
                let is_nothing = matches!(answer, Ok(0) | Err(StreamError::WouldBlock));
                self.notes.expect("read of nothing", is_nothing, true);
            }
            Once::Restarted | Once::Broken => {}
        }
    }

    /// Waits for input until the console dies, or some time has passed.
    fn read_waiting(&self) {
        match self.waiting.read(Wait::Yes, &mut [0; 16]) {
            Err(Failure::Kernel(Error::TimedOut)) => self.notes.note(|tally| tally.others += 1),
            result => match self.notes.once(result) {
                Once::Answered(answer) => self.notes.expect("waiting read", answer, Ok(0)),
                Once::Restarted | Once::Broken => {}
            },
        }
    }
}

impl<T: Transport, W: Witness> Worker for ConsoleWorker<'_, T, W> {
    fn step(&mut self, dice: &mut Dice) {
        match dice.roll(RARELY) {
            0 => self.write(),
            1..4 => self.read_waiting(),
            4..12 => self.read_at_once(),
            _ => self.ask(),
        }
    }

    fn finish(&mut self) {}
}
