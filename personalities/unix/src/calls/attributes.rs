//! Attributes of files: stat and its relatives, access, modes, owners, times, lengths.

use alloc::vec::Vec;

use protocols::file::{Attributes, Statistics, mode};

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::{Credentials, want};
use crate::filesystem::Changes;
use crate::linux::flags::at;
use crate::linux::structures::{self, SECOND, device};
use crate::open::{Description, Object};
use crate::path::{Last, Node, VNode};
use crate::proc;

/// Device numbers that stat shows: of the file tree, of `/proc`, of pipes.
const TREE: u64 = 1;
const PROC: u64 = 2;
const PIPES: u64 = 3;
/// Type and permissions of a terminal.
const TERMINAL: u32 = mode::CHARACTER | 0o620;

/// Returns attributes and device number of an open file.
fn of_file(context: &mut Context<'_>, file: &Description) -> Result<(Attributes, u64), Errno> {
    let made_up = |number: u64, mode: u32, size: u64| Attributes {
        node: Node(number),
        mode,
        uid: 0,
        gid: 0,
        links: 1,
        size,
        modified: 0,
        changed: 0,
    };
    let node = match &file.borrow().object {
        Object::File(held) | Object::Device(_, Some(held)) => VNode::File(held.node()),
        Object::Directory(directory) => directory.node,
        Object::Text(node, _) => *node,
        Object::Pipe(end) => return Ok((made_up(end.id(), 0o010_600, 0), PIPES)),
        Object::Device(_, None) => {
            return Ok((made_up(1, mode::CHARACTER | 0o666, device(1, 3).into()), TREE));
        }
        Object::Stream(stream) if stream.is_terminal() => match console_node(context) {
            Some(node) => node,
            None => return Ok((made_up(2, TERMINAL, device(5, 1).into()), TREE)),
        },
        Object::Stream(_) => return Ok((made_up(3, 0o010_600, 0), PIPES)),
    };
    of_node(context, node)
}

/// Returns the node of /dev/console, by which ttyname(3) recognises a terminal.
fn console_node(context: &mut Context<'_>) -> Option<VNode> {
    let target = context.walk(at::WORKING_DIRECTORY, b"/dev/console", Last::Follow).ok()?;
    Some(target.found?.node)
}

fn of_node(context: &mut Context<'_>, node: VNode) -> Result<(Attributes, u64), Errno> {
    match node {
        VNode::File(node) => Ok((context.unix.files.attributes(node)?, TREE)),
        VNode::Proc(entry) => Ok((proc::attributes(context.unix, entry)?, PROC)),
    }
}

/// Returns attributes and device number of what descriptor and path name together.
fn of_path(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    bits: u64,
) -> Result<(Attributes, u64), Errno> {
    let path = context.path_in(path)?;
    if path.is_empty() && bits & at::EMPTY_PATH != 0 {
        if directory as i32 == -100 {
            let node = context.process().cwd.node;
            return of_node(context, node);
        }
        let file = context.file(directory)?;
        return of_file(context, &file);
    }
    let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    let target = context.walk(directory, &path, last)?;
    let found = target.existing()?;
    let dev = if matches!(found.node, VNode::File(_)) { TREE } else { PROC };
    Ok((found.attributes, dev))
}

/// stat(2)
pub fn stat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, address, ..] = context.words;
    stat_at(context, at::WORKING_DIRECTORY, path, address, 0)
}

/// lstat(2)
pub fn lstat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, address, ..] = context.words;
    stat_at(context, at::WORKING_DIRECTORY, path, address, at::NO_FOLLOW)
}

/// newfstatat(2)
pub fn newfstatat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, address, bits, ..] = context.words;
    stat_at(context, directory, path, address, bits)
}

fn stat_at(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    address: u64,
    bits: u64,
) -> Result<u64, Stop> {
    let (attributes, dev) = of_path(context, directory, path, bits)?;
    context.copy_out(address, &structures::stat(&attributes, dev))?;
    Ok(0)
}

/// fstat(2)
pub fn fstat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, ..] = context.words;
    let file = context.file(fd)?;
    let (attributes, dev) = of_file(context, &file)?;
    context.copy_out(address, &structures::stat(&attributes, dev))?;
    Ok(0)
}

