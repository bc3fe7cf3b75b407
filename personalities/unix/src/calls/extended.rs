//! Extended attributes: nothing has any, and the file system has no place for them (xattr(7)).

use crate::Errno;
use crate::context::{Context, Stop};
use crate::linux::flags::at;
use crate::path::Last;

/// getxattr(2), setxattr(2), removexattr(2)
pub fn of_path(context: &mut Context<'_>) -> Result<u64, Stop> {
    exists(context, Last::Follow)?;
    Err(Errno::EOPNOTSUPP.into())
}

/// lgetxattr(2), lsetxattr(2), lremovexattr(2)
pub fn of_link(context: &mut Context<'_>) -> Result<u64, Stop> {
    exists(context, Last::Keep)?;
    Err(Errno::EOPNOTSUPP.into())
}

/// fgetxattr(2), fsetxattr(2), fremovexattr(2)
pub fn of_file(context: &mut Context<'_>) -> Result<u64, Stop> {
    context.file(context.words[0])?;
    Err(Errno::EOPNOTSUPP.into())
}

/// listxattr(2)
pub fn list_path(context: &mut Context<'_>) -> Result<u64, Stop> {
    exists(context, Last::Follow)
}

/// llistxattr(2)
pub fn list_link(context: &mut Context<'_>) -> Result<u64, Stop> {
    exists(context, Last::Keep)
}

/// flistxattr(2)
pub fn list_file(context: &mut Context<'_>) -> Result<u64, Stop> {
    context.file(context.words[0])?;
    Ok(0)
}

fn exists(context: &mut Context<'_>, last: Last) -> Result<u64, Stop> {
    let path = context.words[0];
    context.walk_at(at::WORKING_DIRECTORY, path, last)?.existing()?;
    Ok(0)
}
