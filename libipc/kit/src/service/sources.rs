//! Sources: which bit of the loop's notification stands for what.

use alloc::vec::Vec;

use libipc::Interrupt;

use super::{Alarm, Problem};

/// Most sources of a server: the notification's bits that are not init's.
pub const MAX_SOURCES: usize = 62;

/// How a device holds its interrupt line, which decides when the line is unmasked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// A change of the line counts (ISA): it is unmasked before the server looks at the device, so
    /// that a change that comes meanwhile is not lost.
    Edge,
    /// The line counts as long as it is held (PCI): it is unmasked after the server has dealt with
    /// the device, which would interrupt again otherwise.
    Level,
}

/// An interrupt line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) interrupt: Interrupt,
    pub(super) number: u32,
    pub(super) trigger: Trigger,
}

/// What sets a bit.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Whoever has a capability to it.
    Bell,
    /// A device.
    Line(Line),
    /// The kernel's clock.
    Alarm(Alarm),
}

/// A source: what the server calls it, and what sets its bit.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub(super) source: T,
    pub(super) kind: Kind,
}

/// The sources; the number of its bit is a source's place.
#[derive(Debug)]
pub(super) struct Sources<T>(Vec<Entry<T>>);

impl<T: Copy> Sources<T> {
    /// Returns no sources.
    pub(super) const fn new() -> Self {
        Sources(Vec::new())
    }

    /// Returns the bit of the next source, which [`Sources::add`] adds.
    ///
    /// # Errors
    /// There are [`MAX_SOURCES`].
    pub(super) fn next_bit(&self) -> Result<u64, Problem> {
        match self.0.len() {
            MAX_SOURCES => Err("cannot start: it has more sources than 62".into()),
            place => Ok(1 << place),
        }
    }

    /// Adds a source, whose bit [`Sources::next_bit`] has told.
    pub(super) fn add(&mut self, source: T, kind: Kind) {
        self.0.push(Entry { source, kind });
    }

    /// Returns the sources among bits, with their own bit, in the order in which they were added.
    /// Bits that stand for none, as an earlier life of the server may have left, are nothing.
    pub(super) fn among(&self, bits: u64) -> impl Iterator<Item = (u64, &Entry<T>)> {
        let placed = self.0.iter().enumerate().map(|(place, entry)| (1 << place, entry));
        placed.filter(move |(bit, _)| bits & bit != 0)
    }
}
