//! Resource limits: asking for them, setting them, and what exceeds them.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::linux::signals;
use crate::linux::structures::{Fields, SECOND};
use crate::memory::Bounds;
use crate::open::MAX_DESCRIPTORS;
use crate::process::{Limit, Pid, Process, Resource, UNLIMITED};
use crate::signal::Info;

/// getrlimit(2)
pub fn getrlimit(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [resource, address, ..] = context.words;
    let resource = Resource::from_number(resource).ok_or(Errno::EINVAL)?;
    let limit = context.own().limits.of(resource);
    context.copy_out(address, &emit(limit))?;
    Ok(0)
}

/// setrlimit(2)
pub fn setrlimit(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [resource, address, ..] = context.words;
    let resource = Resource::from_number(resource).ok_or(Errno::EINVAL)?;
    let limit = limit_in(context, address)?;
    let pid = context.pid;
    set(context, pid, resource, limit)
}

/// prlimit64(2)
pub fn prlimit64(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, resource, new, old, ..] = context.words;
    let pid = if pid as u32 == 0 { context.pid } else { Pid(pid as u32) };
    let resource = Resource::from_number(resource).ok_or(Errno::EINVAL)?;
    let new = if new == 0 { None } else { Some(limit_in(context, new)?) };
    may_limit(context, pid)?;
    let before = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.limits.of(resource);
    if let Some(limit) = new {
        set(context, pid, resource, limit)?;
    }
    context.copy_out_if(old, &emit(before))?;
    Ok(0)
}

/// Checks that the caller may look at and change another process's limits (prlimit(2)).
fn may_limit(context: &mut Context<'_>, pid: Pid) -> Result<(), Errno> {
    let who = context.own().credentials.clone();
    let other = &context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.credentials;
    let same = |mine: u32, theirs: crate::credentials::Ids| {
        [theirs.real, theirs.effective, theirs.saved].iter().all(|&id| id == mine)
    };
    let is_own = same(who.user.real, other.user) && same(who.group.real, other.group);
    if pid == context.pid || is_own || who.can(Capability::Resource) {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

fn emit(limit: Limit) -> alloc::vec::Vec<u8> {
    Fields::default().u64(limit.soft).u64(limit.hard).0
}

fn limit_in(context: &mut Context<'_>, address: u64) -> Result<Limit, Errno> {
    let bytes: [u8; 16] = context.array_in(address)?;
    let words = u128::from_le_bytes(bytes);
    Ok(Limit { soft: words as u64, hard: (words >> 64) as u64 })
}

fn set(context: &mut Context<'_>, pid: Pid, resource: Resource, limit: Limit) -> Result<u64, Stop> {
    if limit.soft > limit.hard {
        return Err(Errno::EINVAL.into());
    }
    let may_raise = context.own().credentials.can(Capability::Resource);
    let process = context.unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
    if limit.hard > process.limits.of(resource).hard && !may_raise {
        return Err(Errno::EPERM.into());
    }
    if resource == Resource::Descriptors {
        // As Linux refuses what is beyond fs.nr_open.
        if limit.hard > MAX_DESCRIPTORS as u64 {
            return Err(Errno::EPERM.into());
        }
        process.descriptors.set_limit(limit.soft as usize);
    }
    process.limits.set(resource, limit);
    if let Some(mm) = &process.mm {
        mm.borrow_mut().set_bounds(Bounds::of(&process.limits));
    }
    if resource == Resource::Cpu {
        context.unix.watch_processor_time(pid);
    }
    Ok(0)
}

/// Cuts a write to a regular file at the limit of its size.
///
/// # Errors
/// EFBIG, and SIGXFSZ is sent: nothing can be written (setrlimit(2), `RLIMIT_FSIZE`).
pub fn within_file_size(context: &mut Context<'_>, at: u64, len: u64) -> Result<u64, Errno> {
    room_in_file(context.own(), at, len).inspect_err(|_| signal_file_size(context))
}

/// Returns how many of so many bytes at an offset a process's limit of files' sizes lets it write.
///
/// # Errors
/// EFBIG: nothing can be written.
pub fn room_in_file(process: &Process, at: u64, len: u64) -> Result<u64, Errno> {
    let most = process.limits.soft(Resource::FileSize);
    if most == UNLIMITED || at.saturating_add(len) <= most {
        return Ok(len);
    }
    if at < most { Ok(most - at) } else { Err(Errno::EFBIG) }
}

/// Tells the caller that a file can't grow any more.
pub fn signal_file_size(context: &mut Context<'_>) {
    let info = Info::of_user(signals::SIGXFSZ, context.pid.0, 0);
    context.unix.send_to_thread(context.number, info);
}

/// Returns whether a user may have one more thread, of a process of its own or not
/// (`copy_process`, kernel/fork.c).
pub fn may_fork<'p>(parent: &Process, all: impl Iterator<Item = &'p Process>) -> bool {
    let most = parent.limits.soft(Resource::Processes);
    let user = parent.credentials.user.real;
    // The bound of all threads together is checked elsewhere.
    if most >= crate::process::MAX_THREADS as u64 || parent.credentials.can(Capability::Resource) {
        return true;
    }
    let threads = all.filter(|process| process.credentials.user.real == user);
    (threads.map(|process| process.threads.len().max(1)).sum::<usize>() as u64) < most
}

impl crate::unix::Unix {
    /// Looks at a process's processor time when its limit can be reached at the earliest.
    pub(crate) fn watch_processor_time(&mut self, pid: Pid) {
        let Some(process) = self.processes.get(&pid) else { return };
        let Limit { soft, hard } = process.limits.of(Resource::Cpu);
        if soft == UNLIMITED && hard == UNLIMITED || process.is_zombie() {
            if let Some(process) = self.processes.get_mut(&pid) {
                process.time_watch = None;
            }
            return;
        }
        let used = crate::proc::run_time(self, pid).total();
        let (soft, hard) = (soft.saturating_mul(SECOND), hard.saturating_mul(SECOND));
        let now = self.machine.now();
        let Some(process) = self.processes.get_mut(&pid) else { return };
        let warned = process.time_warned;
        let mut signal = None;
        if used >= hard {
            signal = Some(signals::SIGKILL);
        } else if used >= soft.max(warned) {
            // From the soft limit on, once a second (setrlimit(2), `RLIMIT_CPU`).
            signal = Some(signals::SIGXCPU);
            process.time_warned = used.saturating_add(SECOND);
        }
        let next = hard.min(soft.max(process.time_warned));
        // Threads on several processors use time faster than it passes.
        let rest = next.saturating_sub(used) / process.threads.len().max(1) as u64;
        let at = now.saturating_add(rest.max(SECOND / 100));
        process.time_watch = Some(at);
        if let Some(signal) = signal {
            self.send(pid, Info::of_system(signal));
        }
        self.wake_at(at);
    }

    /// Looks at those processes whose limit may have been reached; returns when to look again.
    pub(crate) fn processor_time_due(&mut self, now: u64) -> Option<u64> {
        let due = self.processes.values().filter(|one| one.time_watch.is_some_and(|at| at <= now));
        let due: alloc::vec::Vec<_> = due.map(|process| process.pid).collect();
        for pid in due {
            self.watch_processor_time(pid);
        }
        self.processes.values().filter_map(|process| process.time_watch).min()
    }
}
