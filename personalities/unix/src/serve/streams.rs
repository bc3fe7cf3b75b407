//! Open files of processes as streams of native programs (DOS sessions).

use libipc::{Caller, Message, Notification, OpenCall, ReadLease, WriteLease};
use protocols::stream::{Stream, StreamError, StreamKind, Wait, stream_reply};

use crate::Errno;
use crate::context::Stop;
use crate::io::{BUFFER, Position, checked, read_once, readiness};
use crate::open::{Description, Object};
use crate::serve::STREAM_BADGE;
use crate::unix::Unix;
use crate::wake::Channel;

/// A native program's call that waits.
#[derive(Clone, Copy, Debug)]
pub struct NativeWait {
    call: OpenCall,
    badge: u64,
    direction: Direction,
    lease: usize,
    len: u64,
    channel: Channel,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Read,
    Write,
}

impl NativeWait {
    fn reply(&self, result: Result<u64, StreamError>) -> Message {
        match self.direction {
            Direction::Read => stream_reply::read(result),
            Direction::Write => stream_reply::write(result),
        }
    }
}

/// What trying came to: a result, or what to wait for.
enum Tried {
    Done(Result<u64, StreamError>),
    Wait(Channel),
}

impl Unix {
    fn exported(&self, badge: u64) -> Result<Description, StreamError> {
        self.exported.get(&(badge & !STREAM_BADGE)).cloned().ok_or(StreamError::NotOpen)
    }

    fn try_native(&mut self, wait: &NativeWait) -> Tried {
        let file = match self.exported(wait.badge) {
            Ok(file) => file,
            Err(error) => return Tried::Done(Err(error)),
        };
        let result = match wait.direction {
            Direction::Read => self.read_for(wait, &file),
            Direction::Write => self.write_for(wait, &file),
        };
        match result {
            Ok(count) => Tried::Done(Ok(count as u64)),
            Err(Stop::Wait(on)) => match on.channels.as_slice().first() {
                Some(&channel) => Tried::Wait(channel),
                None => Tried::Done(Err(StreamError::WouldBlock)),
            },
            Err(Stop::Errno(errno)) => Tried::Done(Err(stream_error(errno))),
            Err(Stop::Resume | Stop::Gone) => Tried::Done(Err(StreamError::Device)),
        }
    }

    fn read_for(&mut self, wait: &NativeWait, file: &Description) -> Result<usize, Stop> {
        if !file.borrow().is_readable() {
            return Err(Errno::EBADF.into());
        }
        let mut buffer = alloc::vec![0; BUFFER.min(wait.len as usize)];
        let count = read_once(self, file, Position::Current, &mut buffer)?;
        wait.call.lease_write(wait.lease, 0, &buffer[..count]).map_err(|end| end.error)?;
        Ok(count)
    }

    fn write_for(&mut self, wait: &NativeWait, file: &Description) -> Result<usize, Stop> {
        if !file.borrow().is_writable() {
            return Err(Errno::EBADF.into());
        }
        let mut buffer = alloc::vec![0; BUFFER.min(wait.len as usize)];
        wait.call.lease_read(wait.lease, 0, &mut buffer).map_err(|end| end.error)?;
        checked::write_played(self, wait.badge & !STREAM_BADGE, file, &buffer)
    }

    /// Tries once; a caller who wants to wait is parked.
    fn begin(&mut self, may_wait: Wait, wait: NativeWait) -> Option<Result<u64, StreamError>> {
        match self.try_native(&wait) {
            Tried::Done(result) => Some(result),
            Tried::Wait(_) if may_wait == Wait::Never => Some(Err(StreamError::WouldBlock)),
            Tried::Wait(channel) => {
                self.native_waits.push(NativeWait { channel, ..wait });
                None
            }
        }
    }

