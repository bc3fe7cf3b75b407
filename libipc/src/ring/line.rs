//! One side's line in the header: how far it is, and whether it sleeps.
//!
//! ```text
//!   who has something new             who sleeps
//!   publish: store position           announce: store sleeps = 1
//!            fence                              fence
//!   wake:    load sleeps              look:     load position: something new? then go on
//!            1: swap 0, ring                    nothing: wait for the bell
//!                                     withdraw: store sleeps = 0
//! ```
//! Each side writes, then reads what the other wrote; the fences forbid that both read what was
//! there before (`tests/wake.rs` tries all orders, with store buffers). The bell, a notification,
//! keeps a ring that comes before the wait. Who rings clears the flag first, so that a batch rings
//! once, and a sleeper that has woken and sleeps again is at worst rung for nothing.

use core::num::NonZeroU32;
use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// One side's line; that side writes `position`, both write `sleeps`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    position: &'static AtomicU64,
    sleeps: &'static AtomicU64,
}

impl Line {
    pub(super) const fn new(position: &'static AtomicU64, sleeps: &'static AtomicU64) -> Self {
        Line { position, sleeps }
    }

    /// Returns how far the side is; what it did before can be read now.
    #[inline(always)]
    pub(super) fn position(self) -> Position {
        Position(self.position.load(Acquire))
    }

    /// Shows how far the side is, and everything that it did before.
    #[inline(always)]
    pub(super) fn publish(self, position: Position) {
        self.position.store(position.0, Release);
    }

    /// Returns whether the side sleeps, so that it is to be rung now: once.
    #[inline(always)]
    pub(super) fn wake(self) -> bool {
        fence(SeqCst);
        self.sleeps.load(Relaxed) != 0 && self.sleeps.swap(0, SeqCst) != 0
    }

    /// Says that the side is about to sleep; it looks at the peer's position once more first.
    #[inline(always)]
    pub(super) fn announce(self) {
        self.sleeps.store(1, Relaxed);
        fence(SeqCst);
    }

    /// Says that the side is awake.
    #[inline(always)]
    pub(super) fn withdraw(self) {
        self.sleeps.store(0, Relaxed);
    }
}

/// How far a side is: entries that it has put into its queue, in which generation of the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position(u64);

impl Position {
    /// Set in the generation that a server will not go on with, as another life of it began it.
    const ENDED: u32 = 1 << 31;

    #[inline(always)]
    pub(super) const fn new(generation: Generation, count: u32) -> Self {
        Position((generation.0.get() as u64) << 32 | count as u64)
    }

    /// Returns the position that says that a generation has ended.
    pub(super) const fn ended(generation: Generation) -> Self {
        Position(((generation.0.get() | Self::ENDED) as u64) << 32)
    }

    #[inline(always)]
    pub(super) const fn count(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    pub(super) const fn is_of(self, generation: Generation) -> bool {
        (self.0 >> 32) as u32 == generation.0.get()
    }

    /// Returns the generation, ended or not; none before the first, which is not a client's word.
    pub(super) const fn generation(self) -> Option<Generation> {
        match NonZeroU32::new((self.0 >> 32) as u32 & !Self::ENDED) {
            Some(generation) => Some(Generation(generation)),
            None => None,
        }
    }

    pub(super) const fn is_ended(self) -> bool {
        (self.0 >> 32) as u32 & Self::ENDED != 0
    }
}

/// Which use of the ring's memory: the client counts them, from 1 on, at each reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Generation(NonZeroU32);

impl Generation {
    /// Returns the generation after that of a position.
    pub(super) const fn after(position: Position) -> Self {
        let before = (position.0 >> 32) as u32 & !Position::ENDED;
        match NonZeroU32::new((before + 1) & !Position::ENDED) {
            Some(next) => Generation(next),
            None => Generation(NonZeroU32::MIN),
        }
    }
}
