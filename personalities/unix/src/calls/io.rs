//! read, write and their relatives.

use alloc::vec::Vec;

use crate::Errno;
use crate::context::{Context, STEP, Stop, Wait};
use crate::io::{BUFFER, Position, Transfer, checked, read_once, small};
use crate::open::{Description, Kind, Object};

/// Most ranges of one call (`IOV_MAX`).
const MAX_RANGES: u64 = 1024;
/// Most bytes of one call (read(2), NOTES).
const MAX_BYTES: u64 = 0x7fff_f000;

/// read(2)
pub fn read(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, ..] = context.words;
    let file = context.file(fd)?;
    let small = small::read(context, &file, address, len);
    if let Some(result) = small {
        return result;
    }
    Transfer::new(context, file, Position::Current).read(&[(address, len.min(MAX_BYTES))])
}

/// write(2)
pub fn write(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, ..] = context.words;
    let file = context.file(fd)?;
    let small = small::write(context, &file, address, len);
    if let Some(result) = small {
        return result;
    }
    Transfer::new(context, file, Position::Current).write(&[(address, len.min(MAX_BYTES))])
}

/// pread64(2)
pub fn pread(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, offset, ..] = context.words;
    let file = seekable(context, fd, offset)?;
    Transfer::new(context, file, Position::At(offset)).read(&[(address, len.min(MAX_BYTES))])
}

/// pwrite64(2)
pub fn pwrite(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, offset, ..] = context.words;
    let file = seekable(context, fd, offset)?;
    Transfer::new(context, file, Position::At(offset)).write(&[(address, len.min(MAX_BYTES))])
}

/// readv(2)
pub fn readv(context: &mut Context<'_>) -> Result<u64, Stop> {
    let file = context.file(context.words[0])?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, Position::Current).read(&ranges)
}

/// writev(2)
pub fn writev(context: &mut Context<'_>) -> Result<u64, Stop> {
    let file = context.file(context.words[0])?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, Position::Current).write(&ranges)
}

/// preadv(2)
pub fn preadv(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, _, _, offset, ..] = context.words;
    let file = seekable(context, fd, offset)?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, Position::At(offset)).read(&ranges)
}

/// pwritev(2)
pub fn pwritev(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, _, _, offset, ..] = context.words;
    let file = seekable(context, fd, offset)?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, Position::At(offset)).write(&ranges)
}

/// preadv2(2)
pub fn preadv2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (file, position) = second_version(context)?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, position).read(&ranges)
}

/// pwritev2(2)
pub fn pwritev2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (file, position) = second_version(context)?;
    let ranges = ranges(context)?;
    Transfer::new(context, file, position).write(&ranges)
}

/// Returns file and position of preadv2 and pwritev2. Of their flags, those that ask for nothing
/// where nothing is buffered are accepted.
fn second_version(context: &mut Context<'_>) -> Result<(Description, Position), Errno> {
    /// `RWF_HIPRI`, `RWF_DSYNC` and `RWF_SYNC` (linux/fs.h).
    const ACCEPTED: u64 = 1 | 2 | 4;
    let [fd, _, _, offset, _, bits] = context.words;
    if bits & !ACCEPTED != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    match offset {
        u64::MAX => Ok((context.file(fd)?, Position::Current)),
        offset => Ok((seekable(context, fd, offset)?, Position::At(offset))),
    }
}

fn ranges(context: &mut Context<'_>) -> Result<Vec<(u64, u64)>, Errno> {
    let [_, address, count, ..] = context.words;
    ranges_in(context, address, count)
}

/// Copies an array of `struct iovec` in: addresses and lengths.
pub(super) fn ranges_in(
    context: &mut Context<'_>,
    address: u64,
    count: u64,
) -> Result<Vec<(u64, u64)>, Errno> {
    if count > MAX_RANGES {
        return Err(Errno::EINVAL);
    }
    let bytes = context.bytes_in(address, 16 * count as usize)?;
    let word =
        |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    let ranges: Vec<_> =
        bytes.chunks_exact(16).map(|pair| (word(&pair[..8]), word(&pair[8..]))).collect();
    let total = ranges.iter().try_fold(0u64, |sum, &(_, len)| sum.checked_add(len));
    if total.is_none_or(|total| total > MAX_BYTES) {
        return Err(Errno::EINVAL);
    }
    Ok(ranges)
}

