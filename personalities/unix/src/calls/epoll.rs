//! epoll: making lists, changing what they hold, waiting.

use crate::Errno;
use crate::calls::poll::{deadline, wait};
use crate::calls::signals::set_mask_for_call;
use crate::calls::time::deadline_in;
use crate::context::{Context, Stop};
use crate::events::epoll::{self, list_of};
use crate::linux::flags::epoll as flags;
use crate::linux::structures::Fields;
use crate::open::{Description, Kind, Numbered, Object, OpenFile, Slot, Watch};
use crate::signal::SignalSet;
use crate::wake::Channel;

/// Bytes of `struct epoll_event` (linux/eventpoll.h: packed on x86-64).
const EVENT_BYTES: usize = 12;
/// Most events of one call (`EP_MAX_EVENTS`, fs/eventpoll.c).
const MAX_EVENTS: i32 = i32::MAX / EVENT_BYTES as i32;
/// Most events that are reported at once, however many are asked for: one page of them.
const BATCH: usize = 4096 / EVENT_BYTES;

/// epoll_create(2)
pub fn create(context: &mut Context<'_>) -> Result<u64, Stop> {
    let size = context.words[0] as i32;
    if size <= 0 { Err(Errno::EINVAL.into()) } else { open(context, 0) }
}

/// epoll_create1(2)
pub fn create1(context: &mut Context<'_>) -> Result<u64, Stop> {
    let bits = context.words[0] as u32;
    if bits & !flags::CLOSE_ON_EXEC != 0 { Err(Errno::EINVAL.into()) } else { open(context, bits) }
}

fn open(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    let number = context.unix.unique();
    context.unix.epolls.create(number)?;
    add(context, Kind::Epoll, number, bits & flags::CLOSE_ON_EXEC != 0, 0)
}

/// Puts an entry of a table into a descriptor.
pub(super) fn add(
    context: &mut Context<'_>,
    kind: Kind,
    number: u64,
    close_on_exec: bool,
    status: u32,
) -> Result<u64, Stop> {
    use crate::linux::flags::open::READ_WRITE;
    let numbered = Numbered::new(kind, number, &context.unix.closed);
    let path = kind.path(number);
    let file =
        OpenFile::new(context.unix.kept, Object::Numbered(numbered), status | READ_WRITE, path)?;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec })?)
}

/// Returns the list that a descriptor names.
fn list(context: &mut Context<'_>, fd: u64) -> Result<u64, Errno> {
    list_of(&context.file(fd)?).ok_or(Errno::EINVAL)
}

