//! Opening once more what another descriptor names (`/proc/PID/fd/N`).

use crate::Errno;
use crate::calls::attributes::of_file;
use crate::calls::descriptors::{add, check, open_found};
use crate::calls::terminal::ptys;
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::exec::of_description;
use crate::fifo;
use crate::linux::flags::open as flags;
use crate::open::{Description, Object, OpenFile};
use crate::path::{Directory, Found, VNode};
use crate::pipe::{Direction, End};
use crate::proc::{Entry, attributes};
use crate::process::Pid;
use crate::terminal::Side;

/// Opens what another descriptor names: how that was opened says nothing, the mode of what it is
/// of does (`do_open`, `may_open`, fs/namei.c). Streams are shared.
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
        object @ Object::Pty(_) if bits & flags::PATH != 0 => object,
        Object::Pty(end) if end.side() == Side::Master => {
            // /dev/ptmx, which is everybody's (`ptmx_open`, drivers/tty/pty.c).
            ptys::open_master(context)?
        }
        Object::File(_)
        | Object::Directory(_)
        | Object::Device(_, Some(_))
        | Object::Text(_)
        | Object::Pty(_) => {
            let found = found_again(context, &file)?;
            check(context, &found, bits)?;
            let file = open_found(context, &found, path, bits)?;
            return add(context, file, bits);
        }
        // They have no open operation (`sock_no_open`, `no_open`: net/socket.c, fs/inode.c).
        Object::Numbered(_) if bits & flags::PATH == 0 => return Err(Errno::ENXIO.into()),
        Object::Pipe(end) => {
            let attributes = of_file(context, &file)?.0;
            check(context, &Found { node: VNode::File(attributes.node), attributes }, bits)?;
            Object::Pipe(if bits & flags::PATH == 0 { end_of(context, &end, bits)? } else { end })
        }
        object @ Object::Stream(_) => {
            check_direction(context, &file, bits)?;
            object
        }
        object @ (Object::Numbered(_) | Object::Device(_, None)) => object,
    };
    let file = OpenFile::new(context.unix.kept, object, bits | flags::LARGE, path)?;
    add(context, file, bits)
}

/// Returns what a description of something with a node is of.
fn found_again(context: &mut Context<'_>, file: &Description) -> Result<Found, Errno> {
    let entry = match &file.borrow().object {
        Object::Text(text) => Some(text.entry()),
        Object::Pty(end) => Some(Entry::Terminal(end.number())),
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

/// Checks that a stream, of which no mode is known, is opened no wider than the descriptor is.
fn check_direction(context: &mut Context<'_>, file: &Description, bits: u32) -> Result<(), Errno> {
    let (asked, file) = (Direction::from_flags(bits), file.borrow());
    let is_wider = asked.reads() && !file.is_readable() || asked.writes() && !file.is_writable();
    let may = bits & flags::PATH != 0 || context.own().credentials.can(Capability::DacOverride);
    if is_wider && !may { Err(Errno::EACCES) } else { Ok(()) }
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
