//! Terminals' modes, sizes and queues: termios(3), and the time limit of raw reads.

use kamen_kit::tty::flags::{character, local};
use protocols::console::Modes;

use super::Device;
use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::signals;
use crate::linux::structures::Fields;
use crate::linux::terminal::{
    self as request, TERMIOS_BYTES, emit_termios, emit_termios2, flow, flush, parse_termios,
};
use crate::open::Description;
use crate::terminal::WindowSize;
use crate::terminal::pty::Flush;
use crate::wake::Channel;

/// Nanoseconds of the unit of TIME (termios(3)).
const TENTH: u64 = 100_000_000;

/// Answers requests about modes, sizes and queues.
pub(super) fn ioctl(
    context: &mut Context<'_>,
    device: &Device,
    number: u64,
    argument: u64,
) -> Result<Option<u64>, Stop> {
    match number {
        request::TCGETS => {
            let modes = modes_of(context, device)?;
            context.copy_out(argument, &emit_termios(&modes))?;
        }
        request::TCGETS2 => {
            let modes = modes_of(context, device)?;
            context.copy_out(argument, &emit_termios2(&modes))?;
        }
        // What was written is on its way already: there is nothing to wait for (TCSETSW).
        request::TCSETS | request::TCSETSW | request::TCSETS2 | request::TCSETSW2 => {
            set_modes(context, device, false, argument)?;
        }
        request::TCSETSF | request::TCSETSF2 => set_modes(context, device, true, argument)?,
        request::TIOCGWINSZ => {
            let WindowSize(numbers) = size(context, device)?;
            let fields = numbers.iter().fold(Fields::default(), |all, &one| all.u16(one));
            context.copy_out(argument, &fields.0)?;
        }
        request::TIOCSWINSZ => set_size(context, device, argument)?,
        request::TCFLSH => flush_queues(context, device, argument)?,
        request::TCXONC => control_flow(context, device, argument)?,
        // No line here knows breaks; waiting for output (tcdrain(3)) is done at once, as above.
        request::TCSBRK | request::TCSBRKP => {}
        request::TIOCOUTQ => {
            let count = match device {
                Device::Console(_) => 0,
                Device::Pty(end) => context.unix.pty(end)?.unread(end.side()) as u32,
            };
            context.copy_out(argument, &count.to_le_bytes())?;
        }
        // There is one line discipline: N_TTY, 0.
        request::TIOCGETD => context.copy_out(argument, &0u32.to_le_bytes())?,
        request::TIOCSETD if context.u32_in(argument)? != 0 => return Err(Errno::EINVAL.into()),
        request::TIOCSETD => {}
        _ => return Ok(None),
    }
    Ok(Some(0))
}

/// Returns a terminal's modes.
fn modes_of(context: &mut Context<'_>, device: &Device) -> Result<Modes, Errno> {
    match device {
        Device::Console(stream) => context.unix.servers.modes(stream.endpoint()),
        Device::Pty(end) => Ok(context.unix.pty(end)?.modes()),
    }
}

fn set_modes(
    context: &mut Context<'_>,
    device: &Device,
    flush: bool,
    argument: u64,
) -> Result<(), Stop> {
    let modes = parse_termios(&context.array_in::<TERMIOS_BYTES>(argument)?);
    match device {
        Device::Console(stream) => {
            context.unix.servers.set_modes(stream.endpoint(), flush, modes)?;
        }
        Device::Pty(end) => {
            context.unix.pty(end)?.set_modes(flush, modes);
            context.unix.wakes.add(Channel::Pty(end.number()));
        }
    }
    Ok(())
}

fn size(context: &mut Context<'_>, device: &Device) -> Result<WindowSize, Errno> {
    match device {
        Device::Pty(end) => Ok(context.unix.pty(end)?.size),
        Device::Console(stream) => {
            if let Some(size) = context.unix.terminals.control(device.line()).size {
                return Ok(size);
            }
            let (columns, rows) = context.unix.servers.size(stream.endpoint())?;
            Ok(WindowSize([rows, columns, 0, 0]))
        }
    }
}