/// statx(2)
pub fn statx(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, bits, _, address, _] = context.words;
    let (attributes, dev) = of_path(context, directory, path, bits)?;
    context.copy_out(address, &structures::statx(&attributes, dev))?;
    Ok(0)
}

/// statfs(2)
pub fn statfs(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, address, ..] = context.words;
    let target = context.walk_at(at::WORKING_DIRECTORY, path, Last::Follow)?;
    let statistics = match target.existing()?.node {
        VNode::File(_) => context.unix.files.statistics()?,
        VNode::Proc(_) => Statistics { blocks: 0, free_blocks: 0, inodes: 0, free_inodes: 0 },
    };
    context.copy_out(address, &structures::statfs(&statistics))?;
    Ok(0)
}

/// fstatfs(2)
pub fn fstatfs(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, ..] = context.words;
    context.file(fd)?;
    let statistics = context.unix.files.statistics()?;
    context.copy_out(address, &structures::statfs(&statistics))?;
    Ok(0)
}

/// access(2)
pub fn access(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, wanted, ..] = context.words;
    access_at(context, at::WORKING_DIRECTORY, path, wanted, 0)
}

/// faccessat(2), faccessat2(2)
pub fn faccessat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, wanted, bits, ..] = context.words;
    access_at(context, directory, path, wanted, bits)
}

fn access_at(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    wanted: u64,
    bits: u64,
) -> Result<u64, Stop> {
    /// `AT_EACCESS`: ask for the effective ids.
    const EFFECTIVE: u64 = 0x200;
    if wanted & !7 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (attributes, _) = of_path(context, directory, path, bits & !EFFECTIVE)?;
    let mut who = context.process().credentials.clone();
    if bits & EFFECTIVE == 0 {
        (who.user.effective, who.group.effective) = (who.user.real, who.group.real);
    }
    let allowed = who.allows(&attributes, wanted as u32);
    if allowed { Ok(0) } else { Err(Errno::EACCES.into()) }
}

/// Returns the node that can be changed behind a path.
fn node_at(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    last: Last,
) -> Result<Attributes, Errno> {
    let target = context.walk_at(directory, path, last)?;
    let found = target.existing()?;
    Context::real(found.node)?;
    Ok(found.attributes)
}

/// Returns the attributes of a node that can be changed behind a descriptor.
fn node_of(context: &mut Context<'_>, fd: u64) -> Result<Attributes, Errno> {
    let file = context.file(fd)?;
    let node = match &file.borrow().object {
        Object::File(held) | Object::Device(_, Some(held)) => held.node(),
        Object::Directory(directory) => Context::real(directory.node)?,
        Object::Pipe(_) | Object::Device(_, None) | Object::Stream(_) | Object::Text(..) => {
            return Err(Errno::EPERM);
        }
    };
    context.unix.files.attributes(node)
}

/// chmod(2)
pub fn chmod(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, mode, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow)?;
    change_mode(context, &attributes, mode)
}

/// fchmod(2)
pub fn fchmod(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, mode, ..] = context.words;
    let attributes = node_of(context, fd)?;
    change_mode(context, &attributes, mode)
}

/// fchmodat(2)
pub fn fchmodat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, mode, ..] = context.words;
    let attributes = node_at(context, directory, path, Last::Follow)?;
    change_mode(context, &attributes, mode)
}

fn change_mode(context: &mut Context<'_>, attributes: &Attributes, mode: u64) -> Result<u64, Stop> {
    owned(context, attributes)?;
    let changes = Changes { mode: Some(mode as u32 & 0o7777), ..Changes::default() };
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}

fn owned(context: &mut Context<'_>, attributes: &Attributes) -> Result<(), Errno> {
    let owns = context.process().credentials.owns(attributes.uid);
    if owns { Ok(()) } else { Err(Errno::EPERM) }
}

/// chown(2)
pub fn chown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, uid, gid, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow)?;
    change_owner(context, &attributes, uid, gid)
}

/// lchown(2)
pub fn lchown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, uid, gid, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Keep)?;
    change_owner(context, &attributes, uid, gid)
}

/// fchown(2)
pub fn fchown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, uid, gid, ..] = context.words;
    let attributes = node_of(context, fd)?;
    change_owner(context, &attributes, uid, gid)
}