    /// Tries those again that wait for one of these channels.
    pub(crate) fn retry_exported(&mut self, channels: &[Channel]) {
        if self.native_waits.is_empty() {
            return;
        }
        let waits = core::mem::take(&mut self.native_waits);
        for wait in waits {
            if !channels.contains(&wait.channel) {
                self.native_waits.push(wait);
                continue;
            }
            match self.try_native(&wait) {
                Tried::Wait(channel) => self.native_waits.push(NativeWait { channel, ..wait }),
                Tried::Done(result) => {
                    self.commit();
                    // A caller that is gone meanwhile needs no answer.
                    let _ = wait.call.reply(&wait.reply(result));
                }
            }
        }
    }

    /// Forgets calls for whose answer nobody waits any more.
    pub fn cancelled(&mut self, cancelled: OpenCall) {
        self.native_waits.retain(|wait| !wait.call.is_ended_by(cancelled));
    }
}

impl Stream for Unix {
    fn read(
        &mut self,
        caller: &Caller,
        wait: Wait,
        into: WriteLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        let (lease, len) = (into.index(), into.len());
        let Caller { call, badge, .. } = *caller;
        let (direction, channel) = (Direction::Read, Channel::Streams);
        self.begin(wait, NativeWait { call, badge, direction, lease, len, channel })
    }

    fn write(
        &mut self,
        caller: &Caller,
        wait: Wait,
        data: ReadLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        let (lease, len) = (data.index(), data.len());
        let Caller { call, badge, .. } = *caller;
        let (direction, channel) = (Direction::Write, Channel::Streams);
        self.begin(wait, NativeWait { call, badge, direction, lease, len, channel })
    }

    fn kind(&mut self, caller: &Caller) -> Result<StreamKind, StreamError> {
        Ok(match &self.exported(caller.badge)?.borrow().object {
            // The console protocol is not served here: a terminal behaves like a pipe.
            Object::Pipe(_) | Object::Pty(_) | Object::Stream(_) | Object::Numbered(_) => {
                StreamKind::Pipe
            }
            Object::File(_) | Object::Directory(_) | Object::Device(..) | Object::Text(..) => {
                StreamKind::File
            }
        })
    }

    fn watch(&mut self, caller: &Caller, notify: Notification) -> Result<u32, StreamError> {
        const READ: u32 = 1;
        const WRITE: u32 = 2;
        // Changes are not reported: the answer is what can be done now.
        self.servers.forget(notify);
        let file = self.exported(caller.badge)?;
        let ready = readiness(self, &file);
        let read = if ready.can_read() { READ } else { 0 };
        Ok(read | if ready.can_write() { WRITE } else { 0 })
    }
}

