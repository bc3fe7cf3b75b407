//! splice, tee, vmsplice: moving bytes into and out of pipes, one of which is always there.
//!
//! Bytes are copied through this server; what programs ask these calls for is that they need not
//! do that themselves.

use crate::Errno;
use crate::calls::io::ranges_in;
use crate::calls::sockets::number_of;
use crate::context::{Context, Stop, Wait};
use crate::io::{BUFFER, Position, Transfer, checked, read_once, readiness, unless};
use crate::linux::flags::open;
use crate::open::{Description, Device, Object};
use crate::pipe::End;

/// `SPLICE_F_NONBLOCK` (linux/splice.h).
const NON_BLOCKING: u64 = 2;
/// All flags: moving pages, not waiting, more to come, pages that are given away.
const FLAGS: u64 = 15;

/// Returns the end of a pipe that a description is of.
fn end_of(file: &Description) -> Option<End> {
    match &file.borrow().object {
        Object::Pipe(end) => Some(end.clone()),
        _ => None,
    }
}

/// Returns how much can be written now without losing any.
fn room(context: &mut Context<'_>, file: &Description) -> Result<usize, Errno> {
    if let Some(number) = number_of(file) {
        return context.unix.sockets.room(number).ok_or(Errno::EINVAL);
    }
    match &file.borrow().object {
        Object::Pipe(end) if end.is_hung_up() => Ok(BUFFER),
        Object::Pipe(end) => Ok(end.room()),
        // It has no operation for that (`full_fops`, drivers/char/mem.c).
        Object::Device(Device::Full, _) => Err(Errno::EINVAL),
        Object::File(_) | Object::Device(..) => Ok(BUFFER),
        // Their writers may be stopped in the middle (`EINVAL`, splice(2)).
        Object::Stream(_)
        | Object::Pty(_)
        | Object::Directory(_)
        | Object::Text(..)
        | Object::Numbered(_) => Err(Errno::EINVAL),
    }
}

/// Returns where to read or write, as the address of an offset says; pipes have none.
fn position(context: &mut Context<'_>, file: &Description, at: u64) -> Result<Position, Errno> {
    match at {
        0 => Ok(Position::Current),
        _ if end_of(file).is_some() => Err(Errno::ESPIPE),
        at => Ok(Position::At(context.u64_in(at)?)),
    }
}

/// Checks what splice and tee have in common.
fn check(from: &Description, to: &Description, flags: u64) -> Result<(), Errno> {
    if flags & !FLAGS != 0 {
        return Err(Errno::EINVAL);
    }
    if !from.borrow().is_readable() || !to.borrow().is_writable() {
        return Err(Errno::EBADF);
    }
    match (end_of(from), end_of(to)) {
        (Some(from), Some(to)) if from.id() == to.id() => Err(Errno::EINVAL),
        (None, None) => Err(Errno::EINVAL),
        _ if to.borrow().flags() & open::APPEND != 0 => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}

/// Waits until something can be written.
fn wait_for_room(context: &mut Context<'_>, to: &Description, never: bool) -> Stop {
    let never = never || to.borrow().is_non_blocking();
    let channels = readiness(context.unix, to).channels;
    let channels = channels.into_iter().flatten().collect();
    unless(never, Stop::Wait(Wait { channels, ..Wait::default() }))
}

/// Reads without taking: a pipe keeps its bytes and a file's offset stays where it is, until it is
/// known how many could be written (`splice_from_pipe_feed`, fs/splice.c).
fn look(
    context: &mut Context<'_>,
    from: &Description,
    position: Position,
    into: &mut [u8],
) -> Result<usize, Stop> {
    let peeked = end_of(from).map_or(0, |end| end.peek(into));
    if peeked != 0 {
        return Ok(peeked);
    }
    let position = match position {
        Position::Current if has_offset(from) => Position::At(from.borrow().offset()),
        position => position,
    };
    read_once(context.unix, from, position, into)
}

/// Takes what [`look`] has read, as far as it was written.
fn take(from: &Description, position: Position, bytes: &mut [u8]) {
    if let Some(end) = end_of(from) {
        let _ = end.read(bytes);
    } else if position == Position::Current && has_offset(from) {
        let to = from.borrow().offset() + bytes.len() as u64;
        from.borrow_mut().set_offset(to);
    }
}

fn has_offset(file: &Description) -> bool {
    matches!(file.borrow().object, Object::File(_) | Object::Text(..))
}

/// Fails where nobody reads, before anything is read that nothing could keep.
fn check_reader(context: &mut Context<'_>, to: &Description) -> Result<(), Stop> {
    match end_of(to) {
        Some(end) if !end.has_other() => {
            checked::write(context, to, Position::Current, &[0]).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// splice(2)
pub fn splice(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, from_at, to, to_at, len, flags] = context.words;
    let (from, to) = (context.file(from)?, context.file(to)?);
    check(&from, &to, flags)?;
    let read_at = position(context, &from, from_at)?;
    let write_at = position(context, &to, to_at)?;
    if len == 0 {
        return Ok(0);
    }
    let never = flags & NON_BLOCKING != 0;
    let most = room(context, &to)?.min(BUFFER).min(usize::try_from(len).unwrap_or(BUFFER));
    if most == 0 {
        return Err(wait_for_room(context, &to, never));
    }
    check_reader(context, &to)?;
    let mut buffer = alloc::vec![0; most];
    let read = look(context, &from, read_at, &mut buffer);
    let count = read.map_err(|stop| unless(never, stop))?;
    if count == 0 {
        return Ok(0);
    }
    let count = checked::write(context, &to, write_at, &buffer[..count])?;
    take(&from, read_at, &mut buffer[..count]);
    let count = count as u64;
    for (at, position) in [(from_at, read_at), (to_at, write_at)] {
        if let Position::At(offset) = position {
            context.copy_out(at, &(offset + count).to_le_bytes())?;
        }
    }
    Ok(count)
}

/// tee(2)
pub fn tee(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, to, len, flags, ..] = context.words;
    let (from, to) = (context.file(from)?, context.file(to)?);
    check(&from, &to, flags)?;
    let (Some(source), Some(_)) = (end_of(&from), end_of(&to)) else {
        return Err(Errno::EINVAL.into());
    };
    if len == 0 {
        return Ok(0);
    }
    let never = flags & NON_BLOCKING != 0;
    let most = room(context, &to)?.min(BUFFER).min(usize::try_from(len).unwrap_or(BUFFER));
    if most == 0 {
        return Err(wait_for_room(context, &to, never));
    }
    let mut buffer = alloc::vec![0; most];
    match source.peek(&mut buffer) {
        0 if !source.has_other() => Ok(0),
        0 => Err(unless(never, Stop::Wait(Wait::on(source.channel_in())))),
        count => {
            checked::write(context, &to, Position::Current, &buffer[..count]).map(|n| n as u64)
        }
    }
}

/// vmsplice(2): the pages are copied, as they are where `SPLICE_F_GIFT` is not given.
pub fn vmsplice(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, count, flags, ..] = context.words;
    let file = context.file(fd)?;
    if flags & !FLAGS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let end = end_of(&file).ok_or(Errno::EBADF)?;
    let ranges = ranges_in(context, address, count)?;
    let never = flags & NON_BLOCKING != 0;
    let mut transfer = Transfer::new(context, file, Position::Current);
    let moved =
        if end.direction().writes() { transfer.write(&ranges) } else { transfer.read(&ranges) };
    match moved {
        Err(Stop::Wait(wait)) if never && wait.progress != 0 => Ok(wait.progress),
        moved => moved.map_err(|stop| unless(never, stop)),
    }
}
