//! Futexes that name their owner (futex(2), "Priority-inheritance futexes").
//!
//! ```text
//!   word: 31 somebody waits   30 the owner died   29..0 the owner's thread number; 0: free
//! ```
//! What a program cannot do in its own memory alone: to wait, and to hand over to the first that
//! waits. Priorities do not differ here, so that none is inherited. Who waits for a futex to own it
//! is in the queue of an address one above, where no other futex can be.

use super::{TRIES, key};
use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::futex::Key;
use crate::linux::flags::futex;
use crate::process::ThreadNumber;
use crate::unix::Unix;

/// Bits of the word (linux/futex.h).
pub(crate) const WAITERS: u32 = 0x8000_0000;
pub(crate) const OWNER_DIED: u32 = 0x4000_0000;
pub(crate) const OWNER: u32 = 0x3fff_ffff;

/// Returns whether a system call waits to own a futex: it is made again after any handler
/// (`futex_lock_pi`, kernel/futex/pi.c of Linux: ERESTARTNOINTR).
pub(crate) fn is_lock(number: u32, operation: u64) -> bool {
    const FUTEX: u32 = 202;
    let command = operation & 0xffff_ffff & !(futex::PRIVATE | futex::REAL_TIME);
    number == FUTEX && (command == futex::LOCK_PI || command == futex::LOCK_PI2)
}

/// Returns the key of those who wait to own a futex.
pub(crate) fn key_of_waiters(Key(memory, place): Key) -> Key {
    Key(memory, place + 1)
}

/// What a thread that wants a futex does next.
enum Step {
    /// It has it.
    Owned,
    /// It waits, and the word says so.
    Waits,
}

/// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2`
pub(super) fn lock(context: &mut Context<'_>, operation: u64) -> Result<u64, Stop> {
    let [address, _, _, timeout, ..] = context.words;
    let key = key(context, address)?;
    let deadline = match (context.deadline, timeout) {
        (Some(deadline), _) => Some(deadline),
        (None, 0) => None,
        (None, at) => {
            let time = super::super::time::duration_in(context, at)?;
            // FUTEX_LOCK_PI counts the time of day whatever the flag says.
            let command = operation & !(futex::PRIVATE | futex::REAL_TIME);
            let is_day = command == futex::LOCK_PI || operation & futex::REAL_TIME != 0;
            let boot = if is_day { context.machine().boot_time() } else { 0 };
            Some(time.saturating_sub(boot))
        }
    };
    match take(context, address, Errno::EDEADLK)? {
        Step::Owned => return Ok(0),
        Step::Waits => {}
    }
    let now = context.machine().now();
    if deadline.is_some_and(|deadline| deadline <= now) {
        return Err(Errno::ETIMEDOUT.into());
    }
    let waiters = key_of_waiters(key);
    context.unix.futexes.add(context.number, waiters, u32::MAX);
    Err(Stop::Wait(Wait { deadline, ..Wait::on(waiters.channel()) }))
}

/// `FUTEX_TRYLOCK_PI`
pub(super) fn try_lock(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    key(context, address)?;
    let own = context.thread().tid.0;
    let word = context.u32_in(address)?;
    match word & OWNER {
        0 => {
            let call = context.call;
            let new = own | word & (WAITERS | OWNER_DIED);
            let found = context.machine().compare_exchange(call, address, word, new)?;
            if found == word { Ok(0) } else { Err(Errno::EAGAIN.into()) }
        }
        owner if owner == own => Err(Errno::EDEADLK.into()),
        _ => Err(Errno::EAGAIN.into()),
    }
}

/// Takes a futex that is free, or notes in it that somebody waits.
fn take(context: &mut Context<'_>, address: u64, own_already: Errno) -> Result<Step, Errno> {
    let own = context.thread().tid.0;
    let call = context.call;
    let mut word = context.u32_in(address)?;
    for _ in 0..TRIES {
        let owner = word & OWNER;
        if owner == own {
            return Err(own_already);
        }
        let is_free = owner == 0;
        if !is_free && !context.unix.threads.values().any(|thread| thread.tid.0 == owner) {
            return Err(Errno::ESRCH);
        }
        let new = if is_free { own | word & (WAITERS | OWNER_DIED) } else { word | WAITERS };
        let found = context.machine().compare_exchange(call, address, word, new)?;
        if found == word {
            return Ok(if is_free { Step::Owned } else { Step::Waits });
        }
        word = found;
    }
    Err(Errno::EAGAIN)
}

/// `FUTEX_UNLOCK_PI`
pub(super) fn unlock(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let waiters = key_of_waiters(key(context, address)?);
    let (own, call) = (context.thread().tid.0, context.call);
    let mut word = context.u32_in(address)?;
    for _ in 0..TRIES {
        if word & OWNER != own {
            return Err(Errno::EPERM.into());
        }
        let heir = context.unix.heir(waiters);
        let new = heir.map_or(0, |(_, tid)| WAITERS | tid);
        let found = context.machine().compare_exchange(call, address, word, new)?;
        if found == word {
            heir.into_iter().for_each(|(thread, _)| context.unix.inherit(thread));
            return Ok(0);
        }
        word = found;
    }
    Err(Errno::EAGAIN.into())
}

impl Unix {
    /// Returns the first thread that waits to own a futex, and its number as programs see it.
    pub(crate) fn heir(&self, waiters: Key) -> Option<(ThreadNumber, u32)> {
        let thread = self.first_waiter(waiters)?;
        self.threads.get(&thread).map(|found| (thread, found.tid.0))
    }

    /// Lets a thread go on that owns a futex now.
    pub(crate) fn inherit(&mut self, thread: ThreadNumber) {
        self.futexes.forget(thread);
        self.finish_parked(thread, 0);
    }
}
