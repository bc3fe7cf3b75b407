//! What a handler of a system call has at hand: its process, its arguments, the caller's memory.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::{OpenCall, Registers};

use crate::Errno;
use crate::machine::{Access, Machine};
use crate::memory::{Fault, Mm, PAGE};
use crate::open::{Description, Descriptors, Does};
use crate::path::{Directory, Last, PATH_MAX, Target, VNode, Within};
use crate::proc::walk_as;
use crate::process::{Parked, Pid, Process, Thread, ThreadNumber};
use crate::unix::Unix;
use crate::wake::{Channel, Channels};

/// Why a handler has no value to return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The call failed.
    Errno(Errno),
    /// The call waits; it is made again when something has changed.
    Wait(Wait),
    /// The caller goes on with the registers that the handler has set.
    Resume,
    /// The caller's thread is gone.
    Gone,
}

impl<E: Into<Errno>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Errno(error.into())
    }
}

/// What a call waits for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wait {
    /// What may change; nothing for calls that wait for signals or time only.
    pub channels: Channels,
    /// When to be made again in any case, in ns since boot.
    pub deadline: Option<u64>,
    /// How much is done, in bytes.
    pub progress: u64,
}

impl Wait {
    /// Returns the wait for a channel.
    pub fn on(channel: Channel) -> Wait {
        Wait { channels: Channels::One(channel), ..Wait::default() }
    }

    /// Returns the call parked with this wait.
    pub fn parked(self, call: OpenCall, number: u32, words: [u64; 6]) -> Parked {
        let Wait { channels, deadline, progress } = self;
        Parked { call, number, words, channels, deadline, progress }
    }
}

/// Bytes that a call moves before others get their turn: the server serves one call at a time.
pub const STEP: u64 = 1 << 20;
/// How long the others' turn is, in ns: some dozen calls.
const TURN: u64 = 20_000;

/// Whether a handler may end a call that goes on after the others' turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interruption {
    /// It gets what is done.
    ByHandlers,
    /// As on Linux all is done, unless the thread ends.
    None,
}

/// What a handler has at hand.
pub struct Context<'u> {
    /// The personality.
    pub unix: &'u mut Unix,
    /// The caller's process.
    pub pid: Pid,
    /// The caller's thread.
    pub number: ThreadNumber,
    /// The call.
    pub call: OpenCall,
    /// The arguments.
    pub words: [u64; 6],
    /// What the call did before it waited, in bytes.
    pub progress: u64,
    /// When the call is to end, once it has waited.
    pub deadline: Option<u64>,
}

impl<'u> Context<'u> {
    /// Returns the context of a call that is made for the first time.
    pub fn new(
        unix: &'u mut Unix,
        pid: Pid,
        number: ThreadNumber,
        call: OpenCall,
        words: [u64; 6],
    ) -> Self {
        unix.acting = number;
        Context { unix, pid, number, call, words, progress: 0, deadline: None }
    }

    /// Returns the context of a call that is made again.
    pub fn resumed(mut self, progress: u64, deadline: Option<u64>) -> Self {
        self.progress = progress;
        self.deadline = deadline;
        self
    }

    /// Goes on with a call that an earlier life of this server has begun.
    pub(crate) fn go_on(&mut self) {
        if let Some((progress, deadline)) = self.unix.waited_before(self.number, self.call) {
            self.progress = progress;
            self.deadline = deadline;
        }
    }

    /// Has a long call on a file go on with it after the others' turn, whatever becomes of its
    /// descriptor (`fdget_pos`, fs/file.c).
    #[cold]
    pub fn pause_file(&mut self, file: &Description, does: Does, progress: u64) -> Stop {
        self.unix.paused.add(self.number, file, does);
        self.pause(progress, Interruption::None)
    }

    /// Has a long call go on after the others' turn, when so much of it is done.
    #[cold]
    pub fn pause(&mut self, progress: u64, interruption: Interruption) -> Stop {
        let deadline = Some(self.machine().now().saturating_add(TURN));
        let channels = match interruption {
            Interruption::ByHandlers => Channels::None,
            Interruption::None => Channels::One(Channel::Turn(self.number.0)),
        };
        Stop::Wait(Wait { channels, deadline, progress })
    }

