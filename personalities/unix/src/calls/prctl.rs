//! prctl(2), personality(2): what a process sets for itself.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::{Capability, LAST, Secure};
use crate::exec::NAME_MAX;
use crate::linux::signals;
use crate::process::TIMER_SLACK;

/// Operations (linux/prctl.h).
mod operation {
    pub const SET_PARENT_DEATH_SIGNAL: u64 = 1;
    pub const GET_PARENT_DEATH_SIGNAL: u64 = 2;
    pub const GET_DUMPABLE: u64 = 3;
    pub const SET_DUMPABLE: u64 = 4;
    pub const GET_KEEP: u64 = 7;
    pub const SET_KEEP: u64 = 8;
    pub const GET_TIMING: u64 = 13;
    pub const SET_TIMING: u64 = 14;
    pub const SET_NAME: u64 = 15;
    pub const GET_NAME: u64 = 16;
    pub const BOUNDING_READ: u64 = 23;
    pub const BOUNDING_DROP: u64 = 24;
    pub const GET_TSC: u64 = 25;
    pub const SET_TSC: u64 = 26;
    pub const GET_SECURE: u64 = 27;
    pub const SET_SECURE: u64 = 28;
    pub const SET_TIMER_SLACK: u64 = 29;
    pub const GET_TIMER_SLACK: u64 = 30;
    pub const SET_SUBREAPER: u64 = 36;
    pub const GET_SUBREAPER: u64 = 37;
    pub const SET_NO_NEW_PRIVILEGES: u64 = 38;
    pub const GET_NO_NEW_PRIVILEGES: u64 = 39;
    pub const GET_TID_ADDRESS: u64 = 40;
    pub const AMBIENT: u64 = 47;
}

/// prctl(2)
pub fn prctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [operation, argument, third, fourth, fifth, _] = context.words;
    let rest = [third, fourth, fifth];
    match operation {
        operation::SET_NAME => set_name(context, argument),
        operation::GET_NAME => get_name(context, argument),
        operation::SET_PARENT_DEATH_SIGNAL => {
            let signal = u8::try_from(argument).map_err(|_| Errno::EINVAL)?;
            if signal > signals::MAX {
                return Err(Errno::EINVAL.into());
            }
            context.process().settings.parent_death_signal = signal;
            Ok(0)
        }
        operation::GET_PARENT_DEATH_SIGNAL => {
            let signal = u32::from(context.own().settings.parent_death_signal);
            put(context, argument, signal)
        }
        operation::GET_DUMPABLE => Ok(context.own().settings.is_dumpable.into()),
        operation::SET_DUMPABLE => {
            context.process().settings.is_dumpable = flag(argument)?;
            Ok(0)
        }
        operation::GET_TIMING => Ok(0),
        operation::SET_TIMING if argument == 0 => Ok(0),
        operation::GET_TSC => put(context, argument, 1),
        operation::SET_TSC if argument == 1 => Ok(0),
        operation::SET_TIMER_SLACK => {
            context.process().settings.timer_slack =
                if argument as i64 <= 0 { TIMER_SLACK } else { argument };
            Ok(0)
        }
        operation::GET_TIMER_SLACK => Ok(context.own().settings.timer_slack),
        operation::SET_SUBREAPER => {
            context.process().settings.adopts_orphans = argument != 0;
            Ok(0)
        }
        operation::GET_SUBREAPER => {
            let adopts = u32::from(context.own().settings.adopts_orphans);
            put(context, argument, adopts)
        }
        operation::SET_NO_NEW_PRIVILEGES if argument == 1 && rest == [0; 3] => {
            context.process().settings.no_new_privileges = true;
            Ok(0)
        }
        operation::GET_NO_NEW_PRIVILEGES if argument == 0 && rest == [0; 3] => {
            Ok(context.own().settings.no_new_privileges.into())
        }
        operation::GET_TID_ADDRESS => {
            let address = context.own_thread().clear_tid;
            context.copy_out(argument, &address.to_le_bytes())?;
            Ok(0)
        }
        _ => privileges(context, operation, argument, rest),
    }
}

