//! Opening, closing and duplicating descriptors.

use alloc::rc::Rc;
use alloc::vec::Vec;

use protocols::file::{Attributes, mode};

use crate::Errno;
use crate::calls::locks;
use crate::calls::reopen::reopen;
use crate::calls::terminal::ptys;
use crate::context::{Context, Stop};
use crate::credentials::{Capability, want};
use crate::fifo;
use crate::filesystem::NewNode;
use crate::linux::flags::permission::{GROUP_EXECUTE, SET_GID};
use crate::linux::flags::{at, fcntl, open as flags};
use crate::linux::structures::device;
use crate::open::{Description, Device, HeldNode, Object, OpenFile, Slot, Stream};
use crate::path::{Found, Last, Target, VNode, Within};
use crate::pipe::Owner;
use crate::proc::{Entry, Text};
use crate::terminal::Line;

/// open(2)
pub fn open(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, bits, mode, ..] = context.words;
    open_at(context, at::WORKING_DIRECTORY, path, &How::new(bits as u32, mode as u32))
}

/// creat(2)
pub fn creat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, mode, ..] = context.words;
    let bits = flags::CREATE | flags::WRITE_ONLY | flags::TRUNCATE;
    open_at(context, at::WORKING_DIRECTORY, path, &How::new(bits, mode as u32))
}

/// openat(2)
pub fn openat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, bits, mode, ..] = context.words;
    open_at(context, directory, path, &How::new(bits as u32, mode as u32))
}

/// How a file is to be opened.
pub(super) struct How {
    /// The flags ([`flags`]).
    pub bits: u32,
    /// The mode of a file that is created.
    pub mode: u32,
    /// Where the walk stays.
    pub within: Within,
}

impl How {
    fn new(bits: u32, mode: u32) -> How {
        How { bits, mode, within: Within::default() }
    }
}

pub(super) fn open_at(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    how: &How,
) -> Result<u64, Stop> {
    let How { bits, mode, within } = *how;
    if bits & flags::UNNAMED != 0 && bits & flags::PATH == 0 {
        return open_unnamed(context, directory, path, how);
    }
    let exclusive = flags::CREATE | flags::EXCLUSIVE;
    let keep = bits & flags::NO_FOLLOW != 0 || bits & exclusive == exclusive;
    let last = if keep { Last::Keep } else { Last::Follow };
    let path = context.path_in(path)?;
    let target = context.walk_within(directory, &path, last, within)?;
    let found = match &target.found {
        Some(_) if bits & exclusive == exclusive => return Err(Errno::EEXIST.into()),
        Some(found) => found.clone(),
        None if bits & flags::CREATE == 0 => return Err(Errno::ENOENT.into()),
        None => return open_new(context, &target, bits, mode),
    };
    if let (VNode::Proc(Entry::Descriptor(pid, number)), Last::Follow) = (found.node, last) {
        return reopen(context, pid, number, bits);
    }
    check(context, &found, bits)?;
    let file = open_found(context, &found, target.path(), bits)?;
    add(context, file, bits)
}

pub(super) fn add(context: &mut Context<'_>, file: Description, bits: u32) -> Result<u64, Stop> {
    let close_on_exec = bits & flags::CLOSE_ON_EXEC != 0;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec })?)
}

/// Opens a file that has no name (`O_TMPFILE`); without `O_EXCL` linkat(2) may give it one.
fn open_unnamed(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    how: &How,
) -> Result<u64, Stop> {
    let How { bits, mode, within } = *how;
    if bits & flags::DIRECTORY == 0 || bits & flags::ACCESS == 0 || bits & flags::CREATE != 0 {
        return Err(Errno::EINVAL.into());
    }
    let path = context.path_in(path)?;
    let target = context.walk_within(directory, &path, Last::Follow, within)?;
    let place = target.to_directory()?;
    let place = Target { directory: place, name: Vec::new(), found: None, slash: false };
    may_change(context, &place)?;
    let new = new_node(context, &place, mode::FILE | mode & 0o7777, 0)?;
    let node = context.unix.files.create_unnamed(new)?.node;
    let held = HeldNode::new(node, &context.unix.closed);
    let name = alloc::format!("#{} (deleted)", node.0 & 0xffff_ffff);
    let path = crate::path::join(&place.directory.path, name.as_bytes());
    let keeps = if bits & flags::EXCLUSIVE != 0 { !flags::UNNAMED } else { !0 };
    let status = (bits | flags::LARGE) & keeps;
    let file = OpenFile::new(context.unix.kept, Object::File(held), status, path)?;
    add(context, file, bits)
}

