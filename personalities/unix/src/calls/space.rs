//! The contents of files besides reading and writing: copies, holes, advice.

use crate::Errno;
use crate::calls::attributes::{resize, writable_file};
use crate::context::{Context, STEP, Stop};
use crate::io::{BUFFER, Position, checked, read_once};
use crate::linux::flags::open;
use crate::open::{Description, Does, Object};
use crate::path::Node;

/// copy_file_range(2)
pub fn copy_file_range(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, from_at, to, to_at, len, bits] = context.words;
    let (from, to) = (context.file(from)?, context.file(to)?);
    if bits != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (source, target) = (regular(&from)?, regular(&to)?);
    let appends = to.borrow().flags() & open::APPEND != 0;
    if !from.borrow().is_readable() || !to.borrow().is_writable() || appends {
        return Err(Errno::EBADF.into());
    }
    let start = place(context, &from, from_at)?;
    let end = place(context, &to, to_at)?;
    // A program goes on where a call was short (copy_file_range(2)).
    let len = len.min(STEP);
    if source == target && start < end.saturating_add(len) && end < start.saturating_add(len) {
        return Err(Errno::EINVAL.into());
    }
    let mut done = 0;
    while done < len {
        let mut buffer = alloc::vec![0; BUFFER.min((len - done) as usize)];
        let count = read_once(context.unix, &from, Position::At(start + done), &mut buffer)?;
        if count == 0 {
            break;
        }
        match checked::write(context, &to, Position::At(end + done), &buffer[..count]) {
            Ok(written) => {
                done += written as u64;
                if written < count {
                    break;
                }
            }
            Err(_) if done != 0 => break,
            Err(stop) => return Err(stop),
        }
    }
    for (file, address, place) in [(&from, from_at, start), (&to, to_at, end)] {
        match address {
            0 => file.borrow_mut().set_offset(place + done),
            address => context.copy_out(address, &(place + done).to_le_bytes())?,
        }
    }
    Ok(done)
}

fn regular(file: &Description) -> Result<Node, Errno> {
    match &file.borrow().object {
        Object::File(held) => Ok(held.node()),
        Object::Directory(_) => Err(Errno::EISDIR),
        _ => Err(Errno::EINVAL),
    }
}

/// Returns where a copy begins: at the address, or at the description's offset.
fn place(context: &mut Context<'_>, file: &Description, address: u64) -> Result<u64, Errno> {
    let place = match address {
        0 => file.borrow().offset(),
        address => context.u64_in(address)?,
    };
    if place > i64::MAX as u64 { Err(Errno::EINVAL) } else { Ok(place) }
}

/// fallocate(2): grows the file, whose holes are not filled, or makes a hole of zeros.
pub fn fallocate(context: &mut Context<'_>) -> Result<u64, Stop> {
    const KEEP_SIZE: u64 = 1;
    const PUNCH_HOLE: u64 = 2;
    const ZERO_RANGE: u64 = 0x10;
    let [fd, mode, offset, len, ..] = context.words;
    let file = context.file(fd)?;
    if len == 0 || len > i64::MAX as u64 || offset > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    if !file.borrow().is_writable() {
        return Err(Errno::EBADF.into());
    }
    let node = match &file.borrow().object {
        Object::File(held) => held.node(),
        Object::Directory(_) => return Err(Errno::EISDIR.into()),
        Object::Pipe(_) => return Err(Errno::ESPIPE.into()),
        _ => return Err(Errno::ENODEV.into()),
    };
    let end = offset.checked_add(len).ok_or(Errno::EFBIG)?;
    let size = context.unix.files.attributes(node)?.size;
    let keeps = mode & KEEP_SIZE != 0;
    match mode & !KEEP_SIZE {
        0 => {}
        PUNCH_HOLE if keeps => zero(context, &file, offset, end.min(size))?,
        ZERO_RANGE => zero(context, &file, offset, end.min(size))?,
        _ => return Err(Errno::EOPNOTSUPP.into()),
    }
    if !keeps && size < end {
        resize(context, node, end)?;
    }
    Ok(0)
}

/// Writes zeros over a range.
fn zero(context: &mut Context<'_>, file: &Description, from: u64, to: u64) -> Result<(), Stop> {
    let mut at = from + context.progress;
    let most = at + STEP;
    while at < to {
        if at >= most {
            return Err(context.pause_file(file, Does::Write, at - from));
        }
        let zeros = alloc::vec![0; BUFFER.min((to - at) as usize)];
        at += checked::write(context, file, Position::At(at), &zeros)? as u64;
    }
    Ok(())
}

/// fadvise64(2): everything is in memory.
pub fn fadvise(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// `POSIX_FADV_NOREUSE`, the last one.
    const LAST: u64 = 5;
    let [fd, _, len, advice, ..] = context.words;
    let file = context.file(fd)?;
    if matches!(file.borrow().object, Object::Pipe(_)) {
        return Err(Errno::ESPIPE.into());
    }
    if advice > LAST || len > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    Ok(0)
}

/// readahead(2): everything is in memory.
pub fn readahead(context: &mut Context<'_>) -> Result<u64, Stop> {
    let file = context.file(context.words[0])?;
    if !file.borrow().is_readable() {
        return Err(Errno::EBADF.into());
    }
    match file.borrow().object {
        Object::File(_) => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// sync_file_range(2): nothing is buffered.
pub fn sync_file_range(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, offset, len, bits, ..] = context.words;
    let file = context.file(fd)?;
    let end = (offset as i64).checked_add(len as i64);
    if bits & !7 != 0 || (offset as i64) < 0 || end.is_none_or(|end| end < offset as i64) {
        return Err(Errno::EINVAL.into());
    }
    match file.borrow().object {
        Object::File(_) | Object::Directory(_) | Object::Device(..) => Ok(0),
        _ => Err(Errno::ESPIPE.into()),
    }
}

/// ftruncate(2)
pub fn ftruncate(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, len, ..] = context.words;
    let node = writable_file(context, fd)?;
    resize(context, node, len)
}
