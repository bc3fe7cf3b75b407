//! Making, removing and renaming what has a name.

use alloc::rc::Rc;
use alloc::vec::Vec;

use protocols::file::mode;

use crate::Errno;
use crate::calls::attributes::named_file;
use crate::calls::descriptors::{create, may_change, new_node};
use crate::context::{Context, Stop};
use crate::credentials::{Capability, want};
use crate::filesystem::Collision;
use crate::linux::flags::{at, open as flags};
use crate::open::{Description, Object};
use crate::path::{Directory, Found, Last, Node, Target, VNode};
use crate::proc::link_target;

/// mkdir(2)
pub fn mkdir(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, mode, ..] = context.words;
    make_directory(context, at::WORKING_DIRECTORY, path, mode)
}

/// mkdirat(2)
pub fn mkdirat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, mode, ..] = context.words;
    make_directory(context, directory, path, mode)
}

fn make_directory(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    mode: u64,
) -> Result<u64, Stop> {
    let target = absent(context, directory, path)?;
    // `vfs_mkdir` (fs/namei.c): set-ID bits of directories come by chmod() or from the parent.
    create(context, &target, mode::DIRECTORY | mode as u32 & 0o1777, 0)?;
    Ok(0)
}

/// Walks to a name that must not exist yet.
fn absent(context: &mut Context<'_>, directory: u64, path: u64) -> Result<Target, Errno> {
    let target = context.walk_at(directory, path, Last::Keep)?;
    if target.found.is_some() { Err(Errno::EEXIST) } else { Ok(target) }
}

/// mknod(2)
pub fn mknod(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, mode, device, ..] = context.words;
    make_node(context, at::WORKING_DIRECTORY, path, mode, device)
}

/// mknodat(2)
pub fn mknodat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, mode, device, ..] = context.words;
    make_node(context, directory, path, mode, device)
}

fn make_node(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    mode: u64,
    device: u64,
) -> Result<u64, Stop> {
    let mode = mode as u32;
    let kind = if mode & mode::TYPE == 0 { mode::FILE } else { mode & mode::TYPE };
    match kind {
        mode::FILE | mode::FIFO | mode::SOCKET => {}
        mode::CHARACTER if context.own().credentials.can(Capability::MakeNode) => {}
        mode::DIRECTORY => return Err(Errno::EPERM.into()),
        mode::SYMLINK => return Err(Errno::EINVAL.into()),
        _ => return Err(Errno::EPERM.into()),
    }
    let target = absent(context, directory, path)?;
    if target.slash {
        return Err(Errno::ENOENT.into());
    }
    create(context, &target, kind | mode & 0o7777, device as u32)?;
    Ok(0)
}

/// unlink(2)
pub fn unlink(context: &mut Context<'_>) -> Result<u64, Stop> {
    let path = context.words[0];
    remove(context, at::WORKING_DIRECTORY, path, false)
}

/// rmdir(2)
pub fn rmdir(context: &mut Context<'_>) -> Result<u64, Stop> {
    let path = context.words[0];
    remove(context, at::WORKING_DIRECTORY, path, true)
}

/// unlinkat(2)
pub fn unlinkat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, bits, ..] = context.words;
    if bits & !at::REMOVE_DIRECTORY != 0 {
        return Err(Errno::EINVAL.into());
    }
    remove(context, directory, path, bits & at::REMOVE_DIRECTORY != 0)
}

fn remove(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    is_directory: bool,
) -> Result<u64, Stop> {
    let target = context.walk_at(directory, path, Last::Keep)?;
    let found = target.existing()?;
    if target.name.is_empty() {
        let errno = if is_directory { Errno::EBUSY } else { Errno::EISDIR };
        return Err(errno.into());
    }
    let node = Context::real(target.directory.node)?;
    may_remove(context, &target)?;
    match (is_directory, found.is_directory()) {
        (true, true) => context.unix.files.remove_directory(node, &target.name)?,
        (false, false) => context.unix.files.unlink(node, &target.name)?,
        (true, false) => return Err(Errno::ENOTDIR.into()),
        (false, true) => return Err(Errno::EISDIR.into()),
    }
    Ok(0)
}

