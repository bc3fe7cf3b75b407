//! Reading and writing open file descriptions, whatever they are of.
//!
//! Bytes go through a buffer of this server. What cannot be moved now is [`Stop::Wait`], unless
//! the description never waits.

pub mod checked;
mod pages;
pub mod small;

use alloc::rc::Rc;
use alloc::vec::Vec;

use libipc::Endpoint;

use crate::Errno;
use crate::calls::sockets;
use crate::calls::terminal::{after_wait, check_background, stops_output};
use crate::context::{Context, Interruption, STEP, Stop, Wait};
use crate::linux::signals;
use crate::numbered;
use crate::open::{Description, Device, Does, Object, OpenFile};
use crate::path::Node;
use crate::pipe::Moved;
pub use crate::readiness::readiness;
use crate::servers::{Ready, Servers};
use crate::terminal::Line;
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
        Position::Current => open.offset(),
        Position::At(offset) => offset,
    };
    let count = match &open.object {
        Object::File(held) => unix.read_contents(held.node(), at, into)?,
        Object::Text(..) => {
            drop(open);
            return Ok(crate::proc::read(unix, file, position, into)?);
        }
        Object::Directory(_) => return Err(Errno::EISDIR.into()),
        Object::Device(device, _) => return Ok(read_device(unix, *device, into)),
        Object::Numbered(numbered) => {
            let (numbered, never) = (Rc::clone(numbered), open.is_non_blocking());
            drop(open);
            return numbered::read(unix, &numbered, into).map_err(|stop| unless(never, stop));
        }
        Object::Pipe(end) => {
            return match end.read(into) {
                Moved::Bytes(count) => Ok(count),
                Moved::Nothing => Err(would_block(&open, end.channel_in())),
                Moved::Broken => Err(Errno::EPIPE.into()),
            };
        }
        Object::Pty(end) => {
            let end = Rc::clone(end);
            return unix.read_pty(&end, into).map_err(|stop| refused(&open, stop));
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
        let to = open.offset() + count as u64;
        open.set_offset(to);
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

/// Returns why nothing was moved, for a description that may never wait.
pub fn unless(never: bool, stop: Stop) -> Stop {
    if never && matches!(stop, Stop::Wait(_)) { Errno::EAGAIN.into() } else { stop }
}

pub(crate) fn would_block(open: &OpenFile, channel: Channel) -> Stop {
    if open.is_non_blocking() { Errno::EAGAIN.into() } else { Stop::Wait(Wait::on(channel)) }
}

/// Returns EAGAIN for a wait of a description that never waits.
fn refused(open: &OpenFile, stop: Stop) -> Stop {
    match stop {
        Stop::Wait(_) if open.is_non_blocking() => Errno::EAGAIN.into(),
        stop => stop,
    }
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
        Object::Text(text) => Ok(crate::proc::write(unix, text, bytes)?),
        Object::Directory(_) => Err(Errno::EISDIR.into()),
        Object::Device(Device::Full, _) => Err(Errno::ENOSPC.into()),
        Object::Device(Device::Null | Device::Zero | Device::Random, _) => Ok(bytes.len()),
        Object::Numbered(numbered) => {
            let (numbered, never) = (Rc::clone(numbered), open.is_non_blocking());
            drop(open);
            numbered::write(unix, &numbered, bytes).map_err(|stop| unless(never, stop))
        }
        Object::Pipe(end) => match end.write(bytes) {
            Moved::Bytes(count) => Ok(count),
            Moved::Nothing => Err(would_block(&open, end.channel_out())),
            Moved::Broken => Err(Errno::EPIPE.into()),
        },
        Object::Pty(end) => {
            let end = Rc::clone(end);
            unix.write_pty(&end, bytes).map_err(|stop| refused(&open, stop))
        }
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
        _ if open.flags() & flags::APPEND != 0 => unix.files.attributes(node)?.size,
        Position::At(offset) => offset,
        Position::Current => open.offset(),
    };
    if bytes.is_empty() {
        return Ok(0);
    }
    let count = unix.write_contents(node, at, bytes)?;
    if count == 0 {
        return Err(Errno::ENOSPC.into());
    }
    if position == Position::Current {
        open.set_offset(at + count as u64);
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
        if let Some(number) = sockets::number_of(&self.file) {
            return sockets::messages::read(self.context, &self.file, number, ranges);
        }
        self.check_foreground(signals::SIGTTIN)?;
        self.check_turn(Does::Read)?;
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
        let mut done = self.context.progress;
        let (mut skipped, most) = (done, done + STEP);
        for &(address, len) in ranges {
            let mut moved = skipped.min(len);
            skipped -= moved;
            while moved < len {
                let position = self.position(done);
                let (to, rest) = (address.wrapping_add(moved), (len - moved).min(most - done));
                if rest == 0 {
                    return Err(self.pause(Does::Read, done));
                }
                if let Some(count) = pages::read(self.context, &self.file, position, to, rest) {
                    if count == 0 {
                        return Ok(done);
                    }
                    (moved, done) = (moved + count, done + count);
                    continue;
                }
                let piece = buffer.len().min(rest as usize);
                let result =
                    read_once(self.context.unix, &self.file, position, &mut buffer[..piece]);
                let count = match result {
                    Err(_) if done != 0 => return Ok(done),
                    Err(Stop::Wait(wait)) => return after_wait(self.context, &self.file, wait),
                    result => result?,
                };
                if let Err(errno) = self.context.copy_out(to, &buffer[..count]) {
                    self.put_back(count as u64);
                    return if done != 0 { Ok(done) } else { Err(errno.into()) };
                }
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
    /// EBADF, EFAULT, and those of [`checked::write`].
    pub fn write(&mut self, ranges: &[(u64, u64)]) -> Result<u64, Stop> {
        if !self.file.borrow().is_writable() {
            return Err(Errno::EBADF.into());
        }
        if let Some(number) = sockets::number_of(&self.file) {
            let file = self.file.clone();
            return sockets::messages::write(self.context, file, number, ranges);
        }
        self.check_foreground(signals::SIGTTOU)?;
        self.check_turn(Does::Write)?;
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
        let most = done + STEP;
        let mut done = done;
        while let Some((address, len)) = after(ranges, done) {
            if done >= most {
                return Err(self.pause(Does::Write, done));
            }
            let position = self.position(done);
            if done != 0 && checked::is_at_limit(self.context, &self.file, position) {
                break;
            }
            let bytes = &mut buffer[..BUFFER.min(len as usize)];
            match self.context.copy_in(address, bytes) {
                Err(_) if done != 0 => break,
                result => result?,
            }
            match checked::write(self.context, &self.file, position, bytes) {
                Ok(count) => {
                    let is_short = count < bytes.len();
                    done += count as u64;
                    // A file at its limit or without space: only the next call fails.
                    if is_short && matches!(self.file.borrow().object, Object::File(_)) {
                        break;
                    }
                }
                Err(Stop::Wait(wait)) => {
                    return Err(Stop::Wait(Wait { progress: done, ..wait }));
                }
                Err(_) if done != 0 => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(done)
    }

    /// Lets others have their turn: of a file all there is is moved at last (`filemap_read`,
    /// mm/filemap.c), of devices what was moved when a signal came (`read_iter_zero`,
    /// drivers/char/mem.c).
    fn pause(&mut self, does: Does, done: u64) -> Stop {
        if matches!(self.file.borrow().object, Object::File(_)) {
            return self.context.pause_file(&self.file, does, done);
        }
        self.context.pause(done, Interruption::ByHandlers)
    }

    /// Waits while another call on the file has to be done as a whole.
    #[inline]
    fn check_turn(&mut self, does: Does) -> Result<(), Stop> {
        let paused = &self.context.unix.paused;
        if paused.is_empty() || !paused.holds(&self.file, does, self.position) {
            return Ok(());
        }
        Err(self.context.pause(self.context.progress, Interruption::None))
    }

    /// Has a file's offset where it was before so many bytes were read that nobody got.
    fn put_back(&mut self, count: u64) {
        let mut open = self.file.borrow_mut();
        if self.position == Position::Current && matches!(open.object, Object::File(_)) {
            let to = open.offset() - count;
            open.set_offset(to);
        }
    }

    /// Stops a background process that uses its terminal; writing is its right unless the
    /// terminal's mode TOSTOP is on.
    fn check_foreground(&mut self, signal: u8) -> Result<(), Stop> {
        let Some(line) = Line::of_user(&self.file.borrow().object) else { return Ok(()) };
        if !self.context.unix.is_background(self.context.pid, line) {
            return Ok(());
        }
        if signal == signals::SIGTTOU && !stops_output(self.context, &self.file)? {
            return Ok(());
        }
        check_background(self.context, line, signal)
    }
}

/// Returns the address and length of the range that lies `done` bytes into ranges, cut there.
pub(crate) fn after(ranges: &[(u64, u64)], done: u64) -> Option<(u64, u64)> {
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
    let count = unix.read_contents(node, 0, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}
