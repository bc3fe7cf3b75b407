//! The terminal's modes while a DOS program reads keys; they come back when the value goes.

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use std::io::stdin;

/// A terminal that gives keys: not echoed, not gathered to lines. Ctrl-C stays a signal, Ctrl-Z is
/// none.
pub struct Keys {
    before: Termios,
}

impl Keys {
    /// Switches the terminal on standard input to keys; nothing where it refuses.
    pub fn of_terminal() -> Option<Keys> {
        let before = tcgetattr(stdin()).ok()?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        modes.input_modes -= InputModes::ICRNL;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-Z is a character of DOS: the end of a text. 0 disables it (termios(3)).
        modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &modes).ok()?;
        Some(Keys { before })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs no modes.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}
