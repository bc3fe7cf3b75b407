//! Signal descriptors (signalfd(2)): sets of signals to be read instead of handled.
//!
//! What is read are the signals of whoever reads, so an entry is nothing but the set.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::events::MAX_OF_A_KIND;
use crate::linux::structures::Fields;
use crate::readiness::{READABLE, Readiness};
use crate::signal::{Info, SignalSet};
use crate::unix::Unix;
use crate::wake::Channel;

/// Bytes of `struct signalfd_siginfo` (linux/signalfd.h).
pub const INFO_BYTES: usize = 128;

/// All signal descriptors.
#[derive(Default, Debug)]
pub struct SignalFiles(BTreeMap<u64, SignalSet>);

impl SignalFiles {
    /// Adds a descriptor's set.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_OF_A_KIND`].
    pub fn add(&mut self, number: u64, set: SignalSet) -> Result<(), Errno> {
        if self.0.len() >= MAX_OF_A_KIND {
            return Err(Errno::ENFILE);
        }
        self.set(number, set);
        Ok(())
    }

    /// Gives a descriptor another set.
    pub fn set(&mut self, number: u64, set: SignalSet) {
        self.0.insert(number, set);
    }

    /// Takes a set out whose descriptor nobody has open any more.
    pub fn remove(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// Returns whether nobody has such a descriptor: then nobody has to be told of signals.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, number: u64) -> SignalSet {
        self.0.get(&number).copied().unwrap_or_default()
    }
}

/// Returns the signals of the acting thread that wait and are in a descriptor's set.
fn waiting(unix: &Unix, number: u64) -> SignalSet {
    let Some(thread) = unix.threads.get(&unix.acting) else { return SignalSet::default() };
    let Some(process) = unix.processes.get(&thread.pid) else { return SignalSet::default() };
    let all = thread.pending.set().union(process.pending.set());
    SignalSet(all.0 & unix.signal_files.of(number).0)
}

fn channel(unix: &Unix) -> Option<Channel> {
    Some(Channel::Signals(unix.threads.get(&unix.acting)?.pid))
}

/// Takes as many signals as there is room for.
///
/// # Errors
/// Wait: none is there; EINVAL: there is no room for one.
pub fn read(unix: &mut Unix, number: u64, into: &mut [u8]) -> Result<usize, Stop> {
    if into.len() < INFO_BYTES {
        return Err(Errno::EINVAL.into());
    }
    let mut done = 0;
    for place in into.chunks_exact_mut(INFO_BYTES) {
        let Some(signal) = waiting(unix, number).first() else { break };
        place.copy_from_slice(&emit(&take(unix, signal)));
        done += INFO_BYTES;
    }
    match done {
        0 => Err(Stop::Wait(Wait {
            channels: channel(unix).into_iter().collect(),
            ..Wait::default()
        })),
        done => Ok(done),
    }
}

/// Takes a signal that waits, the thread's own first.
fn take(unix: &mut Unix, signal: u8) -> Info {
    let acting = unix.acting;
    let thread = unix.threads.get_mut(&acting);
    let pid = thread.as_ref().map(|thread| thread.pid);
    let own = thread.and_then(|thread| thread.pending.take(signal));
    let process = pid.and_then(|pid| unix.processes.get_mut(&pid));
    own.or_else(|| process?.pending.take(signal)).unwrap_or(Info::of_system(signal))
}

/// Returns what the acting thread can read from a descriptor.
pub fn readiness(unix: &Unix, number: u64) -> Readiness {
    let events = if waiting(unix, number).first().is_some() { READABLE } else { 0 };
    Readiness { events, channels: [channel(unix), None, None] }
}

/// Returns `struct signalfd_siginfo`.
fn emit(info: &Info) -> Vec<u8> {
    let address = if info.is_fault() { info.value } else { 0 };
    let (pid, uid) = if info.is_fault() { (0, 0) } else { (info.pid, info.uid) };
    let status = if info.is_fault() { 0 } else { info.value as u32 };
    let head = Fields::default().u32(info.signal.into()).u32(0).u32(info.code as u32).u32(pid);
    // uid, fd, tid, band, overrun, trap number, status, int, ptr, user and system time, address.
    let head = head.u32(uid).u32(0).u32(0).u32(0).u32(0).u32(0).u32(status).u32(status);
    head.u64(info.value).u64(0).u64(0).u64(address).zeros_to(INFO_BYTES).0
}