/// fchownat(2)
pub fn fchownat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, uid, gid, bits, _] = context.words;
    let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    let attributes = node_at(context, directory, path, last)?;
    change_owner(context, &attributes, uid, gid)
}

fn change_owner(
    context: &mut Context<'_>,
    attributes: &Attributes,
    uid: u64,
    gid: u64,
) -> Result<u64, Stop> {
    let id = |id: u64| (id as u32 != u32::MAX).then_some(id as u32);
    let (uid, gid) = (id(uid), id(gid));
    let who: &Credentials = &context.process().credentials;
    let may_uid = uid.is_none_or(|uid| uid == attributes.uid);
    let may_gid = gid.is_none_or(|gid| who.owns(attributes.uid) && who.is_member(gid));
    let allowed = who.is_root() || may_uid && may_gid;
    if !allowed {
        return Err(Errno::EPERM.into());
    }
    let changes = Changes { uid, gid, ..Changes::default() };
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}

/// utimensat(2)
pub fn utimensat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, times, bits, ..] = context.words;
    let attributes = if path == 0 {
        node_of(context, directory)?
    } else {
        let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
        node_at(context, directory, path, last)?
    };
    owned(context, &attributes)?;
    let modified = match times {
        0 => Some(context.time_of_day()),
        address => time_in(context, address.wrapping_add(16))?,
    };
    let changes = Changes { modified, ..Changes::default() };
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}

/// Reads a time that may be "now" or "as it is" (utimensat(2)).
fn time_in(context: &mut Context<'_>, address: u64) -> Result<Option<u64>, Errno> {
    const NOW: u64 = 0x3fff_ffff;
    const OMIT: u64 = 0x3fff_fffe;
    let [seconds, ns] = context.words_in(address)?;
    match ns {
        NOW => Ok(Some(context.time_of_day())),
        OMIT => Ok(None),
        0..SECOND => {
            let whole = seconds.checked_mul(SECOND).ok_or(Errno::EINVAL)?;
            Ok(Some(whole.checked_add(ns).ok_or(Errno::EINVAL)?))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// truncate(2)
pub fn truncate(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, len, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow)?;
    if attributes.mode & mode::TYPE == mode::DIRECTORY {
        return Err(Errno::EISDIR.into());
    }
    if !context.process().credentials.allows(&attributes, want::WRITE) {
        return Err(Errno::EACCES.into());
    }
    resize(context, attributes.node, len)
}

/// ftruncate(2)
pub fn ftruncate(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, len, ..] = context.words;
    let node = writable_file(context, fd)?;
    resize(context, node, len)
}

fn writable_file(context: &mut Context<'_>, fd: u64) -> Result<Node, Errno> {
    let file = context.file(fd)?;
    let file = file.borrow();
    match &file.object {
        Object::File(held) if file.is_writable() => Ok(held.node()),
        _ => Err(Errno::EINVAL),
    }
}

fn resize(context: &mut Context<'_>, node: Node, len: u64) -> Result<u64, Stop> {
    if len > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    context.unix.files.resize(node, len)?;
    Ok(0)
}

/// fallocate(2): grows the file; its holes are not filled.
pub fn fallocate(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, mode, offset, len, ..] = context.words;
    if mode != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let node = writable_file(context, fd)?;
    let end = offset.checked_add(len).ok_or(Errno::EFBIG)?;
    if context.unix.files.attributes(node)?.size < end {
        resize(context, node, end)?;
    }
    Ok(0)
}

/// umask(2)
pub fn umask(context: &mut Context<'_>) -> Result<u64, Stop> {
    let new = context.words[0] as u32 & 0o777;
    Ok(core::mem::replace(&mut context.process().umask, new).into())
}

/// listxattr(2) and relatives: nothing has extended attributes.
pub fn no_attributes(_: &mut Context<'_>) -> Result<u64, Stop> {
    Err(Errno::EOPNOTSUPP.into())
}

/// Returns the empty list of extended attributes.
pub fn empty_list(context: &mut Context<'_>) -> Result<u64, Stop> {
    let _: Vec<u8> = context.path_in(context.words[0])?;
    Ok(0)
}
