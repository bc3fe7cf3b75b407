//! Writing for a program: within its limits, without the rights that writing takes from a file.

use crate::Errno;
use crate::calls::limits::{room_in_file, signal_file_size};
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::io::{Position, write_once};
use crate::linux::flags::open;
use crate::linux::signals;
use crate::open::{Description, Object};
use crate::process::{Pid, Process, Resource, UNLIMITED};
use crate::signal::Info;
use crate::unix::Unix;

/// Writes bytes for the caller and returns how many, at least one: as far as its limit of files'
/// sizes goes, and with SIGPIPE where nobody reads.
///
/// # Errors
/// EFBIG: the limit is reached, SIGXFSZ is sent; those of [`write_once`].
pub fn write(
    context: &mut Context<'_>,
    file: &Description,
    position: Position,
    bytes: &[u8],
) -> Result<usize, Stop> {
    let most = match is_free(context.own()) {
        true => bytes.len(),
        false => prepare(context.unix, context.pid, file, position, bytes.len()).inspect_err(
            |&errno| {
                if errno == Errno::EFBIG {
                    signal_file_size(context);
                }
            },
        )?,
    };
    write_once(context.unix, file, position, &bytes[..most]).inspect_err(|stop| {
        if *stop == Stop::Errno(Errno::EPIPE) {
            let info = Info::of_user(signals::SIGPIPE, context.pid.0, 0);
            context.unix.send_to_thread(context.number, info);
        }
    })
}

/// Returns whether a write that goes on at a position would begin at the limit of files' sizes:
/// it ends there, and only the next one fails (`generic_write_checks`, fs/read_write.c).
pub fn is_at_limit(context: &Context<'_>, file: &Description, position: Position) -> bool {
    let most = context.own().limits.soft(Resource::FileSize);
    let open = file.borrow();
    let at = match position {
        Position::At(offset) => offset,
        Position::Current => open.offset(),
    };
    at >= most && most != UNLIMITED && matches!(open.object, Object::File(_))
}

/// Writes bytes for a native program or a DOS session that plays a process: as [`write()`] does, but
/// without signals, which they know nothing of.
///
/// # Errors
/// EFBIG: the limit is reached; those of [`write_once`].
pub fn write_played(
    unix: &mut Unix,
    badge: u64,
    file: &Description,
    bytes: &[u8],
) -> Result<usize, Stop> {
    let mut most = bytes.len();
    if most != 0 && matches!(file.borrow().object, Object::File(_)) {
        let plays = |process: &&Process| process.exported.contains(&badge);
        let player = unix.processes.values().find(plays).filter(|process| !is_free(process));
        if let Some(pid) = player.map(|process| process.pid) {
            most = prepare(unix, pid, file, Position::Current, most)?;
        }
    }
    write_once(unix, file, Position::Current, &bytes[..most])
}

/// Returns whether files need not be looked at before the process writes to them.
fn is_free(process: &Process) -> bool {
    process.limits.soft(Resource::FileSize) == UNLIMITED
        && process.credentials.can(Capability::FileSetId)
}

/// Makes a file ready to be written to by a process; returns how many of `len` bytes its size may
/// grow by.
///
/// # Errors
/// EFBIG: by none; what the file server says.
fn prepare(
    unix: &mut Unix,
    pid: Pid,
    file: &Description,
    position: Position,
    len: usize,
) -> Result<usize, Errno> {
    let (node, appends, offset) = {
        let open = file.borrow();
        let Object::File(held) = &open.object else { return Ok(len) };
        (held.node(), open.flags() & open::APPEND != 0, open.offset())
    };
    let mut most = len as u64;
    let process = unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    if process.limits.soft(Resource::FileSize) != UNLIMITED {
        let at = match position {
            // pwrite(2), BUGS: appending wins over an offset.
            _ if appends => unix.files.attributes(node)?.size,
            Position::At(offset) => offset,
            Position::Current => offset,
        };
        most = room_in_file(process, at, most)?;
    }
    unix.clear_set_id(pid, node)?;
    Ok(most as usize)
}
