//! memfd_create: a file without a name, of memory.

use protocols::file::mode;

use crate::Errno;
use crate::context::{Context, Stop};
use crate::filesystem::NewNode;
use crate::linux::flags::open as flags;
use crate::open::{HeldNode, Object, OpenFile, Slot};

/// Bytes of the longest name: `NAME_MAX` less the "memfd:" before it.
const NAME_MAX: usize = 249;

/// memfd_create(2): the file is one as of `O_TMPFILE`.
pub fn memfd_create(context: &mut Context<'_>) -> Result<u64, Stop> {
    const CLOSE_ON_EXEC: u32 = 1;
    let [name, bits, ..] = context.words;
    if bits as u32 & !CLOSE_ON_EXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = context.string_in(name, NAME_MAX + 1).map_err(|errno| match errno {
        Errno::ENAMETOOLONG => Errno::EINVAL,
        errno => errno,
    })?;
    let who = &context.own().credentials;
    let (uid, gid) = (who.user.files, who.group.files);
    let new = NewNode { mode: mode::FILE | 0o777, uid, gid, device: 0 };
    let node = context.unix.files.create_unnamed(new)?.node;
    let held = HeldNode::new(node, &context.unix.closed);
    let path = [b"/memfd:", &name[..], b" (deleted)"].concat();
    let status = flags::READ_WRITE | flags::LARGE;
    let file = OpenFile::new(context.unix.kept, Object::File(held), status, path)?;
    let close_on_exec = bits as u32 & CLOSE_ON_EXEC != 0;
    Ok(context.descriptors().add(0, Slot { file, close_on_exec })?)
}