fn seekable(context: &mut Context<'_>, fd: u64, offset: u64) -> Result<Description, Errno> {
    let file = context.file(fd)?;
    if matches!(
        file.borrow().object,
        Object::Pipe(_) | Object::Pty(_) | Object::Stream(_) | Object::Numbered(_)
    ) {
        return Err(Errno::ESPIPE);
    }
    if offset > i64::MAX as u64 { Err(Errno::EINVAL) } else { Ok(file) }
}

/// lseek(2)
pub fn lseek(context: &mut Context<'_>) -> Result<u64, Stop> {
    const SET: u64 = 0;
    const CURRENT: u64 = 1;
    const END: u64 = 2;
    const DATA: u64 = 3;
    const HOLE: u64 = 4;
    let [fd, offset, whence, ..] = context.words;
    let file = context.file(fd)?;
    if file.borrow().flags() & crate::linux::flags::open::PATH != 0 {
        return Err(Errno::EBADF.into());
    }
    let size = match &file.borrow().object {
        Object::File(held) => context.unix.files.attributes(held.node())?.size,
        // Descriptors of events accept any position (`noop_llseek`, fs/eventfd.c and others).
        Object::Numbered(numbered) if numbered.kind() != Kind::Socket => return Ok(0),
        Object::Pipe(_) | Object::Pty(_) | Object::Stream(_) | Object::Numbered(_) => {
            return Err(Errno::ESPIPE.into());
        }
        Object::Text(text) => text.len_bytes() as u64,
        Object::Directory(_) => 0,
        // Devices without a position accept any and stay at 0.
        Object::Device(..) => return Ok(0),
    };
    let base = match whence {
        SET => 0,
        CURRENT => file.borrow().offset(),
        END => size,
        // A file counts as data without holes, up to the one that begins at its end (lseek(2)).
        DATA | HOLE if offset >= size => return Err(Errno::ENXIO.into()),
        DATA => 0,
        HOLE => size.wrapping_sub(offset),
        _ => return Err(Errno::EINVAL.into()),
    };
    let to = base.checked_add_signed(offset as i64).ok_or(Errno::EINVAL)?;
    if to > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    file.borrow_mut().set_offset(to);
    Ok(to)
}

/// sendfile(2)
pub fn sendfile(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [to, from, offset_at, len, ..] = context.words;
    // It may send less than it could (sendfile(2), NOTES): others have their turn.
    let len = len.min(STEP);
    let (to, from) = (context.file(to)?, context.file(from)?);
    if !matches!(from.borrow().object, Object::File(_)) {
        return Err(Errno::EINVAL.into());
    }
    if !from.borrow().is_readable() || !to.borrow().is_writable() {
        return Err(Errno::EBADF.into());
    }
    let start = match offset_at {
        0 => from.borrow().offset(),
        address => context.u64_in(address)?,
    };
    // The offset has moved along with what was sent before the call waited: a handler that ends it
    // then is to find it there (`do_sendfile`, fs/read_write.c).
    let (before, mut sent) = (context.progress, 0);
    let len = len.min(MAX_BYTES).saturating_sub(before);
    let result = send(context, &from, &to, start, len, &mut sent);
    match offset_at {
        0 => from.borrow_mut().set_offset(start + sent),
        address => context.copy_out(address, &(start + sent).to_le_bytes())?,
    }
    let done = before + sent;
    match result {
        Err(Stop::Wait(wait)) => Err(Stop::Wait(Wait { progress: done, ..wait })),
        Err(stop) if done == 0 => Err(stop),
        _ => Ok(done),
    }
}

fn send(
    context: &mut Context<'_>,
    from: &Description,
    to: &Description,
    start: u64,
    len: u64,
    done: &mut u64,
) -> Result<(), Stop> {
    while *done < len {
        let mut buffer = alloc::vec![0; BUFFER.min((len - *done) as usize)];
        let position = Position::At(start + *done);
        let count = read_once(context.unix, from, position, &mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        *done += checked::write(context, to, Position::Current, &buffer[..count])? as u64;
    }
    Ok(())
}

/// fsync(2), fdatasync(2): nothing is buffered.
pub fn fsync(context: &mut Context<'_>) -> Result<u64, Stop> {
    context.file(context.words[0])?;
    Ok(0)
}

/// sync(2)
pub fn sync(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}
