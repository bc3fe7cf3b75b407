//! What open files can do without waiting: the one thing that poll, select and epoll ask.

use crate::events::{epoll, process, signals};
use crate::linux::flags::poll as bits;
use crate::open::{Description, Kind, Numbered, Object};
use crate::pipe::{Direction, End};
use crate::unix::Unix;
use crate::wake::Channel;

/// What an open file can do without waiting.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Readiness {
    /// The events of poll(2) that hold now ([`bits`]).
    pub events: u16,
    /// What changes when others come to hold.
    pub channels: [Option<Channel>; 3],
}

/// Events of something that can be read.
pub const READABLE: u16 = bits::IN | bits::READ_NORMAL;
/// Events of something that can be written.
pub const WRITABLE: u16 = bits::OUT | bits::WRITE_NORMAL;

impl Readiness {
    /// Returns the readiness for events and one channel that tells of all.
    pub fn new(events: u16, channel: Channel) -> Self {
        Readiness { events, channels: [Some(channel), None, None] }
    }

    /// Returns the readiness of something that can do nothing now, and up to three channels that
    /// tell when it can.
    pub fn on(channels: &[Channel]) -> Self {
        let mut all = [None; 3];
        for (place, &channel) in all.iter_mut().zip(channels) {
            *place = Some(channel);
        }
        Readiness { events: 0, channels: all }
    }

    /// Returns whether something can be read, or the end.
    pub fn can_read(&self) -> bool {
        self.events & (bits::IN | bits::HANG_UP) != 0
    }

    /// Returns whether something can be written.
    pub fn can_write(&self) -> bool {
        self.events & bits::OUT != 0
    }
}

/// Returns what a description can do without waiting, and what to wait for until it can do more.
pub fn readiness(unix: &mut Unix, file: &Description) -> Readiness {
    let open = file.borrow();
    match &open.object {
        Object::Pipe(end) => of_pipe(end),
        Object::Stream(stream) => {
            let ready = unix.servers.ready(stream.endpoint()).unwrap_or_default();
            let read = if ready.read && open.is_readable() { READABLE } else { 0 };
            let write = if ready.write && open.is_writable() { WRITABLE } else { 0 };
            Readiness::new(read | write, Channel::Streams)
        }
        Object::Numbered(numbered) => of_numbered(unix, numbered),
        Object::Pty(end) => unix.pty_ready(end),
        // Always (poll(2), "regular files").
        Object::File(_) | Object::Directory(_) | Object::Device(..) | Object::Text(..) => {
            Readiness { events: READABLE | WRITABLE, channels: [None; 3] }
        }
    }
}

fn of_pipe(end: &End) -> Readiness {
    let (direction, look) = (end.direction(), end.look());
    let (reads, writes) = (direction.reads(), direction.writes());
    let read = if reads && !look.is_empty { READABLE } else { 0 };
    let write = if writes && look.has_page { WRITABLE } else { 0 };
    let gone = if direction == Direction::Write { bits::ERROR } else { bits::HANG_UP };
    let gone = if look.is_hung_up { gone } else { 0 };
    let incoming = reads.then_some(Channel::PipeIn(look.id));
    let room = writes.then_some(Channel::PipeOut(look.id));
    Readiness { events: read | write | gone, channels: [incoming, room, None] }
}

fn of_numbered(unix: &mut Unix, numbered: &Numbered) -> Readiness {
    let number = numbered.number();
    match numbered.kind() {
        Kind::Socket => unix.sockets.readiness(number),
        Kind::Counter => unix.counters.readiness(number),
        Kind::Epoll => epoll::list_readiness(unix, number),
        Kind::Signals => signals::readiness(unix, number),
        Kind::Process => process::readiness(unix, number),
        Kind::Timer => {
            let now = unix.machine.now();
            unix.timer_files.readiness(number, now)
        }
    }
}