/// Checks that the caller may remove a name: it may change the directory, and where that is
/// sticky (`/tmp`) owns one of the two.
fn may_remove(context: &mut Context<'_>, target: &Target) -> Result<(), Errno> {
    const STICKY: u32 = 0o1000;
    may_change(context, target)?;
    let directory = context.unix.files.attributes(Context::real(target.directory.node)?)?;
    let who = &context.own().credentials;
    let owner = target.existing()?.attributes.uid;
    if directory.mode & STICKY == 0 || who.owns(owner) || who.owns(directory.uid) {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// rename(2)
pub fn rename(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [old, new, ..] = context.words;
    let here = at::WORKING_DIRECTORY;
    move_name(context, (here, old), (here, new), 0)
}

/// renameat(2)
pub fn renameat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, old, to, new, ..] = context.words;
    move_name(context, (from, old), (to, new), 0)
}

/// renameat2(2)
pub fn renameat2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, old, to, new, bits, ..] = context.words;
    move_name(context, (from, old), (to, new), bits)
}

fn move_name(
    context: &mut Context<'_>,
    from: (u64, u64),
    to: (u64, u64),
    bits: u64,
) -> Result<u64, Stop> {
    const NO_REPLACE: u64 = 1;
    const EXCHANGE: u64 = 2;
    let clash = match bits {
        0 => Collision::Replace,
        NO_REPLACE => Collision::Keep,
        EXCHANGE => Collision::Exchange,
        _ => return Err(Errno::EINVAL.into()),
    };
    let from = context.walk_at(from.0, from.1, Last::Keep)?;
    let to = context.walk_at(to.0, to.1, Last::Keep)?;
    let found = from.existing()?;
    if from.name.is_empty() || to.name.is_empty() {
        return Err(Errno::EBUSY.into());
    }
    if to.slash && to.found.is_none() && !found.is_directory() {
        return Err(Errno::ENOTDIR.into());
    }
    match (clash, &to.found) {
        (Collision::Keep, Some(_)) => return Err(Errno::EEXIST.into()),
        (Collision::Exchange, None) => return Err(Errno::ENOENT.into()),
        _ => {}
    }
    may_remove(context, &from)?;
    may_change(context, &to)?;
    if to.found.is_some() {
        may_remove(context, &to)?;
    }
    if from.directory.node != to.directory.node {
        may_move(context, found)?;
        if let (Collision::Exchange, Some(other)) = (clash, &to.found) {
            may_move(context, other)?;
        }
    }
    let old = (Context::real(from.directory.node)?, &from.name[..]);
    let new = (Context::real(to.directory.node)?, &to.name[..]);
    context.unix.files.rename(old, new, clash)?;
    let (old, new) = (from.path(), to.path());
    if found.is_directory() {
        move_along(context, &old, &new, clash);
    } else if clash == Collision::Exchange {
        move_along(context, &new, &old, Collision::Replace);
    }
    Ok(0)
}

/// Gives working directories and roots at or below a renamed directory their new paths, which Linux finds
/// when they are asked for (`d_path`, fs/d_path.c).
fn move_along(context: &mut Context<'_>, old: &[u8], new: &[u8], clash: Collision) {
    let path_now = |path: &[u8]| match clash {
        Collision::Exchange => moved(path, old, new).or_else(|| moved(path, new, old)),
        Collision::Replace | Collision::Keep => moved(path, old, new),
    };
    let processes = &mut context.unix.processes;
    let there = processes.values().filter_map(|one| Some((one.pid, path_now(&one.cwd.path)?)));
    for (pid, path) in there.collect::<Vec<_>>() {
        if let Some(process) = processes.get_mut(&pid) {
            process.cwd.path = path;
        }
    }
    let rooted = processes.values().filter_map(|one| {
        let root = one.root.as_ref()?;
        Some((one.pid, Directory { path: path_now(&root.path)?, node: root.node }))
    });
    for (pid, root) in rooted.collect::<Vec<_>>() {
        if let Some(process) = processes.get_mut(&pid) {
            *process.root = Some(Rc::new(root));
        }
    }
}

/// Returns what becomes of a path, if it leads to the old path of a directory or beyond.
fn moved(path: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest[0] == b'/').then(|| [new, rest].concat())
}

/// Checks that what has a name may get another parent: in a directory that changes ".."
/// (`vfs_rename`, fs/namei.c).
fn may_move(context: &Context<'_>, found: &Found) -> Result<(), Errno> {
    let who = &context.own().credentials;
    let may = !found.is_directory() || who.allows(&found.attributes, want::WRITE);
    if may { Ok(()) } else { Err(Errno::EACCES) }
}

/// link(2)
pub fn link(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [old, new, ..] = context.words;
    let here = at::WORKING_DIRECTORY;
    make_link(context, (here, old), (here, new), 0)
}