    /// Returns the caller's process, to be looked at.
    #[inline]
    pub fn own(&self) -> &Process {
        let process = self.unix.processes.get(&self.pid);
        process.expect("a process lives while a call of it is handled")
    }

    /// Returns the caller's descriptors.
    pub fn descriptors(&mut self) -> &mut Descriptors {
        let process = self.unix.processes.peek_mut(&self.pid);
        &mut process.expect("a process lives while a call of it is handled").descriptors
    }

    /// Returns the caller's process, to be changed.
    pub fn process(&mut self) -> &mut Process {
        let process = self.unix.processes.get_mut(&self.pid);
        process.expect("a process lives while a call of it is handled")
    }

    /// Returns the caller's thread, to be looked at.
    #[inline]
    pub fn own_thread(&self) -> &Thread {
        let thread = self.unix.threads.get(&self.number);
        thread.expect("a thread lives while its call is handled")
    }

    /// Returns the caller's thread, to be changed.
    pub fn thread(&mut self) -> &mut Thread {
        let thread = self.unix.threads.get_mut(&self.number);
        thread.expect("a thread lives while its call is handled")
    }

    /// Returns the machine.
    pub fn machine(&mut self) -> &mut dyn Machine {
        &mut *self.unix.machine
    }

    /// Returns the caller's memory.
    ///
    /// # Errors
    /// EFAULT: it has none any more.
    pub fn mm(&mut self) -> Result<Rc<RefCell<Mm>>, Errno> {
        self.own().mm.clone().ok_or(Errno::EFAULT)
    }

    /// Returns the description of a descriptor.
    ///
    /// # Errors
    /// EBADF.
    pub fn file(&mut self, descriptor: u64) -> Result<Description, Errno> {
        if self.progress != 0
            && let Some(file) = self.unix.paused.take(self.number)
        {
            return Ok(file);
        }
        self.descriptors().file(descriptor)
    }

    /// Returns the caller's registers.
    ///
    /// # Errors
    /// EIO: the caller is gone.
    pub fn registers(&mut self) -> Result<Registers, Errno> {
        let call = self.call;
        Ok(self.machine().registers(call)?)
    }

