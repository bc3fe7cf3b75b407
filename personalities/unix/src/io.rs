//! Reading and writing open file descriptions, whatever they are of.
//!
//! Bytes go through a buffer of this server. What cannot be moved now is [`Stop::Wait`], unless
//! the description never waits.

use alloc::vec::Vec;

use libipc::Endpoint;

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::signals;
use crate::open::{Description, Device, Object, OpenFile};
use crate::path::Node;
use crate::pipe::{Direction, Moved};
use crate::servers::{Ready, Servers};
use crate::signal::Info;
use crate::unix::Unix;
use crate::wake::Channel;

/// Most bytes that are moved in one step.
pub const BUFFER: usize = 65_536;

/// How often a stream that says that it can be moved, and then is not, is tried.
const STREAM_TRIES: usize = 4;

/// Where a read or write begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// At the description's offset, which moves along.
    Current,
    /// At an offset of its own (pread, pwrite).
    At(u64),
}

/// Reads up to `into.len()` bytes; 0 is the end.
///
/// # Errors
/// Wait; EISDIR, EINVAL, EIO and what the file server says.
pub fn read_once(
    unix: &mut Unix,
    file: &Description,
    position: Position,
    into: &mut [u8],
) -> Result<usize, Stop> {
    let mut open = file.borrow_mut();
    let at = match position {
        Position::Current => open.offset,
        Position::At(offset) => offset,
    };
    let count = match &open.object {
        Object::File(held) => unix.files.read(held.node(), at, into)?,
        Object::Text(_, text) => {
            let text = text.get(at as usize..).unwrap_or(&[]);
            let count = text.len().min(into.len());
            into[..count].copy_from_slice(&text[..count]);
            count
        }
        Object::Directory(_) => return Err(Errno::EISDIR.into()),
        Object::Device(device, _) => return Ok(read_device(unix, *device, into)),
        Object::Pipe(end) => {
            return match end.read(into) {
                Moved::Bytes(count) => Ok(count),
                Moved::Nothing => Err(would_block(&open, end.channel())),
                Moved::Broken => Err(Errno::EPIPE.into()),
            };
        }
        Object::Stream(stream) => {
            let endpoint = stream.endpoint();
            let moved = move_on(
                unix,
                endpoint,
                |ready| ready.read,
                |servers| servers.read(endpoint, into),
            )?;
            return moved.ok_or_else(|| would_block(&open, Channel::Streams));
        }
    };
    if position == Position::Current {
        open.offset += count as u64;
    }
    Ok(count)
}

fn read_device(unix: &mut Unix, device: Device, into: &mut [u8]) -> usize {
    match device {
        Device::Null => return 0,
        Device::Zero | Device::Full => into.fill(0),
        Device::Random => unix.machine.random(into),
    }
    into.len()
}

fn would_block(open: &OpenFile, channel: Channel) -> Stop {
    if open.is_non_blocking() { Errno::EAGAIN.into() } else { Stop::Wait(Wait::on(channel)) }
}

/// Writes bytes and returns how many, at least one.
///
/// # Errors
/// Wait; EPIPE, ENOSPC, EISDIR, EIO and what the file server says.
pub fn write_once(
    unix: &mut Unix,
    file: &Description,
    position: Position,
    bytes: &[u8],
) -> Result<usize, Stop> {
    let mut open = file.borrow_mut();
    match &open.object {
        Object::File(held) => {
            let node = held.node();
            write_file(unix, &mut open, node, position, bytes)
        }
        Object::Text(..) => Err(Errno::EACCES.into()),
        Object::Directory(_) => Err(Errno::EISDIR.into()),
        Object::Device(Device::Full, _) => Err(Errno::ENOSPC.into()),
        Object::Device(Device::Null | Device::Zero | Device::Random, _) => Ok(bytes.len()),
        Object::Pipe(end) => match end.write(bytes) {
            Moved::Bytes(count) => Ok(count),
            Moved::Nothing => Err(would_block(&open, end.channel())),
            Moved::Broken => Err(Errno::EPIPE.into()),
        },
        Object::Stream(stream) => {
            let endpoint = stream.endpoint();
            let moved = move_on(
                unix,
                endpoint,
                |ready| ready.write,
                |servers| servers.write(endpoint, bytes),
            )?;
            moved.ok_or_else(|| would_block(&open, Channel::Streams))
        }
    }
}