/// Sets the size; the foreground group learns of a change.
fn set_size(context: &mut Context<'_>, device: &Device, argument: u64) -> Result<(), Stop> {
    let bytes = context.array_in::<8>(argument)?;
    let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let new = WindowSize([number(0), number(2), number(4), number(6)]);
    if size(context, device)? == new {
        return Ok(());
    }
    match device {
        Device::Pty(end) => context.unix.pty(end)?.size = new,
        Device::Console(_) => {
            context.unix.terminals.control_mut(device.line()).size = Some(new);
        }
    }
    context.unix.signal_foreground(device.line(), signals::SIGWINCH);
    Ok(())
}

fn flush_queues(context: &mut Context<'_>, device: &Device, which: u64) -> Result<(), Stop> {
    let which = match which {
        flush::INPUT => Flush::Input,
        flush::OUTPUT => Flush::Output,
        flush::BOTH => Flush::Both,
        _ => return Err(Errno::EINVAL.into()),
    };
    match device {
        Device::Pty(end) => {
            context.unix.pty(end)?.flush(which);
            context.unix.wakes.add(Channel::Pty(end.number()));
        }
        // What was written to the console is on its way.
        Device::Console(_) if which == Flush::Output => {}
        Device::Console(stream) => {
            let modes = context.unix.servers.modes(stream.endpoint())?;
            context.unix.servers.set_modes(stream.endpoint(), true, modes)?;
        }
    }
    Ok(())
}

fn control_flow(context: &mut Context<'_>, device: &Device, action: u64) -> Result<(), Stop> {
    match (device, action) {
        (Device::Pty(end), flow::OUTPUT_OFF | flow::OUTPUT_ON) => {
            context.unix.pty(end)?.set_stopped(action == flow::OUTPUT_OFF);
            context.unix.wakes.add(Channel::Pty(end.number()));
            Ok(())
        }
        // Who plays the keyboard of a pseudo-terminal waits by itself when the queue is full.
        (Device::Pty(_), flow::INPUT_OFF | flow::INPUT_ON) => Ok(()),
        (Device::Console(_), flow::OUTPUT_ON | flow::INPUT_ON) => Ok(()),
        // The console has no such request; its keys STOP and START do that.
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Returns what becomes of a read of a terminal that would wait: with TIME and without MIN it ends
/// by itself, with nothing read (termios(3), "polling with timeout").
///
/// # Errors
/// What it waits for.
pub fn after_wait(context: &mut Context<'_>, file: &Description, wait: Wait) -> Result<u64, Stop> {
    let device = Device::of(&file.borrow().object).filter(|device| !device.is_master());
    let Some(device) = device else { return Err(Stop::Wait(wait)) };
    if let Some(deadline) = context.deadline {
        let is_over = deadline <= context.machine().now();
        let wait = Wait { deadline: Some(deadline), ..wait };
        return if is_over { Ok(0) } else { Err(Stop::Wait(wait)) };
    }
    let modes = modes_of(context, &device)?;
    let [time, min] = [character::TIME, character::MIN].map(|at| modes.characters[at]);
    if modes.local & local::ICANON != 0 || time == 0 || min != 0 {
        return Err(Stop::Wait(wait));
    }
    let deadline = context.machine().now() + u64::from(time) * TENTH;
    Err(Stop::Wait(Wait { deadline: Some(deadline), ..wait }))
}

/// Returns whether output of background processes is to stop them (`TOSTOP`).
///
/// # Errors
/// EIO.
pub fn stops_output(context: &mut Context<'_>, file: &Description) -> Result<bool, Errno> {
    let Some(device) = Device::of(&file.borrow().object) else { return Ok(false) };
    Ok(modes_of(context, &device)?.local & request::TOSTOP != 0)
}
