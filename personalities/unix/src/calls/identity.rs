//! Who a process is: its numbers, group, session, users and groups.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::{Capability, Credentials, Ids};
use crate::linux::structures::Fields;
use crate::process::{Pid, Process, Thread};

/// Most supplementary groups (Linux: 65536; each process has its list in this server's memory).
pub const MAX_GROUPS: u64 = 64;
/// The id that leaves what is there.
const KEEP: u32 = u32::MAX;

/// getpid(2)
pub fn getpid(_: &Thread, process: &Process) -> u64 {
    process.pid.0.into()
}

/// gettid(2)
pub fn gettid(thread: &Thread, _: &Process) -> u64 {
    thread.tid.0.into()
}

/// getppid(2)
pub fn getppid(_: &Thread, process: &Process) -> u64 {
    process.parent.0.into()
}

/// Returns the process that an argument names, 0 being the caller.
fn named(context: &Context<'_>, argument: u64) -> Pid {
    if argument as u32 == 0 { context.pid } else { Pid(argument as u32) }
}

/// getpgrp(2)
pub fn getpgrp(_: &Thread, process: &Process) -> u64 {
    process.group.0.into()
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
    let (caller, session) = (context.pid, context.own().session);
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
pub fn getuid(_: &Thread, process: &Process) -> u64 {
    process.credentials.user.real.into()
}

/// geteuid(2)
pub fn geteuid(_: &Thread, process: &Process) -> u64 {
    process.credentials.user.effective.into()
}

/// getgid(2)
pub fn getgid(_: &Thread, process: &Process) -> u64 {
    process.credentials.group.real.into()
}

/// getegid(2)
pub fn getegid(_: &Thread, process: &Process) -> u64 {
    process.credentials.group.effective.into()
}

/// getresuid(2)
pub fn getresuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let ids = context.own().credentials.user;
    put_ids(context, ids)
}

/// getresgid(2)
pub fn getresgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let ids = context.own().credentials.group;
    put_ids(context, ids)
}

fn put_ids(context: &mut Context<'_>, ids: Ids) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    context.copy_out(real, &ids.real.to_le_bytes())?;
    context.copy_out(effective, &ids.effective.to_le_bytes())?;
    context.copy_out(saved, &ids.saved.to_le_bytes())?;
    Ok(0)
}

/// Which user or group ids a call changes.
#[derive(Clone, Copy)]
enum Whose {
    User,
    Group,
}

impl Whose {
    fn ids(self, who: &Credentials) -> Ids {
        match self {
            Whose::User => who.user,
            Whose::Group => who.group,
        }
    }

    fn is_free(self, who: &Credentials) -> bool {
        who.can(match self {
            Whose::User => Capability::SetUid,
            Whose::Group => Capability::SetGid,
        })
    }

    fn set(self, who: &mut Credentials, ids: Ids) {
        match self {
            Whose::User => who.set_user(ids),
            Whose::Group => who.group = ids,
        }
    }
}

/// Changes those ids that are asked for and allowed; the id for files follows the effective one.
fn change(context: &mut Context<'_>, whose: Whose, new: [u64; 3]) -> Result<u64, Stop> {
    let who = &mut context.process().credentials;
    let (ids, is_free) = (whose.ids(who), whose.is_free(who));
    let mut result = ids;
    let slots = [&mut result.real, &mut result.effective, &mut result.saved];
    for (slot, id) in slots.into_iter().zip(new) {
        let id = id as u32;
        if id != KEEP {
            if !is_free && !ids.has(id) {
                return Err(Errno::EPERM.into());
            }
            *slot = id;
        }
    }
    result.files = result.effective;
    if result.effective != ids.effective {
        context.process().settings.is_dumpable = false;
        context.process().settings.parent_death_signal = 0;
    }
    whose.set(&mut context.process().credentials, result);
    Ok(0)
}

/// setresuid(2)
pub fn setresuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    change(context, Whose::User, [real, effective, saved])
}

/// setresgid(2)
pub fn setresgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [real, effective, saved, ..] = context.words;
    change(context, Whose::Group, [real, effective, saved])
}

/// setuid(2)
pub fn setuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    change_effective(context, Whose::User)
}

/// setgid(2)
pub fn setgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    change_effective(context, Whose::Group)
}

/// Changes the effective id, with the right to it all of them; from the saved id or the real one.
fn change_effective(context: &mut Context<'_>, whose: Whose) -> Result<u64, Stop> {
    let id = context.words[0];
    if id as u32 == KEEP {
        return Err(Errno::EINVAL.into());
    }
    let who = &context.own().credentials;
    let ids = whose.ids(who);
    if whose.is_free(who) {
        return change(context, whose, [id; 3]);
    }
    if id as u32 != ids.real && id as u32 != ids.saved {
        return Err(Errno::EPERM.into());
    }
    change(context, whose, [KEEP.into(), id, KEEP.into()])
}

/// setreuid(2)
pub fn setreuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    change_real(context, Whose::User)
}

/// setregid(2)
pub fn setregid(context: &mut Context<'_>) -> Result<u64, Stop> {
    change_real(context, Whose::Group)
}

/// Changes real and effective id; the saved one follows the effective one where the real one is
/// set, or the effective one to something else than the real one was.
fn change_real(context: &mut Context<'_>, whose: Whose) -> Result<u64, Stop> {
    let [real, effective, ..] = context.words;
    let who = &context.own().credentials;
    let (ids, is_free) = (whose.ids(who), whose.is_free(who));
    let (new_real, new_effective) = (real as u32, effective as u32);
    if new_real != KEEP && !is_free && new_real != ids.real && new_real != ids.effective {
        return Err(Errno::EPERM.into());
    }
    let follows = new_real != KEEP || new_effective != KEEP && new_effective != ids.real;
    let after = if new_effective == KEEP { ids.effective } else { new_effective };
    let saved = if follows { after } else { KEEP };
    change(context, whose, [real, effective, saved.into()])
}

/// setfsuid(2): returns the id before, whatever it does.
pub fn setfsuid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let id = context.words[0] as u32;
    let who = &mut context.process().credentials;
    let before = who.user.files;
    if id != KEEP && (who.user.has(id) || id == before || who.can(Capability::SetUid)) {
        who.set_file_user(id);
    }
    Ok(before.into())
}

/// setfsgid(2): returns the id before, whatever it does.
pub fn setfsgid(context: &mut Context<'_>) -> Result<u64, Stop> {
    let id = context.words[0] as u32;
    let who = &mut context.process().credentials;
    let before = who.group.files;
    if id != KEEP && (who.group.has(id) || id == before || who.can(Capability::SetGid)) {
        who.group.files = id;
    }
    Ok(before.into())
}

/// getgroups(2)
pub fn getgroups(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [most, address, ..] = context.words;
    let groups = context.own().credentials.groups.clone();
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
    if !context.own().credentials.can(Capability::SetGid) {
        return Err(Errno::EPERM.into());
    }
    if count > MAX_GROUPS {
        return Err(Errno::EINVAL.into());
    }
    let mut groups = alloc::vec::Vec::with_capacity(count as usize);
    for index in 0..count {
        groups.push(context.u32_in(address.wrapping_add(4 * index))?);
    }
    context.process().credentials.groups = groups;
    Ok(0)
}
