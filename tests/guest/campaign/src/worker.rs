//! Clients that know what every answer must be.
//!
//! Each calls one server at random, compares with its model, and finds out what became of a call
//! that a death met.

pub mod console;
pub mod counters;
pub mod files;
pub mod names;

#[cfg(test)]
mod tests;

use kamen_chaos::Dice;

/// A client that goes on step by step.
pub trait Worker {
    /// Makes one or a few calls.
    fn step(&mut self, dice: &mut Dice);
    /// Undoes what it made, when no more kills follow.
    fn finish(&mut self);
}