/// linkat(2)
pub fn linkat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, old, to, new, bits, ..] = context.words;
    if bits & !(at::FOLLOW | at::EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    make_link(context, (from, old), (to, new), bits)
}

fn make_link(
    context: &mut Context<'_>,
    from: (u64, u64),
    to: (u64, u64),
    bits: u64,
) -> Result<u64, Stop> {
    let node = link_source(context, from, bits)?;
    let to = absent(context, to.0, to.1)?;
    if to.slash {
        return Err(Errno::ENOENT.into());
    }
    may_change(context, &to)?;
    let directory = Context::real(to.directory.node)?;
    context.unix.files.link(node, directory, &to.name)?;
    Ok(0)
}

/// Returns what is to get another name: what a path names, or what is open.
fn link_source(
    context: &mut Context<'_>,
    (directory, path): (u64, u64),
    bits: u64,
) -> Result<Node, Errno> {
    let path = context.path_in(path)?;
    if path.is_empty() && bits & at::EMPTY_PATH != 0 {
        // linkat(2): this way is the privileged one's (CAP_DAC_READ_SEARCH).
        if !context.own().credentials.can(Capability::DacReadSearch) {
            return Err(Errno::ENOENT);
        }
        let file = context.file(directory)?;
        return open_source(context, &file);
    }
    let last = if bits & at::FOLLOW != 0 { Last::Follow } else { Last::Keep };
    let from = context.walk(directory, &path, last)?;
    let found = from.existing()?;
    if let (Last::Follow, Some(file)) = (last, named_file(context, found)?) {
        return open_source(context, &file);
    }
    if found.is_directory() {
        return Err(Errno::EPERM);
    }
    match found.node {
        VNode::File(node) => Ok(node),
        VNode::Proc(_) => Err(Errno::EXDEV),
    }
}

/// Returns the node of an open file that can get a name: it has one, or was opened without any by
/// `O_TMPFILE`, but not one that has lost its last.
fn open_source(context: &mut Context<'_>, file: &Description) -> Result<Node, Errno> {
    let node = match &file.borrow().object {
        Object::File(held) | Object::Device(_, Some(held)) => held.node(),
        Object::Directory(_) => return Err(Errno::EPERM),
        _ => return Err(Errno::EXDEV),
    };
    let is_unnamed = file.borrow().flags() & flags::UNNAMED != 0;
    if !is_unnamed && context.unix.files.attributes(node)?.links == 0 {
        return Err(Errno::ENOENT);
    }
    Ok(node)
}

/// symlink(2)
pub fn symlink(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [target, path, ..] = context.words;
    make_symlink(context, target, at::WORKING_DIRECTORY, path)
}

/// symlinkat(2)
pub fn symlinkat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [target, directory, path, ..] = context.words;
    make_symlink(context, target, directory, path)
}

fn make_symlink(
    context: &mut Context<'_>,
    text: u64,
    directory: u64,
    path: u64,
) -> Result<u64, Stop> {
    let text = context.path_in(text)?;
    if text.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    let target = absent(context, directory, path)?;
    if target.slash {
        return Err(Errno::ENOENT.into());
    }
    may_change(context, &target)?;
    let new = new_node(context, &target, mode::SYMLINK | 0o777, 0)?;
    let directory = Context::real(target.directory.node)?;
    context.unix.files.symlink(directory, &target.name, (new.uid, new.gid), &text)?;
    Ok(0)
}

/// readlink(2)
pub fn readlink(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [path, address, len, ..] = context.words;
    read_link(context, at::WORKING_DIRECTORY, path, address, len)
}

/// readlinkat(2)
pub fn readlinkat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, address, len, ..] = context.words;
    read_link(context, directory, path, address, len)
}

fn read_link(
    context: &mut Context<'_>,
    directory: u64,
    path: u64,
    address: u64,
    len: u64,
) -> Result<u64, Stop> {
    if len as i32 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = context.walk_at(directory, path, Last::Keep)?;
    let found = target.existing()?;
    if found.kind() != mode::SYMLINK {
        return Err(Errno::EINVAL.into());
    }
    let text = match found.node {
        VNode::File(node) => context.unix.files.read_link(node)?,
        VNode::Proc(entry) => link_target(context.unix, context.pid, entry)?,
    };
    let len = text.len().min(len as usize);
    context.copy_out(address, &text[..len])?;
    Ok(len as u64)
}
