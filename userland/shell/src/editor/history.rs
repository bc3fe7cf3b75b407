//! Lines that were entered before.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Most lines that are kept.
const MAX_LINES: usize = 100;

/// Earlier lines, and where among them the person is.
#[derive(Default)]
pub(super) struct History {
    lines: VecDeque<Vec<u8>>,
    /// How many lines back; 0: at the line being typed.
    back: usize,
    /// The line being typed, while an older one is shown.
    typed: Vec<u8>,
}

impl History {
    /// Adds a line, unless it is blank or repeats the last one.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.leave();
        let blank = line.iter().all(|&byte| byte == b' ');
        if blank || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() >= MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_vec());
    }

    /// Goes back to the line being typed.
    pub(super) fn leave(&mut self) {
        self.back = 0;
        self.typed.clear();
    }

    /// Returns the line before the shown one.
    pub(super) fn older(&mut self, shown: &[u8]) -> Option<Vec<u8>> {
        let line = self.lines.get(self.lines.len().checked_sub(self.back + 1)?)?.clone();
        if self.back == 0 {
            self.typed = shown.to_vec();
        }
        self.back += 1;
        Some(line)
    }

    /// Returns the line after the shown one.
    pub(super) fn newer(&mut self, _shown: &[u8]) -> Option<Vec<u8>> {
        self.back = self.back.checked_sub(1)?;
        match self.back {
            0 => Some(core::mem::take(&mut self.typed)),
            back => self.lines.get(self.lines.len() - back).cloned(),
        }
    }
}