/// epoll_ctl(2)
pub fn ctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [list_fd, operation, fd, event, ..] = context.words;
    let (events, data) = match operation {
        flags::DELETE => (0, 0),
        _ => (context.u32_in(event)?, context.u64_in(event.wrapping_add(4))?),
    };
    context.file(list_fd)?;
    let file = context.file(fd)?;
    if !can_be_watched(&file.borrow().object) {
        return Err(Errno::EPERM.into());
    }
    let number = list(context, list_fd)?;
    let other = list_of(&file);
    if other == Some(number) {
        return Err(Errno::EINVAL.into());
    }
    let events = events & !flags::WAKE_UP;
    let exclusive = events & flags::EXCLUSIVE != 0;
    let allowed = match operation {
        flags::ADD => events & !flags::WITH_EXCLUSIVE == 0 && other.is_none(),
        flags::MODIFY => false,
        _ => true,
    };
    if exclusive && !allowed {
        return Err(Errno::EINVAL.into());
    }
    let key = (file.borrow().watch.as_ref().map_or(0, Watch::number), fd as u32);
    let known = key.0 != 0 && context.unix.epolls.has(number, key);
    match operation {
        flags::ADD if known => Err(Errno::EEXIST.into()),
        flags::ADD => watch(context, number, &file, (fd as u32, events, data)),
        flags::MODIFY | flags::DELETE if !known => Err(Errno::ENOENT.into()),
        flags::MODIFY if context.unix.epolls.is_exclusive(number, key) => Err(Errno::EINVAL.into()),
        flags::MODIFY => {
            epoll::put(context.unix, number, &file, key, events, data);
            Ok(0)
        }
        flags::DELETE => {
            context.unix.epolls.delete(number, key)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Adds an interest.
fn watch(
    context: &mut Context<'_>,
    number: u64,
    file: &Description,
    (fd, events, data): (u32, u32, u64),
) -> Result<u64, Stop> {
    if let Some(other) = list_of(file) {
        context.unix.epolls.may_watch(number, other)?;
    }
    if !context.unix.epolls.has_space() {
        return Err(Errno::ENOSPC.into());
    }
    let known = file.borrow().watch.as_ref().map(Watch::number);
    let watched = match known {
        Some(watched) => watched,
        None => {
            let watched = context.unix.unique();
            file.borrow_mut().watch = Some(Watch::new(watched, &context.unix.closed));
            watched
        }
    };
    epoll::put(context.unix, number, file, (watched, fd), events, data);
    Ok(0)
}

/// Returns whether a description has events; files and directories are always ready, and refused
/// (epoll_ctl(2), EPERM).
fn can_be_watched(object: &Object) -> bool {
    match object {
        Object::Pipe(_) | Object::Pty(_) | Object::Stream(_) | Object::Numbered(_) => true,
        // Of the devices here only random numbers have a poll operation (drivers/char).
        Object::Device(device, _) => *device == crate::open::Device::Random,
        Object::Text(_) | Object::File(_) | Object::Directory(_) => false,
    }
}

/// epoll_wait(2)
pub fn epoll_wait(context: &mut Context<'_>) -> Result<u64, Stop> {
    let timeout = context.words[3];
    let deadline = timeout_ms(context, timeout)?;
    wait_until(context, deadline)
}

/// epoll_pwait(2)
pub fn epoll_pwait(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, _, _, timeout, mask, len] = context.words;
    set_mask(context, mask, len)?;
    let deadline = timeout_ms(context, timeout)?;
    wait_until(context, deadline)
}

/// epoll_pwait2(2)
pub fn epoll_pwait2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, _, _, timeout, mask, len] = context.words;
    set_mask(context, mask, len)?;
    let deadline = deadline(context, |context| match timeout {
        0 => Ok(None),
        address => deadline_in(context, address).map(Some),
    })?;
    wait_until(context, deadline)
}

fn timeout_ms(context: &mut Context<'_>, timeout: u64) -> Result<Option<u64>, Errno> {
    deadline(context, |context| {
        let ns = u64::try_from(timeout as i32).ok().map(|ms| ms * 1_000_000);
        Ok(ns.map(|ns| context.machine().now().saturating_add(ns)))
    })
}

/// Sets the mask that a call has for its length, where it has one.
///
/// # Errors
/// EFAULT; EINVAL: the length of the mask.
fn set_mask(context: &mut Context<'_>, mask: u64, len: u64) -> Result<(), Errno> {
    const SET_BYTES: u64 = 8;
    if mask == 0 {
        return Ok(());
    }
    if len != SET_BYTES {
        return Err(Errno::EINVAL);
    }
    let set = SignalSet(context.u64_in(mask)?).maskable();
    set_mask_for_call(context, set);
    Ok(())
}

fn wait_until(context: &mut Context<'_>, deadline: Option<u64>) -> Result<u64, Stop> {
    let [fd, address, most, ..] = context.words;
    let most = most as i32;
    if !(1..=MAX_EVENTS).contains(&most) {
        return Err(Errno::EINVAL.into());
    }
    let number = list(context, fd)?;
    let reports = epoll::take(context.unix, number, BATCH.min(most as usize));
    if reports.is_empty() {
        wait(context, alloc::vec![Channel::Epoll(number)], deadline)?;
        return Ok(0);
    }
    let mut bytes = Fields::default();
    for &(_, events, data) in &reports {
        bytes = bytes.u32(events).u64(data);
    }
    if let Err(errno) = context.copy_out(address, &bytes.0) {
        epoll::put_back(context.unix, number, &reports);
        return Err(errno.into());
    }
    Ok(reports.len() as u64)
}
