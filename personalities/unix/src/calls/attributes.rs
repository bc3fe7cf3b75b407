//! Attributes of files: stat and its relatives, access, modes, owners, times, lengths.

use protocols::file::{Attributes, Statistics, mode};

use crate::Errno;
use crate::calls::limits::within_file_size;
use crate::context::{Context, Stop};
use crate::credentials::{Capability, Credentials, want};
use crate::filesystem::Changes;
use crate::linux::flags::at;
use crate::linux::flags::permission::{GROUP_EXECUTE, SET_GID, SET_UID};
use crate::linux::structures::{self, device};
use crate::open::{Description, Kind, Object};
use crate::path::{Found, Last, Node, VNode};
use crate::pipe::Owner;
use crate::proc::{self, Entry};
use crate::terminal::Side;

/// Device numbers that stat shows: of the file tree, of `/proc`, of pipes.
const TREE: u64 = 1;
const PROC: u64 = 2;
const PIPES: u64 = 3;
/// Device number of the tree that sockets are in.
const SOCKETS: u64 = 8;
/// Device number of the tree that descriptors of events are in (anonymous inodes).
const EVENTS: u64 = 14;
/// Type and permissions of a terminal.
const TERMINAL: u32 = mode::CHARACTER | 0o620;

/// Returns attributes and device number of an open file.
pub(super) fn of_file(
    context: &mut Context<'_>,
    file: &Description,
) -> Result<(Attributes, u64), Errno> {
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
        Object::Text(text) => VNode::Proc(text.entry()),
        Object::Pipe(end) => {
            // A named one's name, and its node with that, may be gone.
            let node = end.downgrade().node().map(VNode::File);
            if let Some(Ok(attributes)) = node.map(|node| of_node(context, node)) {
                return Ok(attributes);
            }
            let Owner { uid, gid } = end.owner();
            let attributes = made_up(end.id(), mode::FIFO | 0o600, 0);
            return Ok((Attributes { uid, gid, ..attributes }, PIPES));
        }
        Object::Numbered(numbered) if numbered.kind() == Kind::Socket => {
            return Ok((made_up(numbered.number(), mode::SOCKET | 0o777, 0), SOCKETS));
        }
        // Permissions without a type (fs/anon_inodes.c).
        Object::Numbered(_) => return Ok((made_up(1, 0o600, 0), EVENTS)),
        Object::Device(_, None) => {
            return Ok((made_up(1, mode::CHARACTER | 0o666, device(1, 3).into()), TREE));
        }
        Object::Stream(stream) if stream.is_terminal() => match console_node(context) {
            Some(node) => node,
            None => return Ok((made_up(2, TERMINAL, device(5, 1).into()), TREE)),
        },
        Object::Pty(end) if end.side() == Side::Master => {
            return Ok((made_up(4, mode::CHARACTER | 0o666, device(5, 2).into()), TREE));
        }
        Object::Pty(end) => VNode::Proc(Entry::Terminal(end.number())),
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
            let node = context.own().cwd.node;
            return of_node(context, node);
        }
        let file = context.file(directory)?;
        return of_file(context, &file);
    }
    let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    let target = context.walk(directory, &path, last)?;
    let found = target.existing()?;
    if let (Last::Follow, Some(file)) = (last, named_file(context, found)?) {
        return of_file(context, &file);
    }
    let dev = if matches!(found.node, VNode::File(_)) { TREE } else { PROC };
    Ok((found.attributes, dev))
}

/// Returns the open file that a node of `/proc/PID/fd` stands for: whoever follows it comes to the
/// file, wherever its name is.
pub(super) fn named_file(
    context: &mut Context<'_>,
    found: &Found,
) -> Result<Option<Description>, Errno> {
    let VNode::Proc(Entry::Descriptor(pid, number)) = found.node else { return Ok(None) };
    let process = context.unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    Ok(Some(process.descriptors.file(number.into())?))
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
    const KNOWN: u64 = at::NO_FOLLOW | at::NO_AUTOMOUNT | at::EMPTY_PATH;
    if bits & !KNOWN != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (attributes, dev) = of_path(context, directory, path, bits)?;
    let accessed = accessed(context, &attributes, dev);
    context.copy_out(address, &structures::stat(&attributes, accessed, dev))?;
    Ok(0)
}

/// Returns when a node was last read; what this server makes up is read when it changes.
fn accessed(context: &mut Context<'_>, attributes: &Attributes, dev: u64) -> u64 {
    let accessed = match dev {
        TREE => context.unix.files.accessed(attributes.node).ok(),
        _ => None,
    };
    accessed.unwrap_or(attributes.modified)
}

