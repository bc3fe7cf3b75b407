//! What outlives the console: modes, the end of input, and who listens.
//!
//! ```text
//!   0: 1 where input has ended   1: modes (4 u32, 24 characters)   41: controllers, watchers:
//!   count u8, then for each: badge u64, place u32                      (little endian)
//! ```
//!
//! A listener's notification is kept by init at the listener's place, if init took it; without a place
//! it ends with this life. A place that the state names is used by nobody else until a state without it
//! was stored: wherever a life ends, no badge meets another's notification. Input that nobody has
//! read and output that the line has not taken yet are lost.

use alloc::vec::Vec;
use core::fmt;

use kamen_kit::kept::{Kept, Region};
use libipc::{Notification, Transport, log};
use protocols::console::Modes;
use protocols::keep::KeepClient;

/// Who keeps the state for the next life.
pub trait Keeper: fmt::Debug {
    /// Keeps the notification of a place; returns whether it certainly is.
    fn keep(&mut self, place: u32, notification: Notification) -> bool;
    /// Forgets the notification of a place; returns whether it certainly is.
    fn forget(&mut self, place: u32) -> bool;
    /// Keeps the rest; returns whether it is, or what was before.
    fn store(&mut self, state: &[u8]) -> bool;
}

/// Memory that init keeps, and init itself.
#[derive(Debug)]
pub struct Supervised<R, T> {
    /// The memory.
    pub state: Kept<R>,
    /// init.
    pub supervisor: KeepClient<T>,
}

impl<R: Region + fmt::Debug, T: Transport + fmt::Debug> Keeper for Supervised<R, T> {
    fn keep(&mut self, place: u32, notification: Notification) -> bool {
        let kept = self.supervisor.keep_notification(place, notification);
        if let Err(failure) = kept {
            log!("a listener is not kept beyond this life: {failure:?}");
        }
        kept.is_ok()
    }

    fn forget(&mut self, place: u32) -> bool {
        let forgotten = self.supervisor.forget(place);
        if let Err(failure) = forgotten {
            log!("place {place} is not forgotten yet: {failure:?}");
        }
        forgotten.is_ok()
    }

    fn store(&mut self, state: &[u8]) -> bool {
        let is_stored = self.state.store(state).is_ok();
        if !is_stored {
            log!("the memory \"state\" is too small: modes and listeners end with this life");
        }
        is_stored
    }
}

/// A listener without its notification: badge and place.
pub type Record = (u64, u32);

/// The state as bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Whether the input of a pipe has ended.
    pub has_ended: bool,
    /// The terminal's modes.
    pub modes: Modes,
    /// Who controls, the innermost last.
    pub controllers: Vec<Record>,
    /// Who watches.
    pub watchers: Vec<Record>,
}

impl State {
    /// Returns the bytes that stand for the state.
    pub fn emit(&self) -> Vec<u8> {
        let Modes { input, output, control, local, characters } = self.modes;
        let mut bytes = Vec::from([u8::from(self.has_ended)]);
        for flags in [input, output, control, local] {
            bytes.extend(flags.to_le_bytes());
        }
        bytes.extend(characters);
        for list in [&self.controllers, &self.watchers] {
            bytes.push(list.len() as u8);
            for (badge, place) in list {
                bytes.extend(badge.to_le_bytes());
                bytes.extend(place.to_le_bytes());
            }
        }
        bytes
    }

    /// Returns the state that bytes stand for, unless they are malformed.
    pub fn parse(bytes: &[u8]) -> Option<State> {
        let mut rest = bytes;
        let has_ended = take::<1>(&mut rest)? == [1];
        let mut flags = || take(&mut rest).map(u32::from_le_bytes);
        let (input, output, control, local) = (flags()?, flags()?, flags()?, flags()?);
        let modes = Modes { input, output, control, local, characters: take(&mut rest)? };
        let (controllers, watchers) = (list(&mut rest)?, list(&mut rest)?);
        Some(State { has_ended, modes, controllers, watchers })
    }
}

fn list(rest: &mut &[u8]) -> Option<Vec<Record>> {
    let [count] = take(rest)?;
    let record = |_| Some((u64::from_le_bytes(take(rest)?), u32::from_le_bytes(take(rest)?)));
    (0..count).map(record).collect()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::State;
    use alloc::vec;
    use kamen_kit::tty::default_modes;

    #[test]
    fn states_come_back_and_truncated_ones_do_not() {
        let state = State {
            has_ended: true,
            modes: default_modes(),
            controllers: vec![(1 << 63 | 4, 0), (5, 3)],
            watchers: vec![(9, 63)],
        };
        let bytes = state.emit();
        assert_eq!(State::parse(&bytes), Some(state));
        for len in 0..bytes.len() {
            assert_eq!(State::parse(&bytes[..len]), None, "{len} bytes");
        }
    }
}
