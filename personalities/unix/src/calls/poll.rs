//! poll, select and their relatives: waiting for any of several descriptors.

use alloc::vec::Vec;

use crate::Errno;
use crate::calls::signals::set_mask_for_call;
use crate::calls::time::{deadline_in, duration_us_in};
use crate::context::{Context, Stop, Wait};
use crate::io::readiness;
use crate::linux::flags::poll as bits;
use crate::linux::structures::Fields;
use crate::open::Lent;
use crate::signal::SignalSet;
use crate::wake::{Channel, Channels};

/// Bytes of `struct pollfd`.
const ENTRY: usize = 8;

/// A look at several descriptors of a process, whose table it has meanwhile.
struct Looks<'c, 'u> {
    context: &'c mut Context<'u>,
    descriptors: Lent,
    /// What to wait for; nothing where nobody is going to.
    channels: Option<Vec<Channel>>,
}

impl<'c, 'u> Looks<'c, 'u> {
    /// Begins; whether the call may wait at all is known by its deadline.
    fn new(context: &'c mut Context<'u>, deadline: Option<u64>) -> Self {
        let waits = match deadline {
            None => true,
            Some(deadline) => deadline > context.machine().now(),
        };
        let descriptors = context.descriptors().lend();
        Looks { context, descriptors, channels: waits.then(Vec::new) }
    }

    /// Looks at one descriptor; returns what of the wanted events holds.
    #[inline]
    fn look(&mut self, fd: u32, wanted: u16) -> u16 {
        let Some(file) = self.descriptors.file(fd) else { return bits::INVALID };
        let ready = readiness(self.context.unix, file);
        if let Some(channels) = &mut self.channels {
            channels.extend(ready.channels.iter().flatten());
        }
        ready.events & (wanted | bits::ERROR | bits::HANG_UP)
    }

    /// Looks at the descriptors of a set of select(2), and leaves those in it that can do what is
    /// wanted; returns how many, nothing where one is none.
    fn look_at_set(&mut self, count: usize, wanted: u16, set: &mut [u8]) -> Option<u64> {
        let mut found = 0;
        for fd in 0..count {
            let (byte, bit) = (fd / 8, 1 << (fd % 8));
            if set[byte] & bit == 0 {
                continue;
            }
            let happened = self.look(fd as u32, wanted);
            if happened & bits::INVALID != 0 {
                return None;
            }
            if happened & wanted == 0 {
                set[byte] &= !bit;
            } else {
                found += 1;
            }
        }
        // Bits past the last descriptor are nobody's.
        set.iter_mut().skip(count.div_ceil(8)).for_each(|byte| *byte = 0);
        if let Some(last) = set.get_mut(count / 8).filter(|_| !count.is_multiple_of(8)) {
            *last &= (1 << (count % 8)) - 1;
        }
        Some(found)
    }

    /// Ends; returns what to wait for, where the call may.
    fn end(self) -> Option<Vec<Channel>> {
        self.context.descriptors().give_back(self.descriptors);
        self.channels
    }
}

/// Returns the deadline of a call: the one it has waited for, or that of its first time.
pub(super) fn deadline(
    context: &mut Context<'_>,
    first: impl FnOnce(&mut Context<'_>) -> Result<Option<u64>, Errno>,
) -> Result<Option<u64>, Errno> {
    // A call that waits without end has no deadline the second time either: it reads it again.
    match context.deadline {
        Some(deadline) => Ok(Some(deadline)),
        None => first(context),
    }
}

/// Returns the wait, or nothing where the time is over.
pub(super) fn wait(
    context: &mut Context<'_>,
    channels: Vec<Channel>,
    deadline: Option<u64>,
) -> Result<(), Stop> {
    let now = context.machine().now();
    if deadline.is_some_and(|deadline| deadline <= now) {
        return Ok(());
    }
    Err(Stop::Wait(Wait { channels: Channels::Many(channels), deadline, progress: 0 }))
}

/// Writes back how much of a timeout is left (select(2), "The timeout"); where that cannot be
/// written the call has its result all the same (`poll_select_finish`, fs/select.c).
fn tell_rest(
    context: &mut Context<'_>,
    address: u64,
    deadline: Option<u64>,
    emit: fn(Fields, u64) -> Fields,
) {
    let Some(deadline) = deadline else { return };
    let rest = deadline.saturating_sub(context.machine().now());
    let _ = context.copy_out_if(address, &emit(Fields::default(), rest).0);
}

/// poll(2)
pub fn poll(context: &mut Context<'_>) -> Result<u64, Stop> {
    let timeout = context.words[2] as i32;
    let deadline = deadline(context, |context| {
        let ns = u64::try_from(timeout).ok().map(|ms| ms * 1_000_000);
        Ok(ns.map(|ns| context.machine().now() + ns))
    })?;
    poll_until(context, deadline)
}

/// ppoll(2)
pub fn ppoll(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, _, timeout, mask, ..] = context.words;
    let deadline = deadline(context, |context| match timeout {
        0 => Ok(None),
        address => deadline_in(context, address).map(Some),
    })?;
    if mask != 0 {
        let mask = SignalSet(context.u64_in(mask)?).maskable();
        set_mask_for_call(context, mask);
    }
    let found = poll_until(context, deadline)?;
    tell_rest(context, timeout, deadline, Fields::time);
    Ok(found)
}