/// Moves bytes of a stream, or has it report when it can; nothing where it cannot now.
///
/// A stream whose server dies again and again is asked [`STREAM_TRIES`] times.
fn move_on(
    unix: &mut Unix,
    stream: Endpoint,
    can: impl Fn(Ready) -> bool,
    mut attempt: impl FnMut(&mut dyn Servers) -> Result<usize, Errno>,
) -> Result<Option<usize>, Errno> {
    for _ in 0..STREAM_TRIES {
        match attempt(&mut *unix.servers) {
            Err(Errno::EAGAIN) => {}
            result => return result.map(Some),
        }
        // From here on the stream reports when it can do more.
        if !can(unix.servers.ready(stream)?) {
            return Ok(None);
        }
    }
    Ok(None)
}

fn write_file(
    unix: &mut Unix,
    open: &mut OpenFile,
    node: Node,
    position: Position,
    bytes: &[u8],
) -> Result<usize, Stop> {
    use crate::linux::flags::open as flags;
    let at = match position {
        // pwrite(2), BUGS: appending wins over an offset.
        _ if open.flags & flags::APPEND != 0 => unix.files.attributes(node)?.size,
        Position::At(offset) => offset,
        Position::Current => open.offset,
    };
    if bytes.is_empty() {
        return Ok(0);
    }
    let count = unix.files.write(node, at, bytes)?;
    if count == 0 {
        return Err(Errno::ENOSPC.into());
    }
    if position == Position::Current {
        open.offset = at + count as u64;
    }
    Ok(count)
}

/// Writes as much as can be written without waiting, for messages of this server.
///
/// # Errors
/// As [`write_once`].
pub fn write_now(unix: &mut Unix, file: &Description, bytes: &[u8]) -> Result<usize, Stop> {
    let mut done = 0;
    while done < bytes.len() {
        match write_once(unix, file, Position::Current, &bytes[done..])? {
            0 => break,
            count => done += count,
        }
    }
    Ok(done)
}

/// Returns what a description can do without waiting, and what to wait for until it can do more.
pub fn readiness(unix: &mut Unix, file: &Description) -> (Ready, bool, Option<Channel>) {
    match &file.borrow().object {
        Object::Pipe(end) => {
            let (hung_up, channel) = (end.is_hung_up(), Some(end.channel()));
            let ready = match end.direction() {
                Direction::Read => Ready { read: !end.is_empty(), write: false },
                Direction::Write => Ready { read: false, write: end.room() != 0 },
            };
            (ready, hung_up, channel)
        }
        Object::Stream(stream) => {
            let ready = unix.servers.ready(stream.endpoint()).unwrap_or_default();
            (ready, false, Some(Channel::Streams))
        }
        Object::File(_) | Object::Directory(_) | Object::Device(..) | Object::Text(..) => {
            (Ready { read: true, write: true }, false, None)
        }
    }
}

/// Moves bytes between a description and ranges of the caller's memory, in one call that may wait.
pub struct Transfer<'c, 'u> {
    context: &'c mut Context<'u>,
    file: Description,
    position: Position,
}

impl<'c, 'u> Transfer<'c, 'u> {
    /// Returns the transfer for a description.
    pub fn new(context: &'c mut Context<'u>, file: Description, position: Position) -> Self {
        Transfer { context, file, position }
    }

    fn position(&self, done: u64) -> Position {
        match self.position {
            Position::Current => Position::Current,
            Position::At(offset) => Position::At(offset.wrapping_add(done)),
        }
    }

    /// Reads into ranges; what comes in pieces (pipes, terminals) ends with the first piece.
    ///
    /// # Errors
    /// EBADF, EFAULT, and those of [`read_once`].
    pub fn read(&mut self, ranges: &[(u64, u64)]) -> Result<u64, Stop> {
        if !self.file.borrow().is_readable() {
            return Err(Errno::EBADF.into());
        }
        self.check_foreground()?;
        let whole = matches!(self.file.borrow().object, Object::File(_) | Object::Device(..));
        let most = ranges.iter().map(|&(_, len)| len).max().unwrap_or(0).min(BUFFER as u64);
        let mut buffer = self.context.unix.take_buffer(most as usize);
        let result = self.read_through(&mut buffer[..most as usize], ranges, whole);
        self.context.unix.keep_buffer(buffer);
        result
    }

