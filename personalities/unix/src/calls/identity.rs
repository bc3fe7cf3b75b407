//! Who a process is: its numbers, group, session, users and groups.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::Ids;
use crate::linux::structures::Fields;
use crate::process::Pid;

/// Most supplementary groups.
const MAX_GROUPS: u64 = 64;
/// The id that leaves what is there.
const KEEP: u32 = u32::MAX;

/// getpid(2)
pub fn getpid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.pid.0.into())
}

/// gettid(2)
pub fn gettid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.thread().tid.0.into())
}

/// getppid(2)
pub fn getppid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().parent.0.into())
}

/// Returns the process that an argument names, 0 being the caller.
fn named(context: &Context<'_>, argument: u64) -> Pid {
    if argument as u32 == 0 { context.pid } else { Pid(argument as u32) }
}

/// getpgrp(2)
pub fn getpgrp(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().group.0.into())
}

/// getpgid(2)
pub fn getpgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let pid = named(context, context.words[0]);
    let process = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    Ok(process.group.0.into())
}

/// getsid(2)
pub fn getsid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let pid = named(context, context.words[0]);
    let process = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    Ok(process.session.0.into())
}

/// setpgid(2)
pub fn setpgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (caller, session) = (context.pid, context.process().session);
    let pid = named(context, context.words[0]);
    let group = if context.words[1] as u32 == 0 { pid } else { Pid(context.words[1] as u32) };
    if (context.words[1] as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let processes = &mut context.unix.processes;
    let exists = processes.values().any(|p| p.group == group && p.session == session);
    let process = processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
    if pid != caller && process.parent != caller {
        return Err(Errno::ESRCH.into());
    }
    if pid != caller && process.has_executed {
        return Err(Errno::EACCES.into());
    }
    if process.session != session || process.session == pid || (group != pid && !exists) {
        return Err(Errno::EPERM.into());
    }
    process.group = group;
    Ok(0)
}

/// setsid(2)
pub fn setsid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let pid = context.pid;
    if context.unix.processes.values().any(|process| process.group == pid) {
        return Err(Errno::EPERM.into());
    }
    let process = context.process();
    (process.session, process.group) = (pid, pid);
    Ok(pid.0.into())
}

/// getuid(2)
pub fn getuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().credentials.user.real.into())
}

/// geteuid(2)
pub fn geteuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().credentials.user.effective.into())
}

/// getgid(2)
pub fn getgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().credentials.group.real.into())
}

/// getegid(2)
pub fn getegid(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(context.process().credentials.group.effective.into())
}

/// getresuid(2)
pub fn getresuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let ids = context.process().credentials.user;
    put_ids(context, ids)
}

/// getresgid(2)
pub fn getresgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let ids = context.process().credentials.group;
    put_ids(context, ids)
}

fn put_ids(context: &mut Context<'_>, ids: Ids) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    context.copy_out(real, &ids.real.to_le_bytes())?;
    context.copy_out(effective, &ids.effective.to_le_bytes())?;
    context.copy_out(saved, &ids.saved.to_le_bytes())?;
    Ok(0)
}

/// Returns ids with those changed that are asked for and allowed.
fn changed(ids: Ids, new: [u64; 3], is_root: bool) -> Result<Ids, Errno> {
    let mut result = ids;
    let slots = [&mut result.real, &mut result.effective, &mut result.saved];
    for (slot, id) in slots.into_iter().zip(new) {
        let id = id as u32;
        if id != KEEP {
            if !is_root && !ids.has(id) {
                return Err(Errno::EPERM);
            }
            *slot = id;
        }
    }
    Ok(result)
}

/// setresuid(2)
pub fn setresuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    let who = &mut context.process().credentials;
    who.user = changed(who.user, [real, effective, saved], who.is_root())?;
    Ok(0)
}

/// setresgid(2)
pub fn setresgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    let who = &mut context.process().credentials;
    who.group = changed(who.group, [real, effective, saved], who.is_root())?;
    Ok(0)
}

/// setuid(2)
pub fn setuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let id = context.words[0];
    let who = &mut context.process().credentials;
    let rest = if who.is_root() { id } else { KEEP.into() };
    who.user = changed(who.user, [rest, id, rest], who.is_root())?;
    Ok(0)
}

/// setgid(2)
pub fn setgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let id = context.words[0];
    let who = &mut context.process().credentials;
    let rest = if who.is_root() { id } else { KEEP.into() };
    who.group = changed(who.group, [rest, id, rest], who.is_root())?;
    Ok(0)
}

/// setreuid(2)
pub fn setreuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, ..] = context.words;
    let who = &mut context.process().credentials;
    who.user = changed(who.user, [real, effective, effective], who.is_root())?;
    Ok(0)
}

/// setregid(2)
pub fn setregid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, ..] = context.words;
    let who = &mut context.process().credentials;
    who.group = changed(who.group, [real, effective, effective], who.is_root())?;
    Ok(0)
}

/// getgroups(2)
pub fn getgroups(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [most, address, ..] = context.words;
    let groups = context.process().credentials.groups.clone();
    if most != 0 {
        if groups.len() as u64 > most {
            return Err(Errno::EINVAL.into());
        }
        let bytes = groups.iter().fold(Fields::default(), |fields, &group| fields.u32(group)).0;
        context.copy_out(address, &bytes)?;
    }
    Ok(groups.len() as u64)
}

/// setgroups(2)
pub fn setgroups(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [count, address, ..] = context.words;
    if !context.process().credentials.is_root() {
        return Err(Errno::EPERM.into());
    }
    if count > MAX_GROUPS {
        return Err(Errno::EINVAL.into());
    }
    let mut groups = alloc::vec::Vec::new();
    for index in 0..count {
        groups.push(context.u32_in(address.wrapping_add(4 * index))?);
    }
    context.process().credentials.groups = groups;
    Ok(0)
}
