//! Signals: actions, masks, sending, returning from handlers.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::credentials::Credentials;
use crate::linux::signals::{self, code};
use crate::linux::structures::Fields;
use crate::process::{AltStack, Pid, ThreadNumber};
use crate::signal::{Action, Info, RestoredFrame, SignalSet};

/// Bytes of a signal set (`sizeof(sigset_t)` of the kernel).
const SET_BYTES: u64 = 8;

/// Returns a signal's number.
fn signal(number: u64) -> Result<u8, Errno> {
    let number = number as u32;
    let valid = (1..=u32::from(signals::MAX)).contains(&number);
    if valid { Ok(number as u8) } else { Err(Errno::EINVAL) }
}

/// rt_sigaction(2)
pub fn sigaction(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [number, new, old, len, ..] = context.words;
    let number = signal(number)?;
    if len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    let fixed = matches!(number, signals::SIGKILL | signals::SIGSTOP);
    if new != 0 && fixed {
        return Err(Errno::EINVAL.into());
    }
    let new = match new {
        0 => None,
        address => Some(action_in(context, address)?),
    };
    let before = context.process().actions.of(number);
    let fields = Fields::default().u64(before.handler).u64(before.flags);
    let bytes = fields.u64(before.restorer).u64(before.mask.0).0;
    context.copy_out_if(old, &bytes)?;
    if let Some(action) = new {
        let process = context.process();
        process.actions.set(number, action);
        if process.actions.ignores(number) {
            process.pending.drop_all(SignalSet::of(number));
            context.thread().pending.drop_all(SignalSet::of(number));
        }
    }
    Ok(0)
}

fn action_in(context: &mut Context<'_>, address: u64) -> Result<Action, Errno> {
    let [handler, flags, restorer, mask] = context.words_in(address)?;
    Ok(Action { handler, flags, restorer, mask: SignalSet(mask).maskable() })
}

/// rt_sigprocmask(2)
pub fn sigprocmask(context: &mut Context<'_>) -> Result<u64, Stop> {
    const BLOCK: u64 = 0;
    const UNBLOCK: u64 = 1;
    const SET: u64 = 2;
    let [how, new, old, len, ..] = context.words;
    if len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    let before = context.thread().mask;
    if new != 0 {
        let set = SignalSet(context.u64_in(new)?);
        let mask = match how {
            BLOCK => before.union(set),
            UNBLOCK => before.without(set),
            SET => set,
            _ => return Err(Errno::EINVAL.into()),
        };
        context.thread().mask = mask.maskable();
    }
    context.copy_out_if(old, &before.0.to_le_bytes())?;
    Ok(0)
}

/// rt_sigpending(2)
pub fn sigpending(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let set = context.thread().pending.set().union(context.process().pending.set());
    context.copy_out(address, &set.0.to_le_bytes())?;
    Ok(0)
}

/// rt_sigsuspend(2)
pub fn sigsuspend(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    if len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    if context.thread().mask_after.is_none() {
        let mask = SignalSet(context.u64_in(address)?).maskable();
        set_mask_for_call(context, mask);
    }
    Err(Stop::Wait(Wait::default()))
}

/// Sets the mask for the length of the call.
pub(super) fn set_mask_for_call(context: &mut Context<'_>, mask: SignalSet) {
    let thread = context.thread();
    if thread.mask_after.is_none() {
        thread.mask_after = Some(core::mem::replace(&mut thread.mask, mask));
    }
}

/// pause(2)
pub fn pause(_: &mut Context<'_>) -> Result<u64, Stop> {
    Err(Stop::Wait(Wait::default()))
}

/// rt_sigtimedwait(2)
pub fn sigtimedwait(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [set, info_at, timeout, len, ..] = context.words;
    if len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    let set = SignalSet(context.u64_in(set)?);
    let waiting = context.thread().pending.set().union(context.process().pending.set());
    let both = SignalSet(waiting.0 & set.0);
    if let Some(number) = both.first() {
        let own = context.thread().pending.take(number);
        let info = own.or_else(|| context.process().pending.take(number));
        let info = info.unwrap_or(Info::of_system(number));
        context.copy_out_if(info_at, &crate::signal::emit_info(&info))?;
        return Ok(number.into());
    }
    let deadline = match (context.deadline, timeout) {
        (Some(deadline), _) => Some(deadline),
        (None, 0) => None,
        (None, address) => Some(super::time::deadline_in(context, address)?),
    };
    let now = context.machine().now();
    if deadline.is_some_and(|deadline| deadline <= now) {
        return Err(Errno::EAGAIN.into());
    }
    // Signals of the set are taken here, not handled: the wait looks for them when it is woken.
    Err(Stop::Wait(Wait { deadline, ..Wait::on(crate::wake::Channel::Children(context.pid)) }))
}