fn open_new(context: &mut Context<'_>, target: &Target, bits: u32, mode: u32) -> Result<u64, Stop> {
    if target.slash || bits & flags::DIRECTORY != 0 {
        return Err(Errno::EISDIR.into());
    }
    let attributes = create(context, target, mode::FILE | mode & 0o7777, 0)?;
    let found = Found { node: VNode::File(attributes.node), attributes };
    let file = open_found(context, &found, target.path(), bits)?;
    add(context, file, bits)
}

/// Creates a node where a walk found nothing; the mode is less the process's umask.
pub(super) fn create(
    context: &mut Context<'_>,
    target: &Target,
    mode: u32,
    device: u32,
) -> Result<Attributes, Errno> {
    let directory = Context::real(target.directory.node)?;
    may_change(context, target)?;
    let new = new_node(context, target, mode, device)?;
    context.unix.files.create(directory, &target.name, new)
}

/// Returns owner and mode of what the caller creates in the directory of a target: the group is
/// the directory's where that has its set-group-ID bit (inode(7)), and whose member the caller is
/// not, that group's rights it cannot give away (`mode_strip_sgid`, fs/inode.c).
pub(super) fn new_node(
    context: &mut Context<'_>,
    target: &Target,
    mode: u32,
    device: u32,
) -> Result<NewNode, Errno> {
    const PROGRAM: u32 = SET_GID | GROUP_EXECUTE;
    let directory = context.unix.files.attributes(Context::real(target.directory.node)?)?;
    let process = context.process();
    let who = &process.credentials;
    let (uid, mut gid) = (who.user.files, who.group.files);
    let mut kept = !process.umask;
    if directory.mode & SET_GID != 0 {
        gid = directory.gid;
        let may_give = who.is_member(gid) || who.can(Capability::FileSetId);
        if mode & PROGRAM == PROGRAM && !may_give {
            kept &= !SET_GID;
        }
    }
    let is_inherited = directory.mode & SET_GID != 0 && mode & mode::TYPE == mode::DIRECTORY;
    let mode = mode & kept | if is_inherited { SET_GID } else { 0 };
    Ok(NewNode { mode, uid, gid, device })
}

/// Checks that the caller may change the directory of a target.
pub(super) fn may_change(context: &mut Context<'_>, target: &Target) -> Result<(), Errno> {
    if context.own().credentials.can(Capability::DacOverride) {
        return Ok(());
    }
    let node = Context::real(target.directory.node)?;
    let attributes = context.unix.files.attributes(node)?;
    let wanted = want::WRITE | want::EXECUTE;
    if context.own().credentials.allows(&attributes, wanted) { Ok(()) } else { Err(Errno::EACCES) }
}

pub(super) fn check(context: &mut Context<'_>, found: &Found, bits: u32) -> Result<(), Errno> {
    let writes = bits & flags::ACCESS != 0 || bits & flags::TRUNCATE != 0;
    match found.kind() {
        mode::SYMLINK if bits & flags::PATH == 0 => return Err(Errno::ELOOP),
        mode::DIRECTORY if writes || bits & flags::CREATE != 0 => return Err(Errno::EISDIR),
        mode::DIRECTORY => {}
        _ if bits & flags::DIRECTORY != 0 => return Err(Errno::ENOTDIR),
        _ => {}
    }
    permit(context, &found.attributes, bits)
}

/// Returns whether the caller may open what has these attributes.
fn permit(context: &mut Context<'_>, attributes: &Attributes, bits: u32) -> Result<(), Errno> {
    let wanted = match bits & flags::ACCESS {
        _ if bits & flags::PATH != 0 => 0,
        flags::WRITE_ONLY => want::WRITE,
        flags::READ_WRITE => want::READ | want::WRITE,
        _ => want::READ,
    };
    let truncates = bits & flags::TRUNCATE != 0 && bits & flags::PATH == 0;
    let wanted = if truncates { wanted | want::WRITE } else { wanted };
    let who = &context.own().credentials;
    if !who.allows(attributes, wanted) {
        return Err(Errno::EACCES);
    }
    // open(2), EPERM: O_NOATIME is the owner's.
    let owns = bits & flags::NO_ACCESS_TIME == 0 || who.owns(attributes.uid);
    if owns || bits & flags::PATH != 0 { Ok(()) } else { Err(Errno::EPERM) }
}

