//! Ctrl-C and Ctrl-Break: from the terminal to what a program has for them.
//!
//! ```text
//!   Ctrl-C ─┬─ the program takes keys as they come ─► key 03; the third within a second: Ctrl-Break
//!           ├─ it has hooked INT 1Bh ─► Ctrl-Break ─► INT 1Bh
//!           └─ else ─► DOS: INT 23h at the next function that looks, or the program's end
//!   key 03 in a function that looks, INT 1Bh that nobody hooked ─► DOS
//! ```
//! Keys as they come are those of INT 16h, INT 21h/AH=06 and 07, of who hooked INT 9 or has all of the
//! terminal: what a program looked with last counts. Functions that look are those of characters, all
//! but AH=06 and 07 with BREAK=ON (RBIL INT 21/AH=33, INT 23). A PC's DOS does nothing while a program
//! computes; here Ctrl-C ends it then unless it has a handler, as people expect of a terminal.

use crate::bios::keys::{Modifiers, Stroke};
use crate::bios::{self, data};
use crate::dos::Refusal;
use crate::host::Host;
use crate::session::{End, Session};

/// Scan code of the key that is Break with Ctrl.
const BREAK: u8 = 0x46;
/// Ctrl-C as a character.
const CONTROL_C: u8 = 3;
/// How many Ctrl-C within which time are keys, ns.
const KEYS_MAX: u32 = 2;
const SPAN_NS: u64 = 1_000_000_000;

/// Ctrl-C that were typed.
#[derive(Default)]
pub(crate) struct Breaks {
    /// Whether no handler has seen the last one.
    is_pending: bool,
    /// How many came in one go, and when that began.
    count: u32,
    since: u64,
}

impl Breaks {
    /// Counts one more; returns how many came before it within a second.
    fn count(&mut self, now: u64) -> u32 {
        if now.saturating_sub(self.since) > SPAN_NS {
            (self.count, self.since) = (0, now);
        }
        self.count += 1;
        self.count - 1
    }
}

impl<H: Host> Session<H> {
    /// Takes up a Ctrl-C of the terminal.
    pub(crate) fn take_up_break(&mut self) {
        let takes_keys =
            self.screen.is_full() || self.dos.input.is_raw || bios::is_hooked(&self.bus, 9);
        if !takes_keys && bios::is_hooked(&self.bus, 0x1b) {
            return self.press_break();
        }
        if !takes_keys {
            return self.ask_for_break();
        }
        let now = self.host.monotonic();
        match self.breaks.count(now) {
            0..KEYS_MAX => self.dos.input.type_stroke(Stroke::character(CONTROL_C)),
            KEYS_MAX => self.press_break(),
            _ => self.ask_for_break(),
        }
    }

    fn press_break(&mut self) {
        let with = Modifiers { control: true, ..Modifiers::default() };
        self.dos.input.type_stroke(Stroke::function(BREAK, with));
    }

    /// DOS has heard of Ctrl-C: the program's handler is called at the next function that looks; without
    /// one, or when it has not been called since the last time, the session ends.
    pub(crate) fn ask_for_break(&mut self) {
        if self.breaks.is_pending || !bios::is_hooked(&self.bus, 0x23) {
            self.finish(End::Interrupted);
        }
        self.breaks.is_pending = true;
    }

    /// Returns and forgets whether Ctrl-C waits for a handler.
    pub(crate) fn take_break(&mut self) -> bool {
        core::mem::take(&mut self.breaks.is_pending)
    }

    /// The same where DOS looks: Ctrl-C as the next key counts as well.
    pub(crate) fn look_for_break(&mut self) -> bool {
        if data::peek_key(&self.bus).is_some_and(|key| key as u8 == CONTROL_C) {
            data::take_key(&mut self.bus);
            self.ask_for_break();
        }
        self.take_break()
    }

    /// Ctrl-C came as a key where DOS looks for it.
    pub(crate) fn break_typed(&mut self) -> Refusal {
        self.ask_for_break();
        Refusal::Break
    }
}
