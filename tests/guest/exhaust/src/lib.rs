//! Shows that processes that take all they can leave others what their quotas promise.
//!
//! ```text
//!   parent (first task) ──deals out all there is──> two greedy processes: everything, until refused
//!       ^                                           one careful process, afterwards: each kind of
//!       └── "full" ── what was bought, as promised ─┘ thing, for all that its budget buys
//! ```
//!
//! What is bought is real: page tables are made by a thread that walks through memory. When the
//! processes are gone, all is as it was before. The kernel's own tests do this for every order in
//! which things can be taken (`microkernel/core/src/tests/exhaustion.rs`).
#![no_std]
#![deny(unsafe_code)]

mod purse;
mod thing;
mod walk;

pub use purse::Purse;
pub use thing::{ALL, Budget, Thing};

use libipc::abi::boot;
use libipc::{Error, Object, Quota};

/// What stays a process's own: for its stack and heap, and the objects that things refer to.
const OWN: Budget = Budget { pages: 64, units: 64 };

/// Returns what is left of a quota.
///
/// # Errors
/// What the kernel refused.
pub fn left(quota: Quota) -> Result<Budget, Error> {
    let [used, limit, objects] = quota.inspect()?.values;
    let units = (objects >> 32).saturating_sub(objects & u64::from(u32::MAX));
    Ok(Budget { pages: limit.saturating_sub(used), units })
}

/// Takes all that the process can have, beginning with the thing of that number; returns how many
/// things there are.
///
/// # Errors
/// What the kernel refused, for another reason than the quota.
pub fn take_all(first: usize) -> Result<u64, Error> {
    let budget = left(Quota(boot::QUOTA))?.less(OWN);
    let mut purse = Purse::new(budget)?;
    let mut taken = 0;
    for place in 0..ALL.len() {
        taken += purse.spend(ALL[(first + place) % ALL.len()])?;
    }
    Ok(taken)
}

/// Buys each kind of thing for all that the process has; returns how many kinds were not to be had
/// as promised.
///
/// # Errors
/// What the kernel refused, for another reason than the quota.
pub fn check_promise() -> Result<u64, Error> {
    let mut broken = 0;
    for thing in ALL {
        let budget = left(Quota(boot::QUOTA))?.less(OWN);
        let mut purse = Purse::new(budget)?;
        let (bought, promised) = (purse.spend(thing)?, thing.promised(budget));
        purse.end()?;
        let holds = bought >= promised;
        let how = if holds { "holds" } else { "FAILS" };
        libipc::log!("{how}: {bought} of {thing:?}, promised {promised}");
        broken += u64::from(!holds);
    }
    Ok(broken)
}
