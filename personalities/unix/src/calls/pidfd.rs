//! Descriptors of processes: pidfd_open, pidfd_send_signal, pidfd_getfd.

use crate::Errno;
use crate::calls::epoll::add;
use crate::calls::signals;
use crate::context::{Context, Stop};
use crate::linux::flags::open as flags;
use crate::open::{Description, Kind, Object, Slot};
use crate::process::Pid;

/// pidfd_open(2)
pub fn pidfd_open(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, bits, ..] = context.words;
    // PIDFD_NONBLOCK is O_NONBLOCK.
    if bits as u32 & !flags::NON_BLOCKING != 0 || pid as i32 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let pid = Pid(pid as u32);
    if !context.unix.processes.contains_key(&pid) {
        // A thread that leads no process is none (ERRORS, Linux before 6.9).
        let is_thread = context.unix.threads.values().any(|thread| thread.tid == pid);
        return Err(if is_thread { Errno::EINVAL } else { Errno::ESRCH }.into());
    }
    of_process(context, pid, bits as u32)
}

/// Opens a process; the descriptor is closed on exec.
pub(super) fn of_process(context: &mut Context<'_>, pid: Pid, status: u32) -> Result<u64, Stop> {
    let number = context.unix.unique();
    let started = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.started;
    context.unix.process_files.add(number, pid, started)?;
    add(context, Kind::Process, number, true, status)
}

/// Returns which process a descriptor names; nothing once somebody has waited for it.
///
/// # Errors
/// EBADF: it names none.
pub(super) fn named(context: &Context<'_>, file: &Description) -> Result<Option<Pid>, Errno> {
    match &file.borrow().object {
        Object::Numbered(one) if one.kind() == Kind::Process => {
            let process = context.unix.process_of(one.number());
            Ok(process.map(|process| process.pid))
        }
        _ => Err(Errno::EBADF),
    }
}

/// pidfd_send_signal(2)
pub fn pidfd_send_signal(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, number, info, bits, ..] = context.words;
    if bits as u32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = context.file(fd)?;
    let to = named(context, &file)?;
    signals::send_named(context, to, number, info)
}

/// pidfd_getfd(2)
pub fn pidfd_getfd(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, wanted, bits, ..] = context.words;
    if bits as u32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = context.file(fd)?;
    let pid = named(context, &file)?.ok_or(Errno::ESRCH)?;
    let owner = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    let may_look = pid == context.pid
        || owner.settings.is_dumpable && context.own().credentials.may_trace(&owner.credentials);
    if !may_look {
        return Err(Errno::EPERM.into());
    }
    let file = owner.descriptors.file(wanted)?;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec: true })?)
}