fn poll_until(context: &mut Context<'_>, deadline: Option<u64>) -> Result<u64, Stop> {
    let [address, count, ..] = context.words;
    if count > crate::open::MAX_DESCRIPTORS as u64 {
        return Err(Errno::EINVAL.into());
    }
    let mut entries = context.bytes_in(address, ENTRY * count as usize)?;
    let mut looks = Looks::new(context, deadline);
    let mut found = 0;
    for entry in entries.as_chunks_mut::<ENTRY>().0 {
        let [f0, f1, f2, f3, w0, w1, ..] = *entry;
        let (fd, wanted) = (u32::from_le_bytes([f0, f1, f2, f3]), u16::from_le_bytes([w0, w1]));
        let happened = if (fd as i32) < 0 { 0 } else { looks.look(fd, wanted) };
        [entry[6], entry[7]] = happened.to_le_bytes();
        found += u64::from(happened != 0);
    }
    let channels = looks.end();
    if let (0, Some(channels)) = (found, channels) {
        wait(context, channels, deadline)?;
    }
    context.copy_out(address, &entries)?;
    Ok(found)
}

/// select(2)
pub fn select(context: &mut Context<'_>) -> Result<u64, Stop> {
    let timeout = context.words[4];
    let deadline = deadline(context, |context| match timeout {
        0 => Ok(None),
        address => {
            let ns = duration_us_in(context, address)?;
            Ok(Some(context.machine().now().saturating_add(ns)))
        }
    })?;
    let found = select_until(context, deadline)?;
    tell_rest(context, timeout, deadline, Fields::time_us);
    Ok(found)
}

/// pselect6(2)
pub fn pselect6(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [.., timeout, mask] = context.words;
    let deadline = deadline(context, |context| match timeout {
        0 => Ok(None),
        address => deadline_in(context, address).map(Some),
    })?;
    if mask != 0 {
        let set = context.u64_in(mask)?;
        if set != 0 {
            let mask = SignalSet(context.u64_in(set)?).maskable();
            set_mask_for_call(context, mask);
        }
    }
    let found = select_until(context, deadline)?;
    tell_rest(context, timeout, deadline, Fields::time);
    Ok(found)
}

/// Which events each set of select(2) asks for (`POLLIN_SET`, `POLLOUT_SET`, `POLLEX_SET` of
/// Linux, fs/select.c).
const SELECTED: [u16; 3] = [
    bits::IN | bits::READ_NORMAL | bits::HANG_UP | bits::ERROR,
    bits::OUT | bits::WRITE_NORMAL | bits::WRITE_BAND | bits::ERROR,
    bits::URGENT,
];

fn select_until(context: &mut Context<'_>, deadline: Option<u64>) -> Result<u64, Stop> {
    let [count, sets @ ..] = context.words;
    let count = count as u32 as i32;
    // More than there can be descriptors is as many as there can be (select(2), BUGS).
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    let count = count.min(crate::open::MAX_DESCRIPTORS);
    let len = count.div_ceil(64) * 8;
    let mut given = Vec::new();
    for (&address, wanted) in sets.iter().zip(SELECTED).filter(|(address, _)| **address != 0) {
        given.push((address, wanted, context.bytes_in(address, len)?));
    }
    let mut looks = Looks::new(context, deadline);
    let looked = given.iter_mut().try_fold(0, |found, (_, wanted, set)| {
        Some(found + looks.look_at_set(count, *wanted, set)?)
    });
    let channels = looks.end();
    let found = looked.ok_or(Errno::EBADF)?;
    if let (0, Some(channels)) = (found, channels) {
        wait(context, channels, deadline)?;
    }
    for (address, _, result) in given {
        context.copy_out(address, &result)?;
    }
    Ok(found)
}
