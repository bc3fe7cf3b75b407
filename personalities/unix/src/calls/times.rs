//! Times of files: utimensat and its older relatives.

use protocols::file::Attributes;

use crate::Errno;
use crate::calls::attributes::{node_at, node_of, owned};
use crate::context::{Context, Stop};
use crate::credentials::want;
use crate::filesystem::Changes;
use crate::linux::flags::at;
use crate::linux::structures::SECOND;
use crate::path::Last;

/// What a time of a file is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// The present.
    Now,
    /// What it is.
    Omitted,
    /// This one, in ns since 1970.
    At(u64),
}

/// utimensat(2)
pub fn utimensat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, times, bits, ..] = context.words;
    if bits & !(at::NO_FOLLOW | at::EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let moments = match times {
        0 => [Moment::Now; 2],
        address => [timespec(context, address)?, timespec(context, address.wrapping_add(16))?],
    };
    if moments == [Moment::Omitted; 2] {
        return Ok(0);
    }
    let attributes = if path == 0 && is_descriptor(directory) {
        if bits != 0 {
            return Err(Errno::EINVAL.into());
        }
        node_of(context, directory)?
    } else {
        let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
        node_at(context, directory, path, last, bits)?
    };
    set(context, &attributes, moments)
}

/// Returns whether an argument names an open file, whose times a call without a path sets; the
/// working directory is none (fs/utimes.c of Linux: EFAULT).
fn is_descriptor(directory: u64) -> bool {
    directory as u32 != at::WORKING_DIRECTORY as u32
}

/// utime(2)
pub fn utime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, times, ..] = context.words;
    let moments = match times {
        0 => [Moment::Now; 2],
        address => {
            let [accessed, modified] = context.words_in(address)?;
            [moment(accessed, 0)?, moment(modified, 0)?]
        }
    };
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow, 0)?;
    set(context, &attributes, moments)
}

/// utimes(2)
pub fn utimes(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, times, ..] = context.words;
    set_timevals(context, at::WORKING_DIRECTORY, path, times)
}

/// futimesat(2)
pub fn futimesat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, times, ..] = context.words;
    set_timevals(context, directory, path, times)
}

fn set_timevals(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    times: u64,
) -> Result<u64, Stop> {
    let moments = match times {
        0 => [Moment::Now; 2],
        address => [timeval(context, address)?, timeval(context, address.wrapping_add(16))?],
    };
    let attributes = match path {
        0 if is_descriptor(directory) => node_of(context, directory)?,
        path => node_at(context, directory, path, Last::Follow, 0)?,
    };
    set(context, &attributes, moments)
}

/// Reads a `struct timeval`.
fn timeval(context: &mut Context<'_>, address: u64) -> Result<Moment, Errno> {
    let [seconds, us] = context.words_in(address)?;
    if us >= 1_000_000 {
        return Err(Errno::EINVAL);
    }
    moment(seconds, us * 1000)
}

/// Reads a `struct timespec` that may be "now" or "as it is" (utimensat(2)).
fn timespec(context: &mut Context<'_>, address: u64) -> Result<Moment, Errno> {
    const NOW: u64 = 0x3fff_ffff;
    const OMIT: u64 = 0x3fff_fffe;
    let [seconds, ns] = context.words_in(address)?;
    match ns {
        NOW => Ok(Moment::Now),
        OMIT => Ok(Moment::Omitted),
        0..SECOND => moment(seconds, ns),
        _ => Err(Errno::EINVAL),
    }
}

/// Returns a time, cut to those that the file system knows, as Linux does (inode_set_ctime and
/// `timestamp_truncate`, fs/inode.c).
fn moment(seconds: u64, ns: u64) -> Result<Moment, Errno> {
    let seconds = u64::try_from(seconds as i64).unwrap_or(0);
    Ok(Moment::At(seconds.saturating_mul(SECOND).saturating_add(ns)))
}

/// Sets times; what is not the present is the owner's to set (utimensat(2), Permissions).
fn set(
    context: &mut Context<'_>,
    attributes: &Attributes,
    moments: [Moment; 2],
) -> Result<u64, Stop> {
    let writes = context.own().credentials.allows(attributes, want::WRITE);
    match moments {
        [Moment::Now, Moment::Now] if writes => {}
        [Moment::Now, Moment::Now] => owned(context, attributes).map_err(|_| Errno::EACCES)?,
        _ => owned(context, attributes)?,
    }
    let now = context.time_of_day();
    let [accessed, modified] = moments.map(|moment| match moment {
        Moment::Now => Some(now),
        Moment::Omitted => None,
        Moment::At(time) => Some(time),
    });
    let changes = Changes { accessed, modified, ..Changes::default() };
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}
