//! execveat: executing what a descriptor leads to.

use alloc::format;

use protocols::file::mode;

use crate::Errno;
use crate::calls::processes::execute;
use crate::context::{Context, Stop};
use crate::exec::{Opened, Request, of_description};
use crate::linux::flags::at;
use crate::path::Last;

/// execveat(2): the file itself, whatever has its name by now (`do_open_execat`, fs/exec.c).
pub fn execveat(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [directory, path, arguments, environment, bits, _] = context.words;
    if bits & !(at::EMPTY_PATH | at::NO_FOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let path = context.path_in(path)?;
    let is_empty = path.is_empty() && bits & at::EMPTY_PATH != 0;
    let mut opened = if is_empty {
        by_descriptor(context, directory)?
    } else {
        by_path(context, directory, &path, bits)?
    };
    if directory as i32 == -100 || path.starts_with(b"/") {
        return execute(context, Request::new(path, Some(opened)), arguments, environment);
    }
    // `alloc_bprm` (fs/exec.c): so the program is called, and an interpreter finds it.
    opened.closes = context.descriptors().slot(directory)?.close_on_exec;
    let mut name = format!("/dev/fd/{}", directory as u32).into_bytes();
    if !is_empty {
        name = crate::path::join(&name, &path);
    }
    execute(context, Request::new(name, Some(opened)), arguments, environment)
}

fn by_descriptor(context: &mut Context<'_>, descriptor: u64) -> Result<Opened, Errno> {
    if descriptor as i32 == -100 {
        // The working directory.
        return Err(Errno::EACCES);
    }
    let file = context.file(descriptor)?;
    let (found, path) = of_description(context.unix, &file)?;
    match found.kind() {
        mode::SYMLINK => Err(Errno::ELOOP),
        _ => Ok(Opened { found, path, closes: false }),
    }
}

fn by_path(
    context: &mut Context<'_>,
    directory: u64,
    path: &[u8],
    bits: u64,
) -> Result<Opened, Errno> {
    let last = if bits & at::NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    let target = context.walk(directory, path, last)?;
    let found = target.existing()?.clone();
    if last == Last::Keep && found.kind() == mode::SYMLINK {
        return Err(Errno::ELOOP);
    }
    Ok(Opened { found, path: target.path(), closes: false })
}