pub(super) fn open_found(
    context: &mut Context<'_>,
    found: &Found,
    path: Vec<u8>,
    bits: u32,
) -> Result<Description, Stop> {
    let object = match found.node {
        _ if found.is_directory() => {
            Object::Directory(crate::path::Directory { node: found.node, path: path.clone() })
        }
        VNode::Proc(Entry::Terminal(number)) if bits & flags::PATH == 0 => {
            ptys::open_slave(context, number, bits)?
        }
        VNode::Proc(entry) => Object::Text(Text::open(context.unix, context.pid, entry)?),
        VNode::File(node) => {
            context.unix.files.hold(node)?;
            let held = HeldNode::new(node, &context.unix.closed);
            open_file(context, found, held, bits)?
        }
    };
    Ok(OpenFile::new(context.unix.kept, object, bits | flags::LARGE, path)?)
}

fn open_file(
    context: &mut Context<'_>,
    found: &Found,
    held: Rc<HeldNode>,
    bits: u32,
) -> Result<Object, Stop> {
    if bits & flags::PATH != 0 {
        return Ok(Object::File(held));
    }
    match found.kind() {
        mode::FILE => {
            if bits & flags::TRUNCATE != 0 {
                context.unix.clear_set_id(context.pid, held.node())?;
                if found.attributes.size != 0 {
                    context.unix.resize_contents(held.node(), 0)?;
                }
            }
            Ok(Object::File(held))
        }
        mode::CHARACTER => Ok(open_device(context, found.attributes.size as u32, held)?),
        mode::FIFO => Ok(Object::Pipe(fifo::open(context, held.node(), bits)?)),
        _ => Err(Errno::ENXIO.into()),
    }
}

fn open_device(
    context: &mut Context<'_>,
    number: u32,
    held: Rc<HeldNode>,
) -> Result<Object, Errno> {
    const TTY: u32 = device(5, 0);
    const CONSOLE: u32 = device(5, 1);
    const MASTER: u32 = device(5, 2);
    if let Some(device) = Device::from_number(number) {
        return Ok(Object::Device(device, Some(held)));
    }
    let session = context.own().session;
    let own = context.unix.terminals.of_session(session);
    match (number, &context.unix.terminals.console) {
        (MASTER, _) => ptys::open_master(context),
        (TTY, Some(stream)) if own == Some(Line::Console) => Ok(Object::Stream(stream.clone())),
        (TTY, _) => match own {
            // One that was hung up is as good as none.
            Some(Line::Pty(number)) => {
                Ok(Object::Pty(context.unix.open_slave(number).map_err(|_| Errno::ENXIO)?))
            }
            Some(Line::Console) | None => Err(Errno::ENXIO),
        },
        (CONSOLE, Some(stream)) => Ok(Object::Stream(stream.clone())),
        (CONSOLE, None) => {
            let console = context.unix.servers.console().ok_or(Errno::ENXIO)?;
            let kind = context.unix.servers.kind(console)?;
            Ok(Object::Stream(Stream::kept(console, kind, &context.unix.closed)))
        }
        _ => Err(Errno::ENXIO),
    }
}

/// close(2)
pub fn close(context: &mut Context<'_>) -> Result<u64, Stop> {
    let fd = context.words[0];
    let slot = context.descriptors().remove(fd)?;
    let pid = context.pid;
    context.unix.locks.release_closed(pid, &slot.file.borrow().object);
    Ok(0)
}

/// close_range(2)
pub fn close_range(context: &mut Context<'_>) -> Result<u64, Stop> {
    const UNSHARE: u64 = 2;
    const CLOSE_ON_EXEC: u64 = 4;
    let [first, last, bits, ..] = context.words.map(|word| u64::from(word as u32));
    if first > last || bits & !(CLOSE_ON_EXEC | UNSHARE) != 0 {
        return Err(Errno::EINVAL.into());
    }
    // Nobody but a process's own threads shares its descriptors.
    if bits & UNSHARE != 0 && context.own().threads.len() > 1 {
        return Err(Errno::EINVAL.into());
    }
    let numbers: Vec<u64> = context.descriptors().iter().map(|(number, _)| number).collect();
    for number in numbers.into_iter().filter(|number| (first..=last).contains(number)) {
        let descriptors = context.descriptors();
        if bits & CLOSE_ON_EXEC != 0 {
            descriptors.set_close_on_exec(number, true)?;
        } else {
            let slot = descriptors.remove(number)?;
            let pid = context.pid;
            context.unix.locks.release_closed(pid, &slot.file.borrow().object);
        }
    }
    Ok(0)
}

