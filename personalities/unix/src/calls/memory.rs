//! Memory: brk, mmap and their relatives.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::io::{BUFFER, Position, read_once};
use crate::linux::flags::map;
use crate::machine::Access;
use crate::memory::{Mm, PAGE, Region, Sharing, pages};
use crate::open::{Description, Object};

/// Most pages of one mapping (4 GiB).
const MAX_PAGES: u64 = 1 << 20;

/// brk(2)
pub fn brk(context: &mut Context<'_>) -> Result<u64, Stop> {
    let to = context.words[0];
    let mm = context.mm()?;
    let end = mm.borrow_mut().set_brk(context.machine(), to);
    Ok(end)
}

fn access(protection: u64) -> Result<Access, Errno> {
    let has = |bit: u64| protection & bit != 0;
    match (has(map::READ), has(map::WRITE), has(map::EXECUTE)) {
        // No page is ever both writable and executable here.
        (_, true, true) => Err(Errno::EACCES),
        (_, true, false) => Ok(Access::Write),
        (_, false, true) => Ok(Access::Execute),
        (true, false, false) => Ok(Access::Read),
        (false, false, false) => Ok(Access::None),
    }
}

/// mmap(2)
pub fn mmap(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, protection, bits, fd, offset] = context.words;
    let access = access(protection)?;
    let count = pages(len);
    if len == 0 || offset % PAGE != 0 {
        return Err(Errno::EINVAL.into());
    }
    if count > MAX_PAGES {
        return Err(Errno::ENOMEM.into());
    }
    let file = match bits & map::ANONYMOUS {
        0 => Some(mappable(context, fd, bits, access)?),
        _ => None,
    };
    let mm = context.mm()?;
    let start = place(&mm.borrow(), address, count, bits)?;
    let shared = bits & map::SHARED != 0;
    let sharing = if shared { Sharing::Shared } else { Sharing::Private };
    let backing = mm.borrow_mut().insert_zeros(context.machine(), start, count, access, sharing)?;
    if let Some(file) = file {
        fill(context, &file, offset, len, backing.memory())?;
    }
    Ok(start)
}

/// Returns the file to be mapped. Contents are copied, so that writing to a shared mapping, which
/// would have to reach the file, is refused.
fn mappable(
    context: &mut Context<'_>,
    fd: u64,
    bits: u64,
    access: Access,
) -> Result<Description, Errno> {
    let file = context.file(fd)?;
    let open = file.borrow();
    if !matches!(open.object, Object::File(_)) {
        return Err(Errno::ENODEV);
    }
    let writes_back = bits & map::SHARED != 0 && access == Access::Write;
    if !open.is_readable() || writes_back {
        return Err(Errno::EACCES);
    }
    drop(open);
    Ok(file)
}

/// Returns where a mapping goes.
fn place(mm: &Mm, address: u64, count: u64, bits: u64) -> Result<u64, Errno> {
    let aligned = address.is_multiple_of(PAGE);
    if bits & map::FIXED_NO_REPLACE == map::FIXED_NO_REPLACE {
        return match aligned && Mm::is_valid(address, count) {
            true if mm.is_used(address, count) => Err(Errno::EEXIST),
            true => Ok(address),
            false => Err(Errno::EINVAL),
        };
    }
    if bits & map::FIXED != 0 {
        let valid = aligned && Mm::is_valid(address, count);
        return if valid { Ok(address) } else { Err(Errno::EINVAL) };
    }
    let hint = address & !(PAGE - 1);
    if hint != 0 && Mm::is_valid(hint, count) && !mm.is_used(hint, count) {
        return Ok(hint);
    }
    mm.find_gap(count)
}

fn fill(
    context: &mut Context<'_>,
    file: &Description,
    offset: u64,
    len: u64,
    memory: libipc::Memory,
) -> Result<(), Stop> {
    let mut buffer = alloc::vec![0; BUFFER.min(len as usize)];
    let mut done = 0;
    while done < len {
        let want = buffer.len().min((len - done) as usize);
        let position = Position::At(offset + done);
        let count = read_once(context.unix, file, position, &mut buffer[..want])?;
        if count == 0 {
            break;
        }
        context.machine().write_memory(memory, done, &buffer[..count])?;
        done += count as u64;
    }
    Ok(())
}

/// Checks a range that the caller names, and returns its pages.
fn range(address: u64, len: u64) -> Result<u64, Errno> {
    let count = pages(len);
    if !address.is_multiple_of(PAGE) || len == 0 || !Mm::is_valid(address, count) {
        return Err(Errno::EINVAL);
    }
    Ok(count)
}

/// munmap(2)
pub fn munmap(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    let count = range(address, len)?;
    let mm = context.mm()?;
    let mut mm = mm.borrow_mut();
    if mm.is_full() {
        // Unmapping the middle of a region would make one more.
        return Err(Errno::ENOMEM.into());
    }
    mm.remove(context.machine(), address, count);
    Ok(0)
}

/// mprotect(2)
pub fn mprotect(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, protection, ..] = context.words;
    let access = access(protection)?;
    if len == 0 {
        return Ok(0);
    }
    let count = range(address, len)?;
    let mm = context.mm()?;
    mm.borrow_mut().protect(context.machine(), address, count, access)?;
    Ok(0)
}

/// mremap(2)
pub fn mremap(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [old, old_len, new_len, bits, ..] = context.words;
    let count = range(old, old_len)?;
    let wanted = pages(new_len);
    if new_len == 0 || bits & map::REMAP_FIXED != 0 || wanted > MAX_PAGES {
        return Err(Errno::EINVAL.into());
    }
    let mm = context.mm()?;
    let mut mm = mm.borrow_mut();
    if wanted <= count {
        if wanted < count {
            mm.remove(context.machine(), old + wanted * PAGE, count - wanted);
        }
        return Ok(old);
    }
    let region = mm.region_at(old).cloned().ok_or(Errno::EFAULT)?;
    if region.start != old || region.pages != count {
        return Err(Errno::EFAULT.into());
    }
    if bits & map::REMAP_MAY_MOVE == 0 {
        return Err(Errno::ENOMEM.into());
    }
    // The pages stay where they are in their object, which grows; only the mapping moves.
    let last_page = region.first_page + count;
    if last_page != region.backing.pages() {
        return Err(Errno::ENOMEM.into());
    }
    let grown = region.first_page + wanted;
    context.machine().resize_memory(region.backing.memory(), grown)?;
    region.backing.set_pages(grown);
    let start = mm.find_gap(wanted)?;
    mm.remove(context.machine(), old, count);
    mm.insert(context.machine(), Region { start, pages: wanted, ..region })?;
    Ok(start)
}

/// madvise(2): only dropping pages has an effect.
pub fn madvise(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, advice, ..] = context.words;
    if advice != map::ADVICE_DONT_NEED || len == 0 {
        return Ok(0);
    }
    let count = range(address, len)?;
    let mm = context.mm()?;
    let end = address + count * PAGE;
    let mut at = address;
    while at < end {
        let Some(region) = mm.borrow().region_at(at).cloned() else {
            return Err(Errno::ENOMEM.into());
        };
        let stop = region.end().min(end);
        if region.sharing == Sharing::Private {
            // Fresh pages in place of the old ones read as zeros.
            let (count, access) = ((stop - at) / PAGE, region.access);
            let sharing = region.sharing;
            drop(region);
            mm.borrow_mut().insert_zeros(context.machine(), at, count, access, sharing)?;
        }
        at = stop;
    }
    Ok(0)
}

/// msync(2), mlock(2) and relatives: nothing to be done.
pub fn nothing(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}
