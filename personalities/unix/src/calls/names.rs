//! Making, removing and renaming what has a name.

use protocols::file::mode;

use crate::Errno;
use crate::calls::descriptors::{create, may_change};
use crate::context::{Context, Stop};
use crate::linux::flags::at;
use crate::path::{Last, Target, VNode};
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
    create(context, &target, mode::DIRECTORY | mode as u32 & 0o7777, 0)?;
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
        mode::FILE | mode::FIFO => {}
        mode::CHARACTER if context.process().credentials.is_root() => {}
        _ => return Err(Errno::EPERM.into()),
    }
    let target = absent(context, directory, path)?;
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
    let who = &context.process().credentials;
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
    if bits & !NO_REPLACE != 0 {
        return Err(Errno::EINVAL.into());
    }
    let from = context.walk_at(from.0, from.1, Last::Keep)?;
    let to = context.walk_at(to.0, to.1, Last::Keep)?;
    let found = from.existing()?;
    if from.name.is_empty() || to.name.is_empty() {
        return Err(Errno::EBUSY.into());
    }
    if to.slash && to.found.is_none() && !found.is_directory() {
        return Err(Errno::ENOTDIR.into());
    }
    may_remove(context, &from)?;
    may_change(context, &to)?;
    if to.found.is_some() {
        may_remove(context, &to)?;
    }
    let old = (Context::real(from.directory.node)?, &from.name[..]);
    let new = (Context::real(to.directory.node)?, &to.name[..]);
    context.unix.files.rename(old, new, bits & NO_REPLACE != 0)?;
    Ok(0)
}

/// link(2)
pub fn link(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [old, new, ..] = context.words;
    let here = at::WORKING_DIRECTORY;
    make_link(context, (here, old), (here, new), Last::Keep)
}

/// linkat(2)
pub fn linkat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [from, old, to, new, bits, ..] = context.words;
    let last = if bits & at::FOLLOW != 0 { Last::Follow } else { Last::Keep };
    make_link(context, (from, old), (to, new), last)
}

fn make_link(
    context: &mut Context<'_>,
    from: (u64, u64),
    to: (u64, u64),
    last: Last,
) -> Result<u64, Stop> {
    let from = context.walk_at(from.0, from.1, last)?;
    let found = from.existing()?.clone();
    let to = absent(context, to.0, to.1)?;
    if found.is_directory() {
        return Err(Errno::EPERM.into());
    }
    may_change(context, &to)?;
    let directory = Context::real(to.directory.node)?;
    context.unix.files.link(Context::real(found.node)?, directory, &to.name)?;
    Ok(0)
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
    may_change(context, &target)?;
    let who = &context.process().credentials;
    let owner = (who.user.effective, who.group.effective);
    let directory = Context::real(target.directory.node)?;
    context.unix.files.symlink(directory, &target.name, owner, &text)?;
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