    /// Copies from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_in(&mut self, address: u64, into: &mut [u8]) -> Result<(), Errno> {
        let mut done = 0;
        loop {
            let call = self.call;
            let at = address.wrapping_add(done as u64);
            done += self.machine().copy_in(call, at, &mut into[done..]);
            if done == into.len() {
                return Ok(());
            }
            self.find_page(address.wrapping_add(done as u64), Access::Read)?;
        }
    }

    /// Finds a page of the caller's that a copy missed: a stack that ran out is grown.
    fn find_page(&mut self, address: u64, wanted: Access) -> Result<(), Errno> {
        let mm = self.mm()?;
        match mm.borrow_mut().fault(self.machine(), address, wanted) {
            Fault::Resolved => Ok(()),
            Fault::Allowed | Fault::NotMapped | Fault::NoAccess | Fault::BeyondEnd => {
                Err(Errno::EFAULT)
            }
        }
    }

    /// Copies `len` bytes from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn bytes_in(&mut self, address: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = alloc::vec![0; len];
        self.copy_in(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Copies an array from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn array_in<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Errno> {
        let mut bytes = [0; N];
        self.copy_in(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Copies 64 bits from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn u64_in(&mut self, address: u64) -> Result<u64, Errno> {
        Ok(u64::from_le_bytes(self.array_in(address)?))
    }

    /// Copies words of 64 bits from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn words_in<const N: usize>(&mut self, address: u64) -> Result<[u64; N], Errno> {
        let mut words = [[0; 8]; N];
        self.copy_in(address, words.as_flattened_mut())?;
        Ok(words.map(u64::from_le_bytes))
    }

    /// Copies 32 bits from the caller's memory.
    ///
    /// # Errors
    /// EFAULT.
    pub fn u32_in(&mut self, address: u64) -> Result<u32, Errno> {
        Ok(u32::from_le_bytes(self.array_in(address)?))
    }

    /// Copies a NUL-terminated string of at most `most` bytes from the caller's memory.
    ///
    /// # Errors
    /// EFAULT; ENAMETOOLONG: no NUL within `most` bytes.
    pub fn string_in(&mut self, address: u64, most: usize) -> Result<Vec<u8>, Errno> {
        let mut string = Vec::new();
        let mut chunk = [0; 256];
        while string.len() < most {
            let at = address.wrapping_add(string.len() as u64);
            // A chunk ends at the page's end at the latest: what comes then may be missing.
            let len = chunk.len().min((PAGE - at % PAGE) as usize).min(most - string.len());
            self.copy_in(at, &mut chunk[..len])?;
            if let Some(end) = chunk[..len].iter().position(|&byte| byte == 0) {
                string.extend_from_slice(&chunk[..end]);
                return Ok(string);
            }
            string.extend_from_slice(&chunk[..len]);
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// Copies a path from the caller's memory.
    ///
    /// # Errors
    /// EFAULT, ENAMETOOLONG.
    pub fn path_in(&mut self, address: u64) -> Result<Vec<u8>, Errno> {
        self.string_in(address, PATH_MAX)
    }

    /// Copies to the caller's memory; a stack that ran out is grown.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_out(&mut self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        let mut done = 0;
        loop {
            let at = address.wrapping_add(done as u64);
            let call = self.call;
            let copied = self.machine().copy_out(call, at, &bytes[done..]);
            done += copied;
            if done == bytes.len() {
                return Ok(());
            }
            self.find_page(address.wrapping_add(done as u64), Access::Write)?;
        }
    }

    /// Copies to the caller's memory, unless `address` is 0.
    ///
    /// # Errors
    /// EFAULT.
    pub fn copy_out_if(&mut self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        if address == 0 { Ok(()) } else { self.copy_out(address, bytes) }
    }

    /// Walks a path from the directory that a descriptor argument names.
    ///
    /// # Errors
    /// EBADF, ENOTDIR: the descriptor; what [`walk_as`] says.
    pub fn walk(&mut self, descriptor: u64, path: &[u8], last: Last) -> Result<Target, Errno> {
        let from = self.start(descriptor, path)?;
        walk_as(self.unix, self.pid, &from, path, last, Within::default())
    }

    /// Walks a path as [`Context::walk`] does, within bounds.
    ///
    /// # Errors
    /// As [`Context::walk`]; what the bounds say.
    pub fn walk_within(
        &mut self,
        descriptor: u64,
        path: &[u8],
        last: Last,
        within: Within,
    ) -> Result<Target, Errno> {
        if within == Within::default() {
            return self.walk(descriptor, path, last);
        }
        // What an absolute path begins at is where the bounds are (openat2(2), RESOLVE_IN_ROOT).
        let from = self.start(descriptor, if path.is_empty() { path } else { b"." })?;
        walk_as(self.unix, self.pid, &from, path, last, within)
    }

    /// Walks the path at an address of the caller's.
    ///
    /// # Errors
    /// EFAULT, ENAMETOOLONG; what [`Context::walk`] says.
    pub fn walk_at(&mut self, descriptor: u64, path: u64, last: Last) -> Result<Target, Errno> {
        let path = self.path_in(path)?;
        self.walk(descriptor, &path, last)
    }

    fn start(&mut self, descriptor: u64, path: &[u8]) -> Result<Directory, Errno> {
        use crate::open::Object;
        if path.starts_with(b"/") || descriptor as i32 == -100 {
            return Ok(self.own().cwd.clone());
        }
        if path.is_empty() {
            // Before the descriptor is looked at (`getname_flags`, fs/namei.c).
            return Err(Errno::ENOENT);
        }
        match &self.file(descriptor)?.borrow().object {
            Object::Directory(directory) => Ok(directory.clone()),
            Object::File(_)
            | Object::Pipe(_)
            | Object::Pty(_)
            | Object::Device(..)
            | Object::Stream(_)
            | Object::Text(..)
            | Object::Numbered(_) => Err(Errno::ENOTDIR),
        }
    }

    /// Returns the file server's node behind one of the whole tree.
    ///
    /// # Errors
    /// EACCES: the node is made up by this server, where nothing can be changed.
    pub fn real(node: VNode) -> Result<protocols::file::Node, Errno> {
        match node {
            VNode::File(node) => Ok(node),
            VNode::Proc(_) => Err(Errno::EACCES),
        }
    }

    /// Returns the time of day in ns since 1970.
    pub fn time_of_day(&mut self) -> u64 {
        let machine = self.machine();
        machine.boot_time().wrapping_add(machine.now())
    }
}
