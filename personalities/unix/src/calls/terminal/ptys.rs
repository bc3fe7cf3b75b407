//! Pseudo-terminals: opening them, and what only their masters answer (pty(7), ioctl_tty(2)).

use alloc::rc::Rc;

use super::Device;
use crate::Errno;
use crate::context::{Context, Stop};
use crate::linux::flags::open as flags;
use crate::linux::signals;
use crate::linux::terminal as request;
use crate::open::{Object, OpenFile, Slot};
use crate::terminal::{Line, PtyEnd};

/// Answers the requests that only masters know.
pub(super) fn ioctl(
    context: &mut Context<'_>,
    device: &Device,
    number: u64,
    argument: u64,
) -> Result<Option<u64>, Stop> {
    let Device::Pty(end) = device else { return Ok(None) };
    if !device.is_master() {
        return Ok(None);
    }
    match number {
        request::TIOCGPTN => context.copy_out(argument, &end.number().to_le_bytes())?,
        request::TIOCSPTLCK => {
            let is_locked = context.u32_in(argument)? != 0;
            context.unix.pty(end)?.is_locked = is_locked;
        }
        request::TIOCGPTLCK => {
            let is_locked = context.unix.pty(end)?.is_locked;
            context.copy_out(argument, &u32::from(is_locked).to_le_bytes())?;
        }
        request::TIOCPKT => {
            let on = context.u32_in(argument)? != 0;
            context.unix.pty(end)?.set_packets(on);
        }
        request::TIOCGPKT => {
            let on = context.unix.pty(end)?.has_packets();
            context.copy_out(argument, &u32::from(on).to_le_bytes())?;
        }
        request::TIOCSIG => {
            let signal = argument as u8;
            let known = [signals::SIGINT, signals::SIGQUIT, signals::SIGTSTP];
            if argument > u64::from(signals::MAX) || !known.contains(&signal) {
                return Err(Errno::EINVAL.into());
            }
            context.unix.signal_foreground(device.line(), signal);
        }
        request::TIOCGPTPEER => return open_peer(context, end, argument as u32).map(Some),
        _ => return Ok(None),
    }
    Ok(Some(0))
}

/// Opens the slave of a master, whatever is mounted where.
fn open_peer(context: &mut Context<'_>, end: &Rc<PtyEnd>, bits: u32) -> Result<u64, Stop> {
    let slave = context.unix.open_slave(end.number())?;
    let path = alloc::format!("/dev/pts/{}", end.number()).into_bytes();
    let file = OpenFile::new(context.unix.kept, Object::Pty(slave), bits, path)?;
    let close_on_exec = bits & flags::CLOSE_ON_EXEC != 0;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec })?)
}

/// Opens `/dev/ptmx`.
///
/// # Errors
/// ENOSPC: there are too many pseudo-terminals.
pub fn open_master(context: &mut Context<'_>) -> Result<Object, Errno> {
    let owner = context.own().credentials.user.effective;
    Ok(Object::Pty(context.unix.open_master(owner)?))
}

/// Opens `/dev/pts/N`. A leader of a session without a terminal gets it as its controlling one,
/// unless it says `O_NOCTTY`.
///
/// # Errors
/// EIO: it is locked or hung up; EBUSY: somebody wants it alone; ENOENT.
pub fn open_slave(context: &mut Context<'_>, number: u32, bits: u32) -> Result<Object, Errno> {
    let line = Line::Pty(number);
    let (pid, session, group, is_root) = {
        let process = context.process();
        (process.pid, process.session, process.group, process.credentials.is_root())
    };
    let control = context.unix.terminals.control(line);
    if control.is_exclusive && !is_root {
        return Err(Errno::EBUSY);
    }
    let slave = context.unix.open_slave(number)?;
    let is_free = control.session.is_none() && bits & flags::NO_CONTROL == 0;
    if is_free && pid == session && context.unix.terminals.of_session(session).is_none() {
        context.unix.control(line, session, group);
    }
    Ok(Object::Pty(slave))
}
