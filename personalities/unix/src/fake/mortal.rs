//! Lives of the server that end at a store to kept memory, or at something that others see.

extern crate std;

use alloc::boxed::Box;
use core::cell::Cell;
use std::panic::resume_unwind;
use std::thread_local;

use kamen_kit::kept::Guard;

thread_local! {
    /// How many steps this test's server has left to live.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static IS_DEAD: Cell<bool> = const { Cell::new(false) };
}

/// Ends a life when its steps are used up. What its corpse stores while it is taken apart is not
/// made: a real one does nothing any more.
#[derive(Clone, Copy, Debug)]
pub struct Mortal;

impl Mortal {
    /// Gives the server so many steps, and life.
    pub fn live_for(steps: u64) {
        LEFT.set(steps);
        IS_DEAD.set(false);
    }

    /// Takes a dead server apart, which stores nothing any more.
    pub fn bury<T>(corpse: T) {
        LEFT.set(0);
        IS_DEAD.set(true);
        drop(corpse);
        Mortal::live_for(u64::MAX);
    }

    /// Returns whether the server lives; ends it, once, when its steps are used up.
    pub fn step() -> bool {
        match LEFT.get() {
            u64::MAX => true,
            0 if IS_DEAD.replace(true) => false,
            0 => resume_unwind(Box::new("death")),
            left => {
                LEFT.set(left - 1);
                true
            }
        }
    }
}

impl Guard for Mortal {
    fn allows() -> bool {
        Mortal::step()
    }
}
