//! capget(2) and capset(2).

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::linux::structures::Fields;
use crate::process::Pid;

/// Versions of the interface and how many 32-bit sets each passes (linux/capability.h).
const VERSIONS: [(u32, usize); 3] = [(0x1998_0330, 1), (0x2007_1026, 2), (0x2008_0522, 2)];

/// Returns how many words each set has, and whose sets are meant (0: the caller's).
fn header(context: &mut Context<'_>) -> Result<(usize, u32), Stop> {
    let [header, data, ..] = context.words;
    let version = context.u32_in(header)?;
    if let Some((_, words)) = VERSIONS.iter().find(|(known, _)| *known == version) {
        let pid = context.u32_in(header.wrapping_add(4))?;
        if (pid as i32) < 0 {
            return Err(Errno::EINVAL.into());
        }
        return Ok((*words, pid));
    }
    let [.., (newest, _)] = VERSIONS;
    context.copy_out(header, &newest.to_le_bytes())?;
    // Who passes no data only asks for the version.
    if data == 0 { Ok((0, 0)) } else { Err(Errno::EINVAL.into()) }
}

/// capget(2)
pub fn capget(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (words, pid) = header(context)?;
    let pid = if pid == 0 { context.pid } else { Pid(pid) };
    let process = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    let sets = process.credentials.capabilities;
    let sets = [sets.effective, sets.permitted, sets.inheritable];
    let fields = (0..words).fold(Fields::default(), |fields, word| {
        sets.iter().fold(fields, |fields, set| fields.u32((set >> (32 * word)) as u32))
    });
    let data = context.words[1];
    if words != 0 {
        context.copy_out_if(data, &fields.0)?;
    }
    Ok(0)
}

/// capset(2)
pub fn capset(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (words, pid) = header(context)?;
    if pid != 0 && Pid(pid) != context.pid {
        return Err(Errno::EPERM.into());
    }
    let mut new = [0u64; 3];
    for word in 0..words as u64 {
        for (index, set) in (0..).zip(&mut new) {
            let at = context.words[1].wrapping_add(12 * word + 4 * index);
            *set |= u64::from(context.u32_in(at)?) << (32 * word);
        }
    }
    if words == 0 {
        return Err(Errno::EINVAL.into());
    }
    let [effective, permitted, inheritable] = new;
    let can = context.own().credentials.can(Capability::SetCapabilities);
    let sets = &mut context.process().credentials.capabilities;
    // capabilities(7), "Programmatically adjusting capability sets".
    let within = |set: u64, bound: u64| set & !bound == 0;
    let inheritable_bound =
        if can { sets.inheritable | sets.bounding } else { sets.inheritable | sets.permitted };
    let allowed = within(permitted, sets.permitted)
        && within(effective, permitted)
        && within(inheritable, inheritable_bound & (sets.inheritable | sets.bounding));
    if !allowed {
        return Err(Errno::EPERM.into());
    }
    (sets.effective, sets.permitted, sets.inheritable) = (effective, permitted, inheritable);
    sets.ambient &= permitted & inheritable;
    Ok(0)
}
