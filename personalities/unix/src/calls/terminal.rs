//! ioctl: what every descriptor answers; terminals have theirs in files of their own.
//!
//! ```text
//!   ioctl ──> any descriptor: FIOCLEX, FIONBIO, FIONREAD …
//!        └──> terminals: modes (termios, size, queues), control (sessions), ptys (masters)
//! ```

mod control;
mod modes;
pub mod ptys;

use alloc::rc::Rc;

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::flags::open;
use crate::linux::signals;
use crate::linux::terminal as request;
use crate::open::{Description, Kind, Object, Stream};
use crate::signal::Info;
use crate::terminal::{Line, PtyEnd, Side};
use crate::wake::Channel;

pub use modes::{after_wait, stops_output};

/// A terminal behind a descriptor.
#[derive(Clone, Debug)]
enum Device {
    /// The console.
    Console(Rc<Stream>),
    /// A side of a pseudo-terminal.
    Pty(Rc<PtyEnd>),
}

impl Device {
    fn of(object: &Object) -> Option<Device> {
        match object {
            Object::Stream(stream) if stream.is_terminal() => {
                Some(Device::Console(Rc::clone(stream)))
            }
            Object::Pty(end) => Some(Device::Pty(Rc::clone(end))),
            _ => None,
        }
    }

    fn line(&self) -> Line {
        match self {
            Device::Console(_) => Line::Console,
            Device::Pty(end) => Line::Pty(end.number()),
        }
    }

    fn is_master(&self) -> bool {
        matches!(self, Device::Pty(end) if end.side() == Side::Master)
    }
}

/// ioctl(2)
pub fn ioctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, number, argument, ..] = context.words;
    let number = number & 0xffff_ffff;
    let file = context.file(fd)?;
    if file.borrow().flags() & open::PATH != 0 {
        return Err(Errno::EBADF.into());
    }
    match number {
        request::FIOCLEX => return set_close_on_exec(context, fd, true),
        request::FIONCLEX => return set_close_on_exec(context, fd, false),
        request::FIONBIO => return set_non_blocking(context, &file, argument),
        request::FIONREAD => return bytes_ready(context, &file, argument),
        _ => {}
    }
    let device = Device::of(&file.borrow().object).ok_or(Errno::ENOTTY)?;
    if let Device::Pty(end) = &device
        && end.side() == Side::Slave
        && context.unix.pty(end)?.is_hung_up(end)
    {
        return Err(Errno::EIO.into());
    }
    if changes(number) {
        check_change(context, &device)?;
    }
    let answers = [modes::ioctl, control::ioctl, ptys::ioctl];
    for answer in answers {
        if let Some(value) = answer(context, &device, number, argument)? {
            return Ok(value);
        }
    }
    Err(Errno::ENOTTY.into())
}

/// Returns whether a request changes a terminal, which background processes must not do
/// (`tty_check_change` in drivers/tty/tty_ioctl.c and tty_jobctrl.c).
fn changes(number: u64) -> bool {
    matches!(
        number,
        request::TCSETS
            | request::TCSETSW
            | request::TCSETSF
            | request::TCSETS2
            | request::TCSETSW2
            | request::TCSETSF2
            | request::TCSBRK
            | request::TCSBRKP
            | request::TCXONC
            | request::TCFLSH
            | request::TIOCSETD
            | request::TIOCSPGRP
    )
}

fn check_change(context: &mut Context<'_>, device: &Device) -> Result<(), Stop> {
    if device.is_master() {
        Ok(())
    } else {
        check_background(context, device.line(), signals::SIGTTOU)
    }
}

/// Stops a background process that uses its terminal by `SIGTTIN` or `SIGTTOU`, or refuses it that
/// if nobody could continue it (POSIX 11.1.4, "Terminal Access Control").
///
/// # Errors
/// Wait: it was stopped, or has a handler to run; EIO.
pub fn check_background(context: &mut Context<'_>, line: Line, signal: u8) -> Result<(), Stop> {
    if !context.unix.is_background(context.pid, line) {
        return Ok(());
    }
    let ignores = context.own().actions.ignores(signal);
    if ignores || context.own_thread().mask.contains(signal) {
        // Who does not want to be stopped may write, but not read.
        return if signal == signals::SIGTTOU { Ok(()) } else { Err(Errno::EIO.into()) };
    }
    let group = context.own().group;
    if context.unix.is_orphaned(group) {
        return Err(Errno::EIO.into());
    }
    context.unix.send_to_group(group, Info::of_system(signal));
    Err(Stop::Wait(Wait::on(match line {
        Line::Console => Channel::Streams,
        Line::Pty(number) => Channel::Pty(number),
    })))
}

fn set_close_on_exec(context: &mut Context<'_>, fd: u64, value: bool) -> Result<u64, Stop> {
    context.descriptors().set_close_on_exec(fd, value)?;
    Ok(0)
}

fn set_non_blocking(
    context: &mut Context<'_>,
    file: &Description,
    argument: u64,
) -> Result<u64, Stop> {
    let bit = if context.u32_in(argument)? != 0 { open::NON_BLOCKING } else { 0 };
    let mut file = file.borrow_mut();
    let bits = file.flags() & !open::NON_BLOCKING | bit;
    file.set_flags(bits);
    Ok(0)
}

fn bytes_ready(context: &mut Context<'_>, file: &Description, argument: u64) -> Result<u64, Stop> {
    let offset = file.borrow().offset();
    let count = match &file.borrow().object {
        Object::Pipe(end) => end.len() as u64,
        Object::Pty(end) => context.unix.pty(end)?.waiting(end.side()) as u64,
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
