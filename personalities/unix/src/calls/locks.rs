//! Locking files: fcntl's record locks and flock.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::flags::fcntl;
use crate::linux::structures::Fields;
use crate::locks::{Key, Kind, Lock, Owner, locker};
use crate::open::{Description, Object};
use crate::wake::Channel;

/// `F_RDLCK`, `F_WRLCK`, `F_UNLCK` (asm-generic/fcntl.h).
const READ_LOCK: u16 = 0;
const WRITE_LOCK: u16 = 1;
const UNLOCK: u16 = 2;

/// Bytes of `struct flock` (asm-generic/fcntl.h): type, whence, 4 of padding, start, len, pid.
const FLOCK: usize = 32;

/// What a program asks for with a `struct flock`.
struct Asked {
    kind: u16,
    first: u64,
    last: u64,
    pid: u32,
}

/// The lock commands of fcntl(2).
pub(super) fn record_lock(
    context: &mut Context<'_>,
    file: &Description,
    command: u64,
    address: u64,
) -> Result<u64, Stop> {
    let thread = context.number;
    context.unix.locks.want(thread, None);
    if file.borrow().flags() & crate::linux::flags::open::PATH != 0 {
        return Err(Errno::EBADF.into());
    }
    let asked = asked(context, file, address)?;
    let is_open = command >= fcntl::OPEN_GET_LOCK;
    if is_open && asked.pid != 0 {
        return Err(Errno::EINVAL.into());
    }
    let owner = match is_open {
        true => Owner::Description(number_of(context, file)),
        false => Owner::Process(context.pid),
    };
    let key = Key::of(&file.borrow().object);
    let is_get = matches!(command, fcntl::GET_LOCK | fcntl::OPEN_GET_LOCK);
    let (first, last) = (asked.first, asked.last);
    let kind = match asked.kind {
        READ_LOCK => Kind::Shared,
        WRITE_LOCK => Kind::Exclusive,
        UNLOCK if !is_get => {
            if let Some(key) = key {
                context.unix.locks.clear(key, owner, first, last);
            }
            return Ok(0);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    // What nobody else has a way to nobody else locks.
    let Some(key) = key else { return Ok(0) };
    let lock = Lock { owner, kind, first, last };
    if is_get {
        return report(context, key, &lock, address);
    }
    let may = match kind {
        Kind::Shared => file.borrow().is_readable(),
        Kind::Exclusive => file.borrow().is_writable(),
    };
    if !may {
        return Err(Errno::EBADF.into());
    }
    match context.unix.locks.set(key, lock) {
        Err(Errno::EAGAIN)
            if matches!(command, fcntl::SET_LOCK_WAIT | fcntl::OPEN_SET_LOCK_WAIT) =>
        {
            wait(context, key, lock)
        }
        result => Ok(result.map(|()| 0)?),
    }
}

fn wait(context: &mut Context<'_>, key: Key, lock: Lock) -> Result<u64, Stop> {
    let threads = &context.unix.threads;
    let waits = |thread| {
        threads.get(&thread).is_some_and(|thread| {
            matches!(&thread.state, crate::process::State::Parked(parked)
                if parked.channels.as_slice().iter().any(|channel| matches!(channel, Channel::Lock(_))))
        })
    };
    let is_process = matches!(lock.owner, Owner::Process(_));
    if is_process && context.unix.locks.would_deadlock(key, &lock, waits) {
        return Err(Errno::EDEADLK.into());
    }
    if is_process {
        let thread = context.number;
        context.unix.locks.want(thread, Some((key, lock)));
    }
    Err(Stop::Wait(Wait::on(Channel::Lock(key))))
}

/// Writes what keeps a lock out, or that nothing does.
fn report(context: &mut Context<'_>, key: Key, lock: &Lock, address: u64) -> Result<u64, Stop> {
    let Some(held) = context.unix.locks.blocker(key, lock) else {
        context.copy_out(address, &UNLOCK.to_le_bytes())?;
        return Ok(0);
    };
    let kind = if held.kind == Kind::Exclusive { WRITE_LOCK } else { READ_LOCK };
    let len = if held.last == LAST { 0 } else { held.last - held.first + 1 };
    let pid = match held.owner {
        Owner::Process(pid) => pid.0,
        // fcntl(2): the process is unknown.
        Owner::Description(_) | Owner::Whole(_) => u32::MAX,
    };
    let fields = Fields::default().u16(kind).u16(0).u32(0).u64(held.first).u64(len).u32(pid);
    context.copy_out(address, &fields.zeros_to(FLOCK).0)?;
    Ok(0)
}

/// The last byte that a file can have.
const LAST: u64 = i64::MAX as u64;

fn asked(context: &mut Context<'_>, file: &Description, address: u64) -> Result<Asked, Errno> {
    const SET: u16 = 0;
    const CURRENT: u16 = 1;
    const END: u16 = 2;
    let bytes: [u8; FLOCK] = context.array_in(address)?;
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let word = |at: usize| {
        bytes[at..at + 8].iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte)) as i64
    };
    let base = match half(2) {
        SET => 0,
        CURRENT => file.borrow().offset(),
        END => match &file.borrow().object {
            Object::File(held) => context.unix.files.attributes(held.node())?.size,
            _ => 0,
        },
        _ => return Err(Errno::EINVAL),
    };
    let start = (base as i64).checked_add(word(8)).ok_or(Errno::EOVERFLOW)?;
    // A negative length is what lies before the start (POSIX fcntl()).
    let (first, end) = match word(16) {
        0 => (start, None),
        len if len < 0 => (start.checked_add(len).ok_or(Errno::EINVAL)?, Some(start)),
        len => (start, Some(start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?)),
    };
    let last = match end {
        None => LAST,
        Some(end) if word(16) < 0 => (end as u64).wrapping_sub(1),
        Some(end) => end as u64,
    };
    if first < 0 || last > LAST {
        return Err(Errno::EINVAL);
    }
    let pid = word(24) as u32;
    Ok(Asked { kind: half(0), first: first as u64, last, pid })
}

fn number_of(context: &mut Context<'_>, file: &Description) -> u64 {
    let number = context.unix.unique();
    locker(&mut file.borrow_mut(), &context.unix.closed, || number)
}

/// flock(2)
pub fn flock(context: &mut Context<'_>) -> Result<u64, Stop> {
    const SHARED: u64 = 1;
    const EXCLUSIVE: u64 = 2;
    const NON_BLOCKING: u64 = 4;
    const UNLOCK: u64 = 8;
    let [fd, operation, ..] = context.words;
    let thread = context.number;
    context.unix.locks.want(thread, None);
    let file = context.file(fd)?;
    if file.borrow().flags() & crate::linux::flags::open::PATH != 0 {
        return Err(Errno::EBADF.into());
    }
    let owner = Owner::Whole(number_of(context, &file));
    let Some(key) = Key::of(&file.borrow().object) else { return Ok(0) };
    let kind = match operation & !NON_BLOCKING {
        SHARED => Kind::Shared,
        EXCLUSIVE => Kind::Exclusive,
        UNLOCK => {
            context.unix.locks.clear(key, owner, 0, LAST);
            return Ok(0);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let lock = Lock { owner, kind, first: 0, last: LAST };
    match context.unix.locks.set(key, lock) {
        Err(Errno::EAGAIN) if operation & NON_BLOCKING == 0 => {
            // A lock that is converted is given up first (flock(2)); once, as the call is made again.
            context.unix.locks.clear(key, owner, 0, LAST);
            Err(Stop::Wait(Wait::on(Channel::Lock(key))))
        }
        result => Ok(result.map(|()| 0)?),
    }
}