    fn read_through(
        &mut self,
        buffer: &mut [u8],
        ranges: &[(u64, u64)],
        whole: bool,
    ) -> Result<u64, Stop> {
        let mut done = 0;
        for &(address, len) in ranges {
            let mut moved = 0;
            while moved < len {
                let piece = buffer.len().min((len - moved) as usize);
                let position = self.position(done);
                let result =
                    read_once(self.context.unix, &self.file, position, &mut buffer[..piece]);
                let count = match result {
                    Err(_) if done != 0 => return Ok(done),
                    result => result?,
                };
                self.context.copy_out(address.wrapping_add(moved), &buffer[..count])?;
                (moved, done) = (moved + count as u64, done + count as u64);
                if count < piece || !whole {
                    return Ok(done);
                }
            }
        }
        Ok(done)
    }

    /// Writes from ranges all there is, waiting as often as needed.
    ///
    /// # Errors
    /// EBADF, EFAULT, and those of [`write_once`]; SIGPIPE is sent with EPIPE.
    pub fn write(&mut self, ranges: &[(u64, u64)]) -> Result<u64, Stop> {
        if !self.file.borrow().is_writable() {
            return Err(Errno::EBADF.into());
        }
        let done = self.context.progress;
        let most = ranges.iter().map(|&(_, len)| len).max().unwrap_or(0).min(BUFFER as u64);
        let mut buffer = self.context.unix.take_buffer(most as usize);
        let result = self.write_through(&mut buffer, ranges, done);
        self.context.unix.keep_buffer(buffer);
        result
    }

    fn write_through(
        &mut self,
        buffer: &mut [u8],
        ranges: &[(u64, u64)],
        done: u64,
    ) -> Result<u64, Stop> {
        let mut done = done;
        while let Some((address, len)) = after(ranges, done) {
            let bytes = &mut buffer[..BUFFER.min(len as usize)];
            self.context.copy_in(address, bytes)?;
            let position = self.position(done);
            match write_once(self.context.unix, &self.file, position, bytes) {
                Ok(count) => done += count as u64,
                Err(Stop::Wait(wait)) => {
                    return Err(Stop::Wait(Wait { progress: done, ..wait }));
                }
                Err(stop) => return self.failed(stop, done),
            }
        }
        Ok(done)
    }

    fn failed(&mut self, stop: Stop, done: u64) -> Result<u64, Stop> {
        if stop == Stop::Errno(Errno::EPIPE) {
            let info = Info::of_user(signals::SIGPIPE, self.context.pid.0, 0);
            let number = self.context.number;
            self.context.unix.send_to_thread(number, info);
        }
        if done != 0 { Ok(done) } else { Err(stop) }
    }

    /// Stops a background process that reads its terminal, or refuses it that if nobody could
    /// continue it (POSIX read(), EIO).
    fn check_foreground(&mut self) -> Result<(), Stop> {
        let terminal =
            matches!(&self.file.borrow().object, Object::Stream(stream) if stream.is_terminal());
        if !terminal || !self.context.unix.is_background(self.context.pid) {
            return Ok(());
        }
        let ignores = self.context.process().actions.ignores(signals::SIGTTIN);
        if ignores || self.context.thread().mask.contains(signals::SIGTTIN) {
            return Err(Errno::EIO.into());
        }
        let group = self.context.process().group;
        if self.context.unix.is_orphaned(group) {
            return Err(Errno::EIO.into());
        }
        self.context.unix.send_to_group(group, Info::of_system(signals::SIGTTIN));
        Err(Stop::Wait(Wait::on(Channel::Streams)))
    }
}

/// Returns the address and length of the range that lies `done` bytes into ranges, cut there.
fn after(ranges: &[(u64, u64)], done: u64) -> Option<(u64, u64)> {
    let mut skip = done;
    for &(address, len) in ranges {
        if skip < len {
            return Some((address.wrapping_add(skip), len - skip));
        }
        skip -= len;
    }
    None
}

/// Reads all of a file of the file server, up to a bound.
///
/// # Errors
/// What the file server says.
pub fn read_head(unix: &mut Unix, node: Node, most: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = alloc::vec![0; most];
    let count = unix.files.read(node, 0, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}