/// dup(2)
pub fn dup(context: &mut Context<'_>) -> Result<u64, Stop> {
    let file = context.file(context.words[0])?;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec: false })?)
}

/// dup2(2)
pub fn dup2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, to, ..] = context.words;
    if from as u32 == to as u32 {
        context.file(from)?;
        return Ok(to);
    }
    dup_to(context, from, to, false)
}

/// dup3(2)
pub fn dup3(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, to, bits, ..] = context.words;
    if from as u32 == to as u32 || bits as u32 & !flags::CLOSE_ON_EXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    dup_to(context, from, to, bits != 0)
}

fn dup_to(context: &mut Context<'_>, from: u64, to: u64, close_on_exec: bool) -> Result<u64, Stop> {
    let file = context.file(from)?;
    let to = u64::from(to as u32);
    let slot = Slot { file, close_on_exec };
    let replaced = context.descriptors().put(to, slot).map_err(|_| Errno::EBADF)?;
    if let Some(slot) = replaced {
        let pid = context.pid;
        context.unix.locks.release_closed(pid, &slot.file.borrow().object);
    }
    Ok(to)
}

/// pipe(2)
pub fn pipe(context: &mut Context<'_>) -> Result<u64, Stop> {
    make_pipe(context, 0)
}

/// pipe2(2)
pub fn pipe2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let bits = context.words[1] as u32;
    make_pipe(context, bits)
}

fn make_pipe(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    if bits & !(flags::CLOSE_ON_EXEC | flags::NON_BLOCKING) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let address = context.words[0];
    let id = context.unix.unique();
    let who = &context.own().credentials;
    let owner = Owner { uid: who.user.files, gid: who.group.files };
    let (read, write) = context.unix.pipes.pipe(id, owner)?;
    let path = alloc::format!("pipe:[{id}]").into_bytes();
    let kept = context.unix.kept;
    let file = |object, bits: u32| OpenFile::new(kept, object, bits, path.clone());
    let read = file(Object::Pipe(read), bits & flags::NON_BLOCKING)?;
    let write = file(Object::Pipe(write), bits & flags::NON_BLOCKING | flags::WRITE_ONLY)?;
    let first = add(context, read, bits)?;
    let second = add(context, write, bits).inspect_err(|_| {
        // The number was given out a moment ago.
        let _ = context.descriptors().remove(first);
    })?;
    let numbers = (second << 32 | first).to_le_bytes();
    if let Err(errno) = context.copy_out(address, &numbers) {
        for number in [first, second] {
            context.descriptors().remove(number)?;
        }
        return Err(errno.into());
    }
    Ok(0)
}

/// fcntl(2)
pub fn fcntl(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, command, argument, ..] = context.words;
    let file = context.file(fd)?;
    match command {
        fcntl::DUP | fcntl::DUP_CLOSE_ON_EXEC => {
            let close_on_exec = command == fcntl::DUP_CLOSE_ON_EXEC;
            Ok(context.descriptors().add(argument, Slot { file, close_on_exec })?)
        }
        fcntl::GET_FD => Ok(context.descriptors().slot(fd)?.close_on_exec.into()),
        fcntl::SET_FD => {
            let close_on_exec = argument & fcntl::CLOSE_ON_EXEC != 0;
            context.descriptors().set_close_on_exec(fd, close_on_exec)?;
            Ok(0)
        }
        fcntl::GET_FLAGS => Ok(file.borrow().flags().into()),
        fcntl::SET_FLAGS => {
            let mut file = file.borrow_mut();
            let bits = file.flags() & !flags::CHANGEABLE | argument as u32 & flags::CHANGEABLE;
            file.set_flags(bits);
            Ok(0)
        }
        fcntl::GET_LOCK
        | fcntl::SET_LOCK
        | fcntl::SET_LOCK_WAIT
        | fcntl::OPEN_GET_LOCK
        | fcntl::OPEN_SET_LOCK
        | fcntl::OPEN_SET_LOCK_WAIT => locks::record_lock(context, &file, command, argument),
        fcntl::GET_PIPE_SIZE | fcntl::SET_PIPE_SIZE => {
            let open = file.borrow();
            let Object::Pipe(end) = &open.object else { return Err(Errno::EBADF.into()) };
            match command {
                fcntl::GET_PIPE_SIZE => Ok(end.capacity() as u64),
                _ => Ok(end.set_capacity(argument as u32 as usize)? as u64),
            }
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
