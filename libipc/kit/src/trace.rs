//! The kernel's trace, read and told: who called whom, for what, how often, for how long.
//!
//! ```text
//!   rings (memory object) ──> Drain ──> events in order of time ──> calls ──┬──> tree: for people
//!                                                                           ├──> pairs, table
//!                                                                           └──> chrome: for a viewer
//! ```
//!
//! Threads are known by their slots; whoever prints finds names for them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

mod calls;
mod chrome;
mod list;
mod rings;
mod told;
mod tree;

pub use calls::{Call, Message, Outcome, calls};
pub use chrome::chrome;
pub use list::list;
pub use rings::{Drain, Recorded, Rings, read};
pub use told::{of_tag, operation, outcome, request};
pub use tree::{Bounds, grouped, tree};

/// Calls from one thread to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pair {
    /// Slot of the caller.
    pub caller: u16,
    /// Slot of the server.
    pub server: u16,
    /// Calls that are over.
    pub calls: u64,
    /// Calls that are not, as long as the trace goes.
    pub open: u64,
    /// Nanoseconds from call to answer, of all calls.
    pub total_ns: u64,
    /// Of the longest.
    pub longest_ns: u64,
}

/// Returns who called whom, those that took longest first.
pub fn pairs(calls: &[Call]) -> Vec<Pair> {
    let mut found: BTreeMap<(u16, u16), Pair> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.asked.is_some()) {
        let Call { caller, server, .. } = *call;
        let pair =
            found.entry((caller, server)).or_insert(Pair { caller, server, ..Pair::default() });
        match call.total_ns() {
            Some(ns) => {
                pair.calls += 1;
                pair.total_ns += ns;
                pair.longest_ns = pair.longest_ns.max(ns);
            }
            None => pair.open += 1,
        }
    }
    let mut pairs: Vec<Pair> = found.into_values().collect();
    pairs.sort_by_key(|pair| core::cmp::Reverse((pair.total_ns, pair.open)));
    pairs
}

/// Writes who called whom as a table.
///
/// # Errors
/// What `out` returns.
pub fn table(pairs: &[Pair], name: impl Fn(u16) -> String, out: &mut dyn Write) -> fmt::Result {
    out.write_str("CALLER           SERVER            CALLS  TOTAL us LONGEST us\n")?;
    for pair in pairs {
        let (total, longest) = (pair.total_ns / 1000, pair.longest_ns / 1000);
        let (caller, server, calls) = (name(pair.caller), name(pair.server), pair.calls);
        write!(out, "{caller:<16} {server:<16} {calls:>6} {total:>9} {longest:>10}")?;
        match pair.open {
            0 => writeln!(out)?,
            open => writeln!(out, "  {open} open")?,
        }
    }
    Ok(())
}
