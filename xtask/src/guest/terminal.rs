//! The host's terminal: raw for the guest, and restored whatever happens.

use super::Event;
use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

/// The terminal's modes before they were changed; nothing while they are unchanged.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width.
    pub columns: u16,
    /// Height.
    pub rows: u16,
}

/// Returns whether a person sits in front of both input and output.
pub fn is_interactive() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// Returns the terminal's size, 80 by 24 where it tells none.
pub fn size() -> Size {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col, rows: size.ws_row }
        }
        _ => Size { columns: 80, rows: 24 },
    }
}

/// Gives every key to the guest until [`restore`], which panics do as well.
///
/// # Errors
/// Where the terminal refuses.
pub fn make_raw() -> Result<()> {
    let before = tcgetattr(stdin()).context("the terminal's modes can't be read")?;
    let mut raw = before.clone();
    raw.make_raw();
    *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
    }));
    tcsetattr(stdin(), OptionalActions::Now, &raw).context("the terminal can't be made raw")
}

/// Gives the terminal its own modes back; does nothing where it has them.
pub fn restore() {
    if let Some(before) = SAVED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Nothing can be done where this fails: the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

/// Writes a line to stderr, as a raw terminal wants it where it is raw.
pub fn say(line: &str) {
    let is_raw = SAVED.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    let end = if is_raw { "\r\n" } else { "\n" };
    let _ = stderr().lock().write_all(format!("{line}{end}").as_bytes());
}

/// Turns signals that would end this program into events; the second one ends it at once.
///
/// # Errors
/// Where the handlers can't be installed.
pub fn forward_signals(sender: Sender<Event>) -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        let mut arrived = signals.forever();
        if let Some(number) = arrived.next() {
            restore();
            let _ = sender.send(Event::Signal(number));
        }
        if let Some(number) = arrived.next() {
            std::process::exit(128 + number);
        }
    });
    Ok(())
}