/// fstat(2)
pub fn fstat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, ..] = context.words;
    let file = context.file(fd)?;
    let (attributes, dev) = of_file(context, &file)?;
    let accessed = accessed(context, &attributes, dev);
    context.copy_out(address, &structures::stat(&attributes, accessed, dev))?;
    Ok(0)
}

/// statx(2)
pub fn statx(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// `STATX__RESERVED` (linux/stat.h).
    const RESERVED: u64 = 0x8000_0000;
    const KNOWN: u64 = at::NO_FOLLOW | at::NO_AUTOMOUNT | at::EMPTY_PATH | at::SYNC_TYPE;
    let [directory, path, bits, mask, address, _] = context.words;
    let contradicts = bits & at::SYNC_TYPE == at::SYNC_TYPE;
    if bits & !KNOWN != 0 || contradicts || mask & RESERVED != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (attributes, dev) = of_path(context, directory, path, bits)?;
    let accessed = accessed(context, &attributes, dev);
    context.copy_out(address, &structures::statx(&attributes, accessed, dev))?;
    Ok(0)
}

/// What `/proc` takes and has.
const NOTHING: Statistics = Statistics { blocks: 0, free_blocks: 0, inodes: 0, free_inodes: 0 };

/// statfs(2)
pub fn statfs(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, address, ..] = context.words;
    let target = context.walk_at(at::WORKING_DIRECTORY, path, Last::Follow)?;
    let statistics = match target.existing()?.node {
        VNode::File(_) => context.unix.files.statistics()?,
        VNode::Proc(_) => NOTHING,
    };
    let kind = match target.existing()?.node {
        VNode::File(_) => structures::TMPFS,
        VNode::Proc(Entry::Terminals | Entry::Terminal(_)) => structures::DEVPTS,
        VNode::Proc(_) => structures::PROC,
    };
    context.copy_out(address, &structures::statfs(kind, &statistics))?;
    Ok(0)
}

/// fstatfs(2)
pub fn fstatfs(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, ..] = context.words;
    let file = context.file(fd)?;
    let kind = match &file.borrow().object {
        Object::Text(..) => structures::PROC,
        Object::Pty(_) => structures::DEVPTS,
        Object::Directory(directory) => match directory.node {
            VNode::Proc(Entry::Terminals) => structures::DEVPTS,
            VNode::Proc(_) => structures::PROC,
            VNode::File(_) => structures::TMPFS,
        },
        _ => structures::TMPFS,
    };
    let (kind, statistics) = match kind {
        structures::TMPFS => (kind, context.unix.files.statistics()?),
        _ => (kind, NOTHING),
    };
    context.copy_out(address, &structures::statfs(kind, &statistics))?;
    Ok(0)
}

/// access(2)
pub fn access(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, wanted, ..] = context.words;
    access_at(context, at::WORKING_DIRECTORY, path, wanted, 0)
}

/// faccessat(2), whose system call has no flags
pub fn faccessat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, wanted, ..] = context.words;
    access_at(context, directory, path, wanted, 0)
}

/// faccessat2(2)
pub fn faccessat2(context: &mut Context<'_>) -> Result<u64, Stop> {
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
    const KNOWN: u64 = EFFECTIVE | at::NO_FOLLOW | at::EMPTY_PATH;
    if wanted & !7 != 0 || bits & !KNOWN != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (attributes, _) = of_path(context, directory, path, bits & !EFFECTIVE)?;
    let mut who = context.own().credentials.clone();
    if bits & EFFECTIVE == 0 {
        // `access_override_creds` (fs/open.c).
        (who.user.files, who.group.files) = (who.user.real, who.group.real);
        who.capabilities.effective =
            if who.user.real == 0 { who.capabilities.permitted } else { Default::default() };
    }
    let allowed = who.allows(&attributes, wanted as u32);
    if allowed { Ok(0) } else { Err(Errno::EACCES.into()) }
}

/// Returns the attributes of a node that can be changed behind a path.
pub(super) fn node_at(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    last: Last,
    bits: u64,
) -> Result<Attributes, Errno> {
    let path = context.path_in(path)?;
    if path.is_empty() && bits & at::EMPTY_PATH != 0 {
        if directory as i32 != -100 {
            return node_of(context, directory);
        }
        let node = Context::real(context.own().cwd.node)?;
        return context.unix.files.attributes(node);
    }
    let target = context.walk(directory, &path, last)?;
    let found = target.existing()?;
    if let (Last::Follow, Some(file)) = (last, named_file(context, found)?) {
        return node_of_file(context, &file);
    }
    Context::real(found.node)?;
    Ok(found.attributes)
}

/// Returns the attributes of a node that can be changed behind a descriptor.
pub(super) fn node_of(context: &mut Context<'_>, fd: u64) -> Result<Attributes, Errno> {
    let file = context.file(fd)?;
    node_of_file(context, &file)
}