fn stream_error(errno: Errno) -> StreamError {
    match errno {
        Errno::EAGAIN => StreamError::WouldBlock,
        Errno::EPIPE => StreamError::Broken,
        Errno::EBADF => StreamError::NotOpen,
        Errno::EINTR => StreamError::Interrupted,
        _ => StreamError::Device,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use libipc::loopback::HostCall;
    use protocols::file::mode;

    use super::*;
    use crate::credentials::Capability;
    use crate::fake::{Bench, SCRATCH};
    use crate::process::Pid;
    use crate::servers::Handed;

    const WRITE: u32 = 1;
    const PIPE: u32 = 22;

    /// Has a DOS program play a process whose standard output is /bin/su, and write to it; returns
    /// what each piece came to.
    fn written_by_dos(bench: &mut Bench, pid: Pid, pieces: &[&[u8]]) -> Vec<Option<u64>> {
        const OPEN: u32 = 2;
        const DUP2: u32 = 33;
        const EXECVE: u32 = 59;
        bench.files.make("/bin/su", mode::FILE | 0o4777, b"");
        let path = bench.string(pid, "/bin/su");
        let fd = bench.value(pid, OPEN, &[path, 1]);
        bench.value(pid, DUP2, &[fd, 1]);
        let path = bench.string(pid, "/bin/GAME.COM");
        assert_eq!(bench.call(pid, EXECVE, [path, 0, 0, 0, 0, 0]), None);
        let [_, stdout, _] = bench.servers.0.borrow().spawned[0];
        let Handed::File(badge) = stdout else { panic!("not a file") };
        let badge = badge | STREAM_BADGE;
        let write = |bytes: &&[u8]| {
            let call = HostCall::new(badge).lend(bytes);
            let (direction, channel, len) =
                (Direction::Write, Channel::Streams, bytes.len() as u64);
            let call = call.caller().call;
            let wait = NativeWait { call, badge, direction, lease: 0, len, channel };
            bench.unix.begin(Wait::Yes, wait).and_then(Result::ok)
        };
        pieces.iter().map(write).collect()
    }

    // setrlimit(2), `RLIMIT_FSIZE`.
    #[test]
    fn a_dos_program_writes_within_its_process_s_limit() {
        const SETRLIMIT: u32 = 160;
        const FILE_SIZE: u64 = 1;
        let mut bench = Bench::new();
        let pid = bench.launch();
        bench.poke(pid, SCRATCH, &[4u64, 4].map(u64::to_le_bytes).concat());
        assert_eq!(bench.value(pid, SETRLIMIT, &[FILE_SIZE, SCRATCH]), 0);
        let written = written_by_dos(&mut bench, pid, &[b"abc", b"", b"def", b"", b"g"]);
        assert_eq!(written, [Some(3), Some(0), Some(1), Some(0), None]);
    }

    // inode(7), `file_remove_privs` (fs/inode.c); capabilities(7), CAP_FSETID.
    #[test]
    fn a_dos_program_takes_set_id_bits_where_its_process_could_not_give_them() {
        const STAT: u32 = 4;
        const CAPSET: u32 = 126;
        const ALL: u32 = u32::MAX;
        const WITHOUT: u32 = ALL & !(1 << Capability::FileSetId as u32);
        for (effective, after) in [(ALL, 0o4777), (WITHOUT, 0o777)] {
            let mut bench = Bench::new();
            let pid = bench.launch();
            let looks = Pid(bench.value(pid, 57, &[]) as u32);
            let permitted = bench.unix.processes[&pid].credentials.capabilities.permitted as u32;
            let sets = [0x2008_0522, 0, effective & permitted, permitted, 0, 0, 0, 0];
            bench.poke(pid, SCRATCH, &sets.map(u32::to_le_bytes).concat());
            assert_eq!(bench.value(pid, CAPSET, &[SCRATCH, SCRATCH + 8]), 0);
            assert_eq!(written_by_dos(&mut bench, pid, &[b"abc"]), [Some(3)]);
            let path = bench.string(looks, "/bin/su");
            assert_eq!(bench.value(looks, STAT, &[path, SCRATCH + 0x800]), 0);
            let bits = bench.peek(looks, SCRATCH + 0x800 + 24, 2);
            assert_eq!(u16::from_le_bytes([bits[0], bits[1]]) & 0o7777, after);
        }
    }

    #[test]
    fn what_a_cancelled_read_waited_for_is_the_next_reader_s() {
        let mut bench = Bench::new();
        let pid = bench.launch();
        assert_eq!(bench.value(pid, PIPE, &[SCRATCH]), 0);
        let ends = bench.peek(pid, SCRATCH, 8);
        let file = bench.unix.processes[&pid].descriptors.file(ends[0].into()).unwrap();
        let badge = bench.unix.export(file) | STREAM_BADGE;
        let (mut lost, mut kept) = ([0; 8], [0; 8]);
        let calls =
            [HostCall::new(badge).lend_mut(&mut lost), HostCall::new(badge).lend_mut(&mut kept)];
        let mut park = |call: &HostCall<'_>| {
            let (direction, channel) = (Direction::Read, Channel::Streams);
            let call = call.caller().call;
            let wait = NativeWait { call, badge, direction, lease: 0, len: 8, channel };
            assert!(bench.unix.begin(Wait::Yes, wait).is_none());
        };
        calls.iter().for_each(&mut park);
        bench.unix.cancelled(calls[0].caller().call);
        bench.poke(pid, SCRATCH + 0x100, b"word");
        assert_eq!(bench.value(pid, WRITE, &[ends[4].into(), SCRATCH + 0x100, 4]), 4);
        assert_eq!(calls[0].answer(), None);
        assert_eq!(calls[1].answer().map(|answer| answer.words()[0]), Some(4));
        drop(calls);
        assert_eq!(&kept[..4], b"word");
    }
}
