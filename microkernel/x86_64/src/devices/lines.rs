//! All interrupt lines: which are masked, and no edge lost.
//!
//! A level-triggered line is masked in its controller. An edge that meets a masked controller
//! is lost (82093AA 3.2.4), and a serial port whose edge was lost is silent for ever. So an
//! edge-triggered line stays open while it counts as masked; the first edge meanwhile is
//! remembered and masks the controller, and unmasking delivers it.
//!
//! ```text
//!                     arrives: tell the core
//!            ┌──────── Open ────────────────────> Masked ───┐ arrives (edge): controller masked
//!            │          ▲   unmask                  │       ▼
//!            │          └───────────────────────────┘    Pending
//!            │ unmask                                       │ unmask: controller opened,
//!   Closed ──┘                                    Masked <──┘ and interrupt sent to self
//! ```

use super::io_apic::{IoApic, Mask, Signal};
use super::local_apic::LocalApic;
use super::vectors;

/// Lines that have a vector.
pub(crate) const MAX_LINES: usize = (vectors::TIMER - vectors::LINES) as usize;
/// Controllers that are used.
pub(crate) const MAX_CONTROLLERS: usize = 4;

/// What becomes of a line's interrupts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Held back by the controller.
    Closed,
    /// Told to the core.
    Open,
    /// Edge-triggered: remembered.
    Masked,
    /// One is remembered; further ones are held back by the controller.
    Pending,
}

#[derive(Clone, Copy)]
struct Line {
    state: State,
    signal: Signal,
}

/// The interrupt lines of the machine.
pub(crate) struct Lines {
    controllers: [Option<IoApic>; MAX_CONTROLLERS],
    lines: [Line; MAX_LINES],
    apic: LocalApic,
}

impl Lines {
    /// Takes the controllers over, all lines masked. `signal` tells how a line signals.
    pub(crate) fn new(
        mut controllers: [Option<IoApic>; MAX_CONTROLLERS],
        apic: LocalApic,
        signal: impl Fn(u32) -> Signal,
    ) -> Self {
        let lines =
            core::array::from_fn(|line| Line { state: State::Closed, signal: signal(line as u32) });
        for controller in controllers.iter_mut().flatten() {
            for (number, line) in (0..controller.end()).zip(&lines) {
                if controller.has(number) {
                    controller.configure(number, line.signal, apic.id());
                }
            }
        }
        Lines { controllers, lines, apic }
    }

    /// Returns the number of lines.
    pub(crate) fn count(&self) -> u32 {
        let end = self.controllers.iter().flatten().map(IoApic::end).max();
        end.unwrap_or(0).min(MAX_LINES as u32)
    }

    /// Takes an interrupt; returns its line if the core is to be told. The line is masked then.
    pub(crate) fn arrived(&mut self, vector: u64) -> Option<u32> {
        if !(vectors::LINES..vectors::TIMER).contains(&vector) {
            return None;
        }
        let number = (vector - vectors::LINES) as u32;
        let Line { state, signal } = self.lines[number as usize];
        let next = match (state, signal.level) {
            (State::Open, true) => State::Closed,
            (State::Open, false) => State::Masked,
            (State::Masked, _) => State::Pending,
            (State::Closed | State::Pending, _) => state,
        };
        self.enter(number, next);
        self.apic.acknowledge();
        (state == State::Open).then_some(number)
    }

    /// Unmasks a line.
    pub(crate) fn unmask(&mut self, number: u32) {
        let Some(line) = self.lines.get(number as usize) else { return };
        let was = line.state;
        self.enter(number, State::Open);
        if was == State::Pending {
            self.apic.interrupt_self(vectors::LINES + u64::from(number));
        }
    }

    /// Changes a line's state, and its controller's mask where that follows.
    fn enter(&mut self, number: u32, state: State) {
        let line = &mut self.lines[number as usize];
        let mask = |state| match state {
            State::Open | State::Masked => Mask::Open,
            State::Closed | State::Pending => Mask::Masked,
        };
        let old = core::mem::replace(&mut line.state, state);
        if mask(old) == mask(state) {
            return;
        }
        if let Some(controller) = self.controllers.iter_mut().flatten().find(|it| it.has(number)) {
            controller.set_masked(number, line.signal, mask(state));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::devices::mmio::Mmio;
    use std::boxed::Box;

    const EDGE: u32 = 4;
    const LEVEL: u32 = 20;
    /// Words of the local APIC's command register, of an I/O APIC's window.
    const COMMAND: usize = 0x300 / 4;
    const WINDOW: usize = 0x10 / 4;
    const MASKED: u32 = 1 << 16;

    /// Registers that remember what was written last.
    fn registers(words: &'static mut [u32; 1024]) -> (Mmio, impl Fn(usize) -> u32) {
        let first: *mut u32 = words.as_mut_ptr();
        // SAFETY: the words live for ever and only this test's thread uses them.
        let mmio = unsafe { Mmio::new(first as u64) };
        // SAFETY: as above.
        let read = move |word| unsafe { first.add(word).read_volatile() };
        (mmio, read)
    }

    /// Lines of one controller with 24; with what was sent to self, and the entry written last.
    fn lines() -> (Lines, impl Fn() -> u32, impl Fn() -> u32) {
        let (apic, command) = registers(Box::leak(Box::new([0; 1024])));
        let (mut io_apic, window) = registers(Box::leak(Box::new([0; 1024])));
        io_apic.write(0x10, 23 << 16);
        let controllers = [Some(IoApic::new(io_apic, 0)), None, None, None];
        let signal = |line| Signal { level: line >= 16, low: line >= 16 };
        let lines = Lines::new(controllers, LocalApic::enable(apic), signal);
        (lines, move || command(COMMAND), move || window(WINDOW))
    }

    fn vector(line: u32) -> u64 {
        vectors::LINES + u64::from(line)
    }

    #[test]
    fn an_edge_while_masked_is_delivered_on_unmasking() {
        let (mut lines, sent, entry) = lines();
        lines.unmask(EDGE);
        assert_eq!(entry(), vector(EDGE) as u32);
        assert_eq!(lines.arrived(vector(EDGE)), Some(EDGE));
        assert_eq!(entry() & MASKED, 0);
        assert_eq!(lines.arrived(vector(EDGE)), None);
        assert_eq!(entry() & MASKED, MASKED);
        assert_eq!(sent(), 0);
        lines.unmask(EDGE);
        assert_eq!(entry() & MASKED, 0);
        assert_eq!(sent() as u8, vector(EDGE) as u8);
        assert_eq!(lines.arrived(vector(EDGE)), Some(EDGE));
    }

    #[test]
    fn a_level_is_masked_until_unmasked() {
        let (mut lines, sent, entry) = lines();
        lines.unmask(LEVEL);
        assert_eq!(entry(), vector(LEVEL) as u32 | 1 << 13 | 1 << 15);
        assert_eq!(lines.arrived(vector(LEVEL)), Some(LEVEL));
        assert_eq!(entry() & MASKED, MASKED);
        assert_eq!(lines.arrived(vector(LEVEL)), None);
        lines.unmask(LEVEL);
        assert_eq!(entry() & MASKED, 0);
        assert_eq!(sent(), 0);
    }

    #[test]
    fn vectors_of_no_line_are_nobody_s() {
        let (mut lines, _, _) = lines();
        for vector in [vectors::LEGACY, vectors::TIMER, vectors::SPURIOUS] {
            assert_eq!(lines.arrived(vector), None);
        }
        assert_eq!(lines.arrived(vector(7)), None);
        assert_eq!(lines.count(), 24);
        lines.unmask(u32::MAX);
    }
}
