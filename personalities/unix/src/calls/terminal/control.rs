//! Controlling terminals: sessions, foreground groups, who may open (ioctl_tty(2)).

use super::Device;
use crate::Errno;
use crate::context::{Context, Stop};
use crate::linux::terminal as request;
use crate::process::Pid;
use crate::unix::Leader;

/// Answers requests about sessions and groups.
pub(super) fn ioctl(
    context: &mut Context<'_>,
    device: &Device,
    number: u64,
    argument: u64,
) -> Result<Option<u64>, Stop> {
    match number {
        request::TIOCGPGRP => {
            // A master may always ask.
            if !device.is_master() {
                own_session(context, device)?;
            }
            let group = context.unix.terminals.control(device.line()).foreground;
            context.copy_out(argument, &group.map_or(0, |group| group.0).to_le_bytes())?;
        }
        request::TIOCSPGRP => {
            own_session(context, device)?;
            let group = Pid(context.u32_in(argument)?);
            set_foreground(context, device, group)?;
        }
        request::TIOCGSID => {
            let session = if device.is_master() {
                context.unix.terminals.control(device.line()).session.ok_or(Errno::ENOTTY)?
            } else {
                own_session(context, device)?
            };
            context.copy_out(argument, &session.0.to_le_bytes())?;
        }
        request::TIOCSCTTY => take(context, device, argument)?,
        request::TIOCNOTTY => leave(context, device)?,
        request::TIOCEXCL | request::TIOCNXCL => {
            let control = context.unix.terminals.control_mut(device.line());
            control.is_exclusive = number == request::TIOCEXCL;
        }
        request::TIOCGEXCL => {
            let is_exclusive = context.unix.terminals.control(device.line()).is_exclusive;
            context.copy_out(argument, &u32::from(is_exclusive).to_le_bytes())?;
        }
        request::TIOCGDEV => {
            let number = device.line().device();
            context.copy_out(argument, &number.to_le_bytes())?;
        }
        // Refused, as Linux does unless it is told otherwise (sysctl dev.tty.legacy_tiocsti).
        request::TIOCSTI => return Err(Errno::EIO.into()),
        _ => return Ok(None),
    }
    Ok(Some(0))
}

/// Returns the caller's session, if the terminal is its controlling one.
fn own_session(context: &mut Context<'_>, device: &Device) -> Result<Pid, Errno> {
    let session = context.own().session;
    let own = context.unix.terminals.control(device.line()).session == Some(session);
    if own && !device.is_master() { Ok(session) } else { Err(Errno::ENOTTY) }
}

fn set_foreground(context: &mut Context<'_>, device: &Device, group: Pid) -> Result<(), Errno> {
    if (group.0 as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    let session = context.own().session;
    let mut members = context.unix.processes.values().filter(|process| process.group == group);
    match members.next() {
        None => Err(Errno::ESRCH),
        Some(process) if process.session != session => Err(Errno::EPERM),
        Some(_) => {
            context.unix.terminals.control_mut(device.line()).foreground = Some(group);
            Ok(())
        }
    }
}

/// Makes a terminal the caller's controlling one. With the argument 1 root takes it from another
/// session.
fn take(context: &mut Context<'_>, device: &Device, argument: u64) -> Result<(), Errno> {
    const STEAL: u64 = 1;
    let (pid, session, group) = {
        let process = context.process();
        (process.pid, process.session, process.group)
    };
    let owner = context.unix.terminals.control(device.line()).session;
    if owner == Some(session) && session == pid {
        return Ok(());
    }
    if session != pid || context.unix.terminals.of_session(session).is_some() || device.is_master()
    {
        return Err(Errno::EPERM);
    }
    let is_root = context.own().credentials.is_root();
    match (owner, device) {
        (Some(_), Device::Pty(_)) if argument == STEAL && is_root => {}
        (Some(_), _) => return Err(Errno::EPERM),
        (None, _) => {}
    }
    match device {
        Device::Console(stream) => context.unix.open_session(stream.clone(), session, group),
        Device::Pty(_) => context.unix.control(device.line(), session, group),
    }
    Ok(())
}

/// Gives the controlling terminal up, for the whole session; only its leader can do that here.
fn leave(context: &mut Context<'_>, device: &Device) -> Result<(), Errno> {
    let session = own_session(context, device)?;
    if session != context.pid {
        return Err(Errno::EPERM);
    }
    context.unix.end_session(session, Leader::Leaves);
    Ok(())
}