/// rt_sigreturn(2)
pub fn sigreturn(context: &mut Context<'_>) -> Result<u64, Stop> {
    let now = context.registers()?;
    let frame = now.rsp.wrapping_sub(8);
    let Ok(bytes) = context.array_in::<{ RestoredFrame::BYTES }>(frame) else {
        return bad_frame(context);
    };
    let restored = RestoredFrame::parse(&bytes, &now);
    let call = context.call;
    if context.machine().set_registers(call, &restored.registers).is_err() {
        return bad_frame(context);
    }
    context.thread().mask = restored.mask.maskable();
    Err(Stop::Resume)
}

fn bad_frame(context: &mut Context<'_>) -> Result<u64, Stop> {
    let info = Info::of_system(signals::SIGSEGV);
    let number = context.number;
    context.unix.force_signal(number, info, "bad frame in rt_sigreturn");
    Err(Stop::Resume)
}

/// sigaltstack(2)
pub fn sigaltstack(context: &mut Context<'_>) -> Result<u64, Stop> {
    const ON_STACK: u32 = 1;
    const DISABLED: u32 = 2;
    const SMALLEST: u64 = 2048;
    let [new, old, ..] = context.words;
    let stack = context.thread().alt_stack;
    let pointer = context.registers()?.rsp;
    let state = if stack.len == 0 {
        DISABLED
    } else if stack.contains(pointer) {
        ON_STACK
    } else {
        0
    };
    if new != 0 {
        let [base, flags, len] = context.words_in(new)?;
        let flags = flags as u32;
        if state == ON_STACK {
            return Err(Errno::EPERM.into());
        }
        if flags & DISABLED == 0 && len < SMALLEST {
            return Err(Errno::ENOMEM.into());
        }
        let disabled = flags & DISABLED != 0;
        context.thread().alt_stack =
            if disabled { AltStack::default() } else { AltStack { base, len } };
    }
    let bytes = Fields::default().u64(stack.base).u32(state).u32(0).u64(stack.len).0;
    context.copy_out_if(old, &bytes)?;
    Ok(0)
}

/// Returns whether one process may signal another (kill(2)).
fn may_signal(from: &Credentials, to: &Credentials) -> bool {
    from.is_root()
        || [from.user.real, from.user.effective]
            .iter()
            .any(|&id| id == to.user.real || id == to.user.saved)
}

/// kill(2)
pub fn kill(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [to, number, ..] = context.words;
    let number = if number as u32 == 0 { None } else { Some(signal(number)?) };
    let (own, group) = (context.pid, context.process().group);
    let to = to as i32;
    let targets: alloc::vec::Vec<Pid> = context
        .unix
        .processes
        .values()
        .filter(|process| match to {
            1.. => process.pid.0 == to as u32,
            0 => process.group == group,
            -1 => process.pid != own,
            _ => process.group.0 == to.unsigned_abs(),
        })
        .map(|process| process.pid)
        .collect();
    if targets.is_empty() {
        return Err(Errno::ESRCH.into());
    }
    let who = context.process().credentials.clone();
    let allowed = |pid: &Pid| {
        let process = context.unix.processes.get(pid);
        process.is_some_and(|process| may_signal(&who, &process.credentials))
    };
    let targets: alloc::vec::Vec<Pid> = targets.into_iter().filter(allowed).collect();
    if targets.is_empty() {
        return Err(Errno::EPERM.into());
    }
    if let Some(number) = number {
        for pid in targets {
            context.unix.send(pid, Info::of_user(number, own.0, who.user.real));
        }
    }
    Ok(0)
}

/// tkill(2)
pub fn tkill(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [tid, number, ..] = context.words;
    send_to(context, None, tid, number)
}

/// tgkill(2)
pub fn tgkill(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, tid, number, ..] = context.words;
    send_to(context, Some(Pid(pid as u32)), tid, number)
}

fn send_to(
    context: &mut Context<'_>,
    pid: Option<Pid>,
    tid: u64,
    number: u64,
) -> Result<u64, Stop> {
    let tid = Pid(tid as u32);
    let target = context.unix.threads.values().find(|thread| thread.tid == tid);
    let target = target.filter(|thread| pid.is_none_or(|pid| thread.pid == pid));
    let (to, owner): (ThreadNumber, Pid) =
        target.map(|thread| (thread.number, thread.pid)).ok_or(Errno::ESRCH)?;
    let who = context.process().credentials.clone();
    let process = context.unix.processes.get(&owner).ok_or(Errno::ESRCH)?;
    if !may_signal(&who, &process.credentials) {
        return Err(Errno::EPERM.into());
    }
    if number as u32 != 0 {
        let info = Info::of_user(signal(number)?, context.pid.0, who.user.real);
        context.unix.send_to_thread(to, Info { code: code::TKILL, ..info });
    }
    Ok(0)
}
