//! ioctl: terminals, and what every descriptor answers.

use alloc::rc::Rc;

use crate::Errno;
use crate::context::{Context, Stop};
use crate::linux::flags::open;
use crate::linux::structures::Fields;
use crate::linux::terminal::{self as request, TERMIOS_BYTES, emit_termios, parse_termios};
use crate::open::{Description, Kind, Object, Stream};
use crate::process::Pid;

/// ioctl(2)
pub fn ioctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, number, argument, ..] = context.words;
    let file = context.file(fd)?;
    match number & 0xffff_ffff {
        request::FIOCLEX => set_close_on_exec(context, fd, true),
        request::FIONCLEX => set_close_on_exec(context, fd, false),
        request::FIONBIO => set_non_blocking(context, &file, argument),
        request::FIONREAD => bytes_ready(context, &file, argument),
        number => {
            let stream = match &file.borrow().object {
                Object::Stream(stream) if stream.is_terminal() => stream.clone(),
                Object::Stream(_)
                | Object::File(_)
                | Object::Directory(_)
                | Object::Pipe(_)
                | Object::Device(..)
                | Object::Numbered(_)
                | Object::Text(..) => return Err(Errno::ENOTTY.into()),
            };
            terminal(context, &stream, number, argument)
        }
    }
}

fn set_close_on_exec(context: &mut Context<'_>, fd: u64, value: bool) -> Result<u64, Stop> {
    context.process().descriptors.slot_mut(fd)?.close_on_exec = value;
    Ok(0)
}

fn set_non_blocking(
    context: &mut Context<'_>,
    file: &Description,
    argument: u64,
) -> Result<u64, Stop> {
    let bit = if context.u32_in(argument)? != 0 { open::NON_BLOCKING } else { 0 };
    let mut file = file.borrow_mut();
    file.flags = file.flags & !open::NON_BLOCKING | bit;
    Ok(0)
}

fn bytes_ready(context: &mut Context<'_>, file: &Description, argument: u64) -> Result<u64, Stop> {
    let offset = file.borrow().offset;
    let count = match &file.borrow().object {
        Object::Pipe(end) => end.len() as u64,
        Object::File(held) => {
            context.unix.files.attributes(held.node())?.size.saturating_sub(offset)
        }
        // The console does not say how much; one byte is what "something" amounts to.
        Object::Stream(stream) => u64::from(context.unix.servers.ready(stream.endpoint())?.read),
        Object::Numbered(numbered) if numbered.kind() == Kind::Socket => {
            crate::calls::sockets::bytes_ready(context, numbered.number())?
        }
        Object::Directory(_) | Object::Device(..) | Object::Text(..) | Object::Numbered(_) => {
            return Err(Errno::ENOTTY.into());
        }
    };
    context.copy_out(argument, &(count as u32).to_le_bytes())?;
    Ok(0)
}

fn terminal(
    context: &mut Context<'_>,
    stream: &Rc<Stream>,
    number: u64,
    argument: u64,
) -> Result<u64, Stop> {
    let endpoint = stream.endpoint();
    match number {
        request::TCGETS => {
            let modes = context.unix.servers.modes(endpoint)?;
            context.copy_out(argument, &emit_termios(&modes))?;
        }
        request::TCSETS | request::TCSETSW | request::TCSETSF => {
            let modes = parse_termios(&context.array_in::<TERMIOS_BYTES>(argument)?);
            context.unix.servers.set_modes(endpoint, number == request::TCSETSF, modes)?;
        }
        request::TIOCGWINSZ => {
            let (columns, rows) = context.unix.servers.size(endpoint)?;
            let bytes = Fields::default().u16(rows).u16(columns).u32(0).0;
            context.copy_out(argument, &bytes)?;
        }
        request::TIOCGPGRP => {
            own_session(context)?;
            let group = context.unix.terminal.foreground.map_or(0, |group| group.0);
            context.copy_out(argument, &group.to_le_bytes())?;
        }
        request::TIOCSPGRP => {
            own_session(context)?;
            let group = Pid(context.u32_in(argument)?);
            set_foreground(context, group)?;
        }
        request::TIOCGSID => {
            let session = own_session(context)?;
            context.copy_out(argument, &session.0.to_le_bytes())?;
        }
        request::TIOCSCTTY => take_terminal(context, stream)?,
        request::TIOCNOTTY | request::TCSBRK | request::TCFLSH | request::TIOCSWINSZ => {}
        _ => return Err(Errno::ENOTTY.into()),
    }
    Ok(0)
}

/// Returns the caller's session, if the terminal is its controlling one.
fn own_session(context: &mut Context<'_>) -> Result<Pid, Errno> {
    let session = context.process().session;
    let own = context.unix.terminal.session == Some(session);
    if own { Ok(session) } else { Err(Errno::ENOTTY) }
}

fn set_foreground(context: &mut Context<'_>, group: Pid) -> Result<(), Errno> {
    let session = context.process().session;
    let mut members = context.unix.processes.values().filter(|process| process.group == group);
    match members.next() {
        None => Err(Errno::ESRCH),
        Some(process) if process.session != session => Err(Errno::EPERM),
        Some(_) => {
            context.unix.terminal.foreground = Some(group);
            Ok(())
        }
    }
}

fn take_terminal(context: &mut Context<'_>, stream: &Rc<Stream>) -> Result<(), Errno> {
    let (pid, session, group) = {
        let process = context.process();
        (process.pid, process.session, process.group)
    };
    match context.unix.terminal.session {
        Some(owner) if owner == session => Ok(()),
        Some(_) => Err(Errno::EPERM),
        None if session != pid => Err(Errno::EPERM),
        None => {
            context.unix.open_session(stream.clone(), session, group);
            Ok(())
        }
    }
}