pub(super) fn node_of_file(
    context: &mut Context<'_>,
    file: &Description,
) -> Result<Attributes, Errno> {
    let node = match &file.borrow().object {
        Object::File(held) | Object::Device(_, Some(held)) => held.node(),
        Object::Directory(directory) => Context::real(directory.node)?,
        Object::Pipe(_)
        | Object::Pty(_)
        | Object::Device(_, None)
        | Object::Stream(_)
        | Object::Text(..)
        | Object::Numbered(_) => return Err(Errno::EPERM),
    };
    context.unix.files.attributes(node)
}

/// chmod(2)
pub fn chmod(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, mode, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow, 0)?;
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
    let attributes = node_at(context, directory, path, Last::Follow, 0)?;
    change_mode(context, &attributes, mode)
}

fn change_mode(context: &mut Context<'_>, attributes: &Attributes, mode: u64) -> Result<u64, Stop> {
    owned(context, attributes)?;
    let mut mode = mode as u32 & 0o7777;
    let who = &context.own().credentials;
    // chmod(2): only members give a file the set-group-ID bit.
    if !who.can(Capability::FileSetId) && !who.is_member(attributes.gid) {
        mode &= !SET_GID;
    }
    let changes = Changes { mode: Some(mode), ..Changes::default() };
    context.unix.plain.forget(attributes.node);
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}

/// Checks that the caller may change what a node's owner may.
pub(super) fn owned(context: &mut Context<'_>, attributes: &Attributes) -> Result<(), Errno> {
    let owns = context.own().credentials.owns(attributes.uid);
    if owns { Ok(()) } else { Err(Errno::EPERM) }
}

/// chown(2)
pub fn chown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, uid, gid, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow, 0)?;
    change_owner(context, &attributes, uid, gid)
}

/// lchown(2)
pub fn lchown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, uid, gid, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Keep, 0)?;
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
    if bits & !(at::NO_FOLLOW | at::EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    let attributes = node_at(context, directory, path, last, bits)?;
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
    let who: &Credentials = &context.own().credentials;
    // `chown_ok`, `chgrp_ok` (fs/attr.c); what is left as it is has to be the caller's, too, as the
    // set-ID bits go.
    let owns = who.user.files == attributes.uid;
    let may_uid = uid.is_none_or(|uid| uid == attributes.uid);
    let may_gid = gid.is_none_or(|gid| gid == attributes.gid || who.is_member(gid));
    let allowed = who.can(Capability::Chown) || owns && may_uid && may_gid;
    if !allowed {
        return Err(Errno::EPERM.into());
    }
    let is_program = attributes.mode & mode::TYPE == mode::FILE;
    // chown(2): a new owner does not get the old one's rights; without group execution the
    // set-group-ID bit is no right (mandatory locks).
    let mut cleared = SET_UID;
    if attributes.mode & GROUP_EXECUTE != 0 {
        cleared |= SET_GID;
    }
    let mode = attributes.mode & 0o7777;
    let mode = (is_program && mode & cleared != 0).then_some(mode & !cleared);
    let changes = Changes { mode, uid, gid, ..Changes::default() };
    context.unix.files.change(attributes.node, changes)?;
    Ok(0)
}

/// truncate(2)
pub fn truncate(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, len, ..] = context.words;
    let attributes = node_at(context, at::WORKING_DIRECTORY, path, Last::Follow, 0)?;
    if attributes.mode & mode::TYPE == mode::DIRECTORY {
        return Err(Errno::EISDIR.into());
    }
    if !context.own().credentials.allows(&attributes, want::WRITE) {
        return Err(Errno::EACCES.into());
    }
    resize(context, attributes.node, len)
}

/// Returns the node of a file that is open for writing.
///
/// # Errors
/// EBADF, EINVAL.
pub(super) fn writable_file(context: &mut Context<'_>, fd: u64) -> Result<Node, Errno> {
    let file = context.file(fd)?;
    let file = file.borrow();
    match &file.object {
        Object::File(held) if file.is_writable() => Ok(held.node()),
        _ => Err(Errno::EINVAL),
    }
}

/// Sets a file's length.
///
/// # Errors
/// EINVAL, EFBIG and what the file server says.
pub(super) fn resize(context: &mut Context<'_>, node: Node, len: u64) -> Result<u64, Stop> {
    if len > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    if len != 0 {
        within_file_size(context, len - 1, 1)?;
    }
    context.unix.clear_set_id(context.pid, node)?;
    context.unix.resize_contents(node, len)?;
    Ok(0)
}

/// umask(2)
pub fn umask(context: &mut Context<'_>) -> Result<u64, Stop> {
    let new = context.words[0] as u32 & 0o777;
    Ok(core::mem::replace(&mut context.process().umask, new).into())
}
