//! Signals: actions, masks, sending, returning from handlers.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::credentials::Capability;
use crate::linux::signals::{self, action, alt_stack, code};
use crate::linux::structures::Fields;
use crate::process::{AltStack, Pid, Process, ThreadNumber};
use crate::signal::{Action, Info, RestoredFrame, SignalSet};
use crate::wake::Channel;

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
    let before = context.own().actions.of(number);
    let fields = Fields::default().u64(before.handler).u64(before.flags);
    let bytes = fields.u64(before.restorer).u64(before.mask.0).0;
    context.copy_out_if(old, &bytes)?;
    if let Some(action) = new {
        let process = context.process();
        process.actions.set(number, action);
        if process.actions.ignores(number) {
            context.unix.drop_pending(context.pid, SignalSet::of(number));
        }
    }
    Ok(0)
}

fn action_in(context: &mut Context<'_>, address: u64) -> Result<Action, Errno> {
    let [handler, flags, restorer, mask] = context.words_in(address)?;
    let flags = flags & action::KNOWN;
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
    let before = context.own_thread().mask;
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
    let set = context.own_thread().pending.set().union(context.own().pending.set());
    context.copy_out(address, &set.0.to_le_bytes())?;
    Ok(0)
}

/// rt_sigsuspend(2)
pub fn sigsuspend(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    if len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    if context.own_thread().mask_after.is_none() {
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
    let waiting = context.own_thread().pending.set().union(context.own().pending.set());
    let both = SignalSet(waiting.0 & set.0);
    if let Some(number) = both.first() {
        let own = context.thread().pending.take(number);
        let info = own.or_else(|| context.process().pending.take(number));
        let info = info.unwrap_or(Info::of_system(number));
        let info = context.unix.taken(context.pid, info);
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
    // Signals of the set are taken here, not handled: they are to be blocked by the caller.
    Err(Stop::Wait(Wait { deadline, ..Wait::on(Channel::Signals(context.pid)) }))
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
    let thread = context.thread();
    thread.mask = restored.mask.maskable();
    thread.alt_stack = restored.alt_stack;
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
    let [new, old, ..] = context.words;
    let stack = context.own_thread().alt_stack;
    let pointer = context.registers()?.rsp;
    if new != 0 {
        let [base, flags, len] = context.words_in(new)?;
        let flags = flags as u32;
        if stack.flags(pointer) & alt_stack::ON_STACK != 0 {
            return Err(Errno::EPERM.into());
        }
        let mode = flags & !alt_stack::AUTO_DISARM;
        if ![0, alt_stack::ON_STACK, alt_stack::DISABLED].contains(&mode) {
            return Err(Errno::EINVAL.into());
        }
        if mode != alt_stack::DISABLED && len < alt_stack::SMALLEST {
            return Err(Errno::ENOMEM.into());
        }
        context.thread().alt_stack = AltStack::new(base, flags, len);
    }
    let fields = Fields::default().u64(stack.base).u32(stack.flags(pointer)).u32(0);
    context.copy_out_if(old, &fields.u64(stack.len).0)?;
    Ok(0)
}

/// Returns whether one process may send another a signal, or may ask whether it is there
/// (`check_kill_permission`, kernel/signal.c).
fn may_signal(from: &Process, to: &Process, signal: Option<u8>) -> bool {
    let (own, other) = (&from.credentials.user, &to.credentials.user);
    let is_same = |id: u32| id == other.real || id == other.saved;
    // A shell continues its jobs, whoever they have become.
    let continues = signal == Some(signals::SIGCONT) && from.session == to.session;
    let is_own = from.pid == to.pid || is_same(own.real) || is_same(own.effective);
    is_own || continues || from.credentials.can(Capability::Kill)
}

/// kill(2)
pub fn kill(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [to, number, ..] = context.words;
    let number = if number as u32 == 0 { None } else { Some(signal(number)?) };
    let to = to as i32;
    if to > 0 {
        return kill_one(context, to as u32, number);
    }
    let (own, group) = (context.pid, context.own().group);
    let all = context.unix.processes.values();
    let targets = all.filter(|process| match to {
        0.. => process.group == group,
        -1 => process.pid != own,
        _ => process.group.0 == to.unsigned_abs(),
    });
    let mut is_any = false;
    let allowed = targets.inspect(|_| is_any = true);
    let allowed = allowed.filter(|process| may_signal(context.own(), process, number));
    let allowed: alloc::vec::Vec<Pid> = allowed.map(|process| process.pid).collect();
    if !is_any {
        return Err(Errno::ESRCH.into());
    }
    // Whom everybody is sent to may be nobody (`kill_something_info`, kernel/signal.c).
    if allowed.is_empty() && to != -1 {
        return Err(Errno::EPERM.into());
    }
    if let Some(number) = number {
        let user = context.own().credentials.user.real;
        for pid in allowed {
            context.unix.send(pid, Info::of_user(number, own.0, user));
        }
    }
    Ok(0)
}

fn kill_one(context: &mut Context<'_>, to: u32, number: Option<u8>) -> Result<u64, Stop> {
    let pid = process_of(context, to).ok_or(Errno::ESRCH)?;
    check_permission(context, pid, number)?;
    if let Some(number) = number {
        let user = context.own().credentials.user.real;
        context.unix.send(pid, Info::of_user(number, context.pid.0, user));
    }
    Ok(0)
}

/// Returns the process that has a number, or one of whose threads has it.
fn process_of(context: &Context<'_>, number: u32) -> Option<Pid> {
    let number = Pid(number);
    if context.unix.processes.contains_key(&number) {
        return Some(number);
    }
    let threads = context.unix.threads.values();
    threads.filter(|thread| thread.tid == number).map(|thread| thread.pid).next()
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
    if (tid as i32) <= 0 || pid.is_some_and(|pid| pid.0 as i32 <= 0) {
        return Err(Errno::EINVAL.into());
    }
    let (to, owner) = thread_of(context, pid, tid)?;
    let signal = if number as u32 == 0 { None } else { Some(signal(number)?) };
    check_permission(context, owner, signal)?;
    if let Some(signal) = signal {
        let uid = context.own().credentials.user.real;
        let info = Info::of_user(signal, context.pid.0, uid);
        context.unix.send_to_thread(to, Info { code: code::TKILL, ..info });
    }
    Ok(0)
}

/// Returns the thread of a number, and its process.
fn thread_of(
    context: &Context<'_>,
    pid: Option<Pid>,
    tid: u64,
) -> Result<(ThreadNumber, Pid), Errno> {
    let tid = Pid(tid as u32);
    let target = context.unix.threads.values().find(|thread| thread.tid == tid);
    let target = target.filter(|thread| pid.is_none_or(|pid| thread.pid == pid));
    target.map(|thread| (thread.number, thread.pid)).ok_or(Errno::ESRCH)
}

fn check_permission(context: &Context<'_>, to: Pid, signal: Option<u8>) -> Result<(), Errno> {
    let to = context.unix.processes.get(&to).ok_or(Errno::ESRCH)?;
    if may_signal(context.own(), to, signal) { Ok(()) } else { Err(Errno::EPERM) }
}

/// rt_sigqueueinfo(2)
pub fn sigqueueinfo(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, number, info, ..] = context.words;
    let info = info_in(context, number, info, Pid(pid as u32))?;
    let pid = process_of(context, pid as u32).ok_or(Errno::ESRCH)?;
    let sent = Some(info.signal).filter(|_| number as u32 != 0);
    check_permission(context, pid, sent)?;
    let process = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    if !process.pending.has_room(info.signal) {
        return Err(Errno::EAGAIN.into());
    }
    if sent.is_some() {
        context.unix.send(pid, info);
    }
    Ok(0)
}

/// Sends to the process that a descriptor names, if it is still there (pidfd_send_signal(2)).
pub(super) fn send_named(
    context: &mut Context<'_>,
    to: Option<Pid>,
    number: u64,
    info_at: u64,
) -> Result<u64, Stop> {
    let user = context.own().credentials.user.real;
    let signal = if number as u32 == 0 { None } else { Some(signal(number)?) };
    let mut info = Info::of_user(signal.unwrap_or_default(), context.pid.0, user);
    if info_at != 0 {
        if context.u32_in(info_at)? != number as u32 {
            return Err(Errno::EINVAL.into());
        }
        info = info_in(context, number, info_at, to.unwrap_or(Pid(0)))?;
    }
    let to = to.ok_or(Errno::ESRCH)?;
    check_permission(context, to, signal)?;
    let process = context.unix.processes.get(&to).ok_or(Errno::ESRCH)?;
    if info_at != 0 && !process.pending.has_room(info.signal) {
        return Err(Errno::EAGAIN.into());
    }
    if signal.is_some() {
        context.unix.send(to, info);
    }
    Ok(0)
}

/// rt_tgsigqueueinfo(2)
pub fn tgsigqueueinfo(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, tid, number, info, ..] = context.words;
    let pid = Pid(pid as u32);
    let info = info_in(context, number, info, pid)?;
    let (to, owner) = thread_of(context, Some(pid), tid)?;
    let sent = Some(info.signal).filter(|_| number as u32 != 0);
    check_permission(context, owner, sent)?;
    let thread = context.unix.threads.get(&to).ok_or(Errno::ESRCH)?;
    if !thread.pending.has_room(info.signal) {
        return Err(Errno::EAGAIN.into());
    }
    if sent.is_some() {
        context.unix.send_to_thread(to, info);
    }
    Ok(0)
}

/// Reads `siginfo_t`: signal, error, code, then who and what. Only to itself a process may send
/// what looks like the kernel's own or tgkill(2)'s.
fn info_in(context: &mut Context<'_>, number: u64, at: u64, to: Pid) -> Result<Info, Errno> {
    let bytes = context.array_in::<128>(at)?;
    let word = |at: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        u32::from_le_bytes(word)
    };
    let signal = if number as u32 == 0 { 1 } else { signal(number)? };
    let code = word(8) as i32;
    if (code >= 0 || code == code::TKILL) && to != context.pid {
        return Err(Errno::EPERM);
    }
    let value = u64::from(word(24)) | u64::from(word(28)) << 32;
    Ok(Info { signal, code, pid: word(16), uid: word(20), value })
}
