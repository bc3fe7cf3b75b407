//! Fingers on the keyboard: a terminal tells what was typed, not how long keys were held.
//!
//! ```text
//!   Stroke ─► key before it released ─► modifiers that differ ─► key pressed ... all released
//! ```
//!
//! A key is held until the next one, or for a while, so that programs find it down that look now and
//! then. Modifiers are held from one key to the next as long as both have them, and not changed
//! before the program looks for another key, or has had time to look at them with the one that it has
//! got.

use super::keys::{ALT, CONTROL, EXTENDED, LEFT_SHIFT, Modifiers, RELEASED, Stroke, pad_scan};

/// How long a key is held that no other one follows, ns.
const HELD_NS: u64 = 50_000_000;
/// The same while the program has not taken it.
const UNTAKEN_NS: u64 = 500_000_000;
/// How long modifiers are held at least when the program has taken the key, ns.
const TAKEN_NS: u64 = 10_000_000;

/// What is held down.
#[derive(Default)]
pub(crate) struct Fingers {
    /// The key: its scan code, and whether that is an extended one.
    key: Option<(u8, bool)>,
    with: Modifiers,
    /// When the key was pressed.
    since: u64,
    /// Whether the program has taken it and looked for another one.
    is_done: bool,
}

impl Fingers {
    /// Returns when they move next: for a stroke that waits, or away.
    pub(crate) fn due(&self, next: Option<Stroke>, is_taken: bool) -> Option<u64> {
        let held = match (self.key, next) {
            (None, None) => return None,
            (None, Some(_)) => 0,
            (Some(_), Some(next)) if self.is_done || next.modifiers() == self.with => 0,
            (Some(_), Some(_)) if is_taken => TAKEN_NS,
            (Some(_), None) if !is_taken => UNTAKEN_NS,
            (Some(_), _) => HELD_NS,
        };
        Some(self.since.saturating_add(held))
    }

    /// Tells that a program has looked for a key and found none.
    pub(crate) fn looked_in_vain(&mut self) {
        self.is_done = true;
    }

    /// Presses a key after the last one; calls `send` with the scan codes in turn.
    pub(crate) fn press(&mut self, stroke: Stroke, now: u64, mut send: impl FnMut(u8)) {
        match stroke {
            Stroke::Key { scan, extended, with } => {
                self.release_key(&mut send);
                self.hold(with, &mut send);
                send_key(scan, extended, &mut send);
                (self.key, self.since, self.is_done) = (Some((scan, extended)), now, false);
            }
            Stroke::Number(byte) => {
                self.lift(&mut send);
                send(ALT);
                for digit in [byte / 100, byte / 10 % 10, byte % 10] {
                    let scan = pad_scan(digit);
                    send(scan);
                    send(scan | RELEASED);
                }
                send(ALT | RELEASED);
            }
        }
    }

    /// Releases everything; calls `send` with the scan codes in turn.
    pub(crate) fn lift(&mut self, mut send: impl FnMut(u8)) {
        self.release_key(&mut send);
        self.hold(Modifiers::default(), &mut send);
    }

    fn release_key(&mut self, send: &mut impl FnMut(u8)) {
        if let Some((scan, extended)) = self.key.take() {
            send_key(scan | RELEASED, extended, send);
        }
    }

    /// Releases and presses modifiers until these are held.
    fn hold(&mut self, with: Modifiers, send: &mut impl FnMut(u8)) {
        let was = core::mem::replace(&mut self.with, with);
        let keys = [
            (LEFT_SHIFT, was.shift, with.shift),
            (CONTROL, was.control, with.control),
            (ALT, was.alt, with.alt),
        ];
        let released = keys.iter().rev().filter(|(_, was, is)| *was && !*is);
        released.for_each(|(scan, ..)| send(scan | RELEASED));
        let pressed = keys.iter().filter(|(_, was, is)| *is && !*was);
        pressed.for_each(|(scan, ..)| send(*scan));
    }
}

fn send_key(code: u8, extended: bool, send: &mut impl FnMut(u8)) {
    if extended {
        send(EXTENDED);
    }
    send(code);
}

#[cfg(test)]
mod tests {
    use super::{Fingers, HELD_NS, TAKEN_NS, UNTAKEN_NS};
    use crate::bios::keys::{Modifiers, Stroke};
    use alloc::vec::Vec;

    const LEFT: u8 = 0x4b;

    fn with_shift(scan: u8) -> Stroke {
        Stroke::function(scan, Modifiers { shift: true, ..Modifiers::default() })
    }

    fn scan_codes(strokes: &[Stroke]) -> Vec<u8> {
        let (mut found, mut fingers) = (Vec::new(), Fingers::default());
        for stroke in strokes {
            fingers.press(*stroke, 0, |code| found.push(code));
        }
        fingers.lift(|code| found.push(code));
        found
    }

    #[test]
    fn characters_are_typed_with_shift_control_or_a_number() {
        let typed = |byte| scan_codes(&[Stroke::character(byte)]);
        assert_eq!(typed(b'a'), [0x1e, 0x9e]);
        assert_eq!(typed(b'A'), [0x2a, 0x1e, 0x9e, 0xaa]);
        assert_eq!(typed(3), [0x1d, 0x2e, 0xae, 0x9d]);
        assert_eq!(typed(b'\n'), [0x1c, 0x9c]);
        assert_eq!(typed(132), [0x38, 0x4f, 0xcf, 0x51, 0xd1, 0x50, 0xd0, 0xb8]);
        let with = Modifiers { control: true, ..Modifiers::default() };
        let left = [0x1d, 0xe0, 0x4b, 0xe0, 0xcb, 0x9d];
        assert_eq!(scan_codes(&[Stroke::function(LEFT, with)]), left);
    }

    #[test]
    fn modifiers_stay_down_between_keys_that_have_them() {
        let keys = scan_codes(&[with_shift(LEFT), with_shift(LEFT), Stroke::character(3)]);
        let lefts = [0x2a, 0xe0, 0x4b, 0xe0, 0xcb, 0xe0, 0x4b, 0xe0, 0xcb, 0xaa];
        assert_eq!(keys, [&lefts[..], &[0x1d, 0x2e, 0xae, 0x9d]].concat());
    }

    #[test]
    fn other_modifiers_wait_for_the_program() {
        let mut fingers = Fingers::default();
        assert_eq!(fingers.due(None, true), None);
        assert_eq!(fingers.due(Some(with_shift(LEFT)), false), Some(0));
        fingers.press(with_shift(LEFT), 100, |_| {});
        assert_eq!(fingers.due(Some(with_shift(LEFT)), false), Some(100));
        let other = Some(Stroke::character(b'a'));
        assert_eq!(fingers.due(other, true), Some(100 + TAKEN_NS));
        assert_eq!(fingers.due(other, false), Some(100 + HELD_NS));
        assert_eq!(fingers.due(None, true), Some(100 + HELD_NS));
        assert_eq!(fingers.due(None, false), Some(100 + UNTAKEN_NS));
        fingers.looked_in_vain();
        assert_eq!(
            (fingers.due(other, true), fingers.due(None, true)),
            (Some(100), Some(100 + HELD_NS))
        );
    }
}
