//! Opening once more what another descriptor names (`/proc/PID/fd/N`).

use crate::Errno;
use crate::calls::descriptors::{add, check, open_found};
use crate::context::{Context, Stop};
use crate::exec::of_description;
use crate::fifo;
use crate::linux::flags::open as flags;
use crate::open::{Description, Object, OpenFile};
use crate::path::{Directory, Found, VNode};
use crate::pipe::{Direction, End};
use crate::proc::attributes;
use crate::process::Pid;

/// Opens what another descriptor names: how that was opened says nothing (`do_open`, fs/namei.c).
/// Streams and terminals are shared.
///
/// # Errors
/// ENOENT, EBADF: it is gone; ENXIO: it cannot be opened; as open(2).
pub(super) fn reopen(
    context: &mut Context<'_>,
    pid: Pid,
    number: u32,
    bits: u32,
) -> Result<u64, Stop> {
    let process = context.unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let file = process.descriptors.file(number.into())?;
    let (object, path) = (file.borrow().object.clone(), file.borrow().path.clone());
    let object = match object {
        Object::File(_) | Object::Directory(_) | Object::Device(_, Some(_)) | Object::Text(_) => {
            let found = found_again(context, &file)?;
            check(context, &found, bits)?;
            let file = open_found(context, &found, path, bits)?;
            return add(context, file, bits);
        }
        // They have no open operation (`sock_no_open`, `no_open`: net/socket.c, fs/inode.c).
        Object::Numbered(_) if bits & flags::PATH == 0 => return Err(Errno::ENXIO.into()),
        Object::Pipe(end) if bits & flags::PATH == 0 => Object::Pipe(end_of(context, &end, bits)?),
        object @ (Object::Numbered(_)
        | Object::Pipe(_)
        | Object::Device(_, None)
        | Object::Stream(_)
        | Object::Pty(_)) => object,
    };
    let file = OpenFile::new(context.unix.kept, object, bits | flags::LARGE, path)?;
    add(context, file, bits)
}

/// Returns what a description of something with a node is of.
fn found_again(context: &mut Context<'_>, file: &Description) -> Result<Found, Errno> {
    let entry = match &file.borrow().object {
        Object::Text(text) => Some(text.entry()),
        Object::Directory(Directory { node: VNode::Proc(entry), .. }) => Some(*entry),
        _ => None,
    };
    match entry {
        Some(entry) => {
            let attributes = attributes(context.unix, entry)?;
            Ok(Found { node: VNode::Proc(entry), attributes })
        }
        None => Ok(of_description(context.unix, file)?.0),
    }
}

/// Opens the end of a pipe that the flags ask for, whichever the other one is (`fifo_open`,
/// fs/pipe.c).
fn end_of(context: &mut Context<'_>, end: &End, bits: u32) -> Result<End, Stop> {
    let pipe = end.downgrade();
    if let Some(node) = pipe.node() {
        return fifo::open(context, node, bits);
    }
    let direction = Direction::from_flags(bits);
    Ok(pipe.end(direction).ok_or(Errno::ENXIO)?)
}