/// The operations about capabilities (capabilities(7)).
fn privileges(
    context: &mut Context<'_>,
    operation: u64,
    argument: u64,
    rest: [u64; 3],
) -> Result<u64, Stop> {
    let sets = context.own().credentials.capabilities;
    let can = context.own().credentials.can(Capability::SetCapabilities);
    match operation {
        operation::GET_KEEP => Ok((sets.secure & Secure::KEEP != 0).into()),
        operation::SET_KEEP => {
            let bit = if flag(argument)? { Secure::KEEP } else { 0 };
            if sets.secure & (Secure::KEEP << 1) != 0 {
                return Err(Errno::EPERM.into());
            }
            context.process().credentials.capabilities.secure = sets.secure & !Secure::KEEP | bit;
            Ok(0)
        }
        operation::GET_SECURE => Ok(sets.secure.into()),
        operation::SET_SECURE => {
            let bits = argument as u32;
            let locked = (sets.secure & 0xaa) >> 1;
            let unlocks = sets.secure & 0xaa & !bits != 0;
            let changes = (sets.secure ^ bits) & locked != 0;
            if !can || unlocks || changes || argument & !u64::from(Secure::ALL) != 0 {
                return Err(Errno::EPERM.into());
            }
            context.process().credentials.capabilities.secure = bits;
            Ok(0)
        }
        operation::BOUNDING_READ => {
            capability(argument)?;
            Ok(sets.bounding >> argument & 1)
        }
        operation::BOUNDING_DROP => {
            capability(argument)?;
            if !can {
                return Err(Errno::EPERM.into());
            }
            context.process().credentials.capabilities.bounding &= !(1 << argument);
            Ok(0)
        }
        operation::AMBIENT => ambient(context, argument, rest),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// `PR_CAP_AMBIENT`.
fn ambient(context: &mut Context<'_>, what: u64, rest: [u64; 3]) -> Result<u64, Stop> {
    const IS_SET: u64 = 1;
    const RAISE: u64 = 2;
    const LOWER: u64 = 3;
    const CLEAR: u64 = 4;
    let [number, fourth, fifth] = rest;
    if fourth != 0 || fifth != 0 || what == CLEAR && number != 0 {
        return Err(Errno::EINVAL.into());
    }
    let sets = &mut context.process().credentials.capabilities;
    if what == CLEAR {
        sets.ambient = 0;
        return Ok(0);
    }
    let bit = capability(number)?;
    match what {
        IS_SET => Ok((sets.ambient & bit != 0).into()),
        RAISE => {
            let allowed = sets.permitted & sets.inheritable & bit != 0;
            if !allowed || sets.secure & Secure::NO_AMBIENT != 0 {
                return Err(Errno::EPERM.into());
            }
            sets.ambient |= bit;
            Ok(0)
        }
        LOWER => {
            sets.ambient &= !bit;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

fn capability(number: u64) -> Result<u64, Errno> {
    if number > u64::from(LAST) { Err(Errno::EINVAL) } else { Ok(1 << number) }
}

fn flag(argument: u64) -> Result<bool, Errno> {
    match argument {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::EINVAL),
    }
}

fn put(context: &mut Context<'_>, address: u64, value: u32) -> Result<u64, Stop> {
    context.copy_out(address, &value.to_le_bytes())?;
    Ok(0)
}

fn set_name(context: &mut Context<'_>, address: u64) -> Result<u64, Stop> {
    let name = match context.string_in(address, NAME_MAX + 1) {
        Err(Errno::ENAMETOOLONG) => context.bytes_in(address, NAME_MAX)?,
        name => name?,
    };
    context.process().name = name;
    Ok(0)
}

fn get_name(context: &mut Context<'_>, address: u64) -> Result<u64, Stop> {
    let mut name = context.own().name.clone();
    name.resize(NAME_MAX + 1, 0);
    context.copy_out(address, &name)?;
    Ok(0)
}

/// personality(2): told and handed on; of what it changes, uname(2) alone looks at it.
pub fn personality(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// The argument that only asks.
    const ASK: u32 = u32::MAX;
    let wanted = context.words[0] as u32;
    let settings = &mut context.process().settings;
    let before = settings.personality;
    if wanted != ASK {
        settings.personality = wanted;
    }
    Ok(before.into())
}
