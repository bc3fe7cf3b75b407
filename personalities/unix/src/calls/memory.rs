//! Memory: brk, mmap and their relatives.

use alloc::rc::Rc;

use crate::Errno;
use crate::context::{Context, Interruption, STEP, Stop};
use crate::credentials::Capability;
use crate::linux::flags::map;
use crate::machine::Access;
use crate::memory::{
    AtFork, Backing, Counted, Destination, Locked, MappedFile, Mm, Old, PAGE, Purpose, Region,
    Remap, Sharing, pages,
};
use crate::open::{Device, HeldNode, Object};
use crate::process::Resource;

/// Most pages of one mapping (512 GiB): those of the kernel's largest memory object.
const MAX_PAGES: u64 = 1 << 27;
/// Where addresses of 31 bits end (`MAP_32BIT`).
const END_OF_31_BITS: u64 = 1 << 31;

/// brk(2)
pub fn brk(context: &mut Context<'_>) -> Result<u64, Stop> {
    let to = context.words[0];
    let mm = context.mm()?;
    let end = mm.borrow_mut().set_brk(context.machine(), to);
    Ok(end)
}

fn access(protection: u64) -> Result<Access, Errno> {
    let has = |bit: u64| protection & bit != 0;
    if protection & !(map::READ | map::WRITE | map::EXECUTE) != 0 {
        return Err(Errno::EINVAL);
    }
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
    // Other bits of the protection are ignored (mm/mmap.c).
    let access = access(protection & (map::READ | map::WRITE | map::EXECUTE))?;
    let count = pages(len);
    if len == 0 || offset % PAGE != 0 {
        return Err(Errno::EINVAL.into());
    }
    if count > MAX_PAGES {
        return Err(Errno::ENOMEM.into());
    }
    let shared = shared(bits)?;
    if bits & map::ANONYMOUS == 0 && offset.checked_add(len).is_none() {
        return Err(Errno::EOVERFLOW.into());
    }
    let source = match bits & map::ANONYMOUS {
        0 => source(context, fd, shared, access)?,
        _ => Source::Zeros,
    };
    let mm = context.mm()?;
    let start = place(&mm.borrow(), address, count, bits)?;
    let purpose = match bits & map::GROWS_DOWN {
        0 => Purpose::Ordinary,
        _ => Purpose::Stack,
    };
    mm.borrow().check_growth_at(start, count, Counted::new(access, shared, purpose))?;
    let is_locked = bits & map::LOCKED != 0;
    if is_locked {
        check_locks(context, count, Errno::EAGAIN)?;
    }
    let region = match source {
        Source::Zeros => zeros(context, start, count, access, shared)?,
        Source::File(file) => {
            let file = context.unix.map_file(&file.held, &file.path, offset / PAGE, count)?;
            let region = Region::new(start, count, access, shared, file.backing.clone());
            of_file(context, Region { first_page: offset / PAGE, ..region }, &file)?
        }
        Source::ReadOnly(file) => {
            let file = context.unix.map_file(&file.held, &file.path, offset / PAGE, count)?;
            let region = Region::new(start, count, access, shared, file.backing.clone());
            let region = of_file(context, Region { first_page: offset / PAGE, ..region }, &file)?;
            Region { most: Access::Read, ..region }
        }
    };
    mm.borrow_mut().insert(context.machine(), Region { purpose, is_locked, ..region })?;
    if bits & (map::POPULATE | map::LOCKED) != 0 {
        // What cannot be had now fails when it is touched (mmap(2), MAP_POPULATE).
        let _ = mm.borrow_mut().populate(context.machine(), start, count);
    }
    Ok(start)
}

/// Returns whether a mapping is shared.
fn shared(bits: u64) -> Result<Sharing, Errno> {
    match bits & map::TYPE {
        map::SHARED => Ok(Sharing::Shared),
        map::PRIVATE => Ok(Sharing::Private),
        // All flags that it lets a program ask for are known, or refused below.
        map::SHARED_VALIDATE if bits & !map::KNOWN != 0 => Err(Errno::EOPNOTSUPP),
        map::SHARED_VALIDATE => Ok(Sharing::Shared),
        _ => Err(Errno::EINVAL),
    }
    .and_then(|sharing| match bits & map::HUGE {
        0 => Ok(sharing),
        // No huge pages are set aside (mmap(2), MAP_HUGETLB).
        _ => Err(Errno::ENOMEM),
    })
}

/// A file to be mapped.
struct File {
    held: Rc<HeldNode>,
    path: alloc::vec::Vec<u8>,
}

/// Where pages come from.
enum Source {
    /// Nowhere: zeros.
    Zeros,
    /// A file.
    File(File),
    /// A file, shared and opened for reading only.
    ReadOnly(File),
}

/// Returns what a descriptor has to be mapped (mmap(2), ERRORS).
fn source(
    context: &mut Context<'_>,
    fd: u64,
    sharing: Sharing,
    access: Access,
) -> Result<Source, Errno> {
    let file = context.file(fd)?;
    let open = file.borrow();
    if !open.is_readable() {
        let by_path = !open.is_writable();
        return Err(if by_path { Errno::EBADF } else { Errno::EACCES });
    }
    let shared = sharing == Sharing::Shared;
    if shared && access == Access::Write && !open.is_writable() {
        return Err(Errno::EACCES);
    }
    match &open.object {
        Object::File(held) => {
            let file = File { held: held.clone(), path: open.path.clone() };
            let writable = !shared || open.is_writable();
            Ok(if writable { Source::File(file) } else { Source::ReadOnly(file) })
        }
        Object::Device(Device::Zero, _) => Ok(Source::Zeros),
        _ => Err(Errno::ENODEV),
    }
}

fn zeros(
    context: &mut Context<'_>,
    start: u64,
    count: u64,
    access: Access,
    sharing: Sharing,
) -> Result<Region, Errno> {
    let memory = context.machine().create_memory(count)?;
    let backing = Backing::new(memory, count, &context.unix.trash);
    Ok(Region::new(start, count, access, sharing, backing))
}

/// Makes a region one of a file: a private one sees the file's pages until it is writable.
fn of_file(
    context: &mut Context<'_>,
    region: Region,
    file: &Rc<MappedFile>,
) -> Result<Region, Errno> {
    let mut region = Region { file: Some(file.clone()), ..region };
    match (region.sharing, region.access) {
        (Sharing::Shared, Access::Write) => file.set_written(),
        (Sharing::Shared | Sharing::Image, _) => {}
        (Sharing::Private, Access::Write) => {
            let memory = context.machine().clone_memory(file.backing.memory())?;
            region.backing = Backing::new(memory, file.backing.pages(), &context.unix.trash);
        }
        (Sharing::Private, _) => region.sharing = Sharing::Image,
    }
    Ok(region)
}

/// Returns where a mapping goes.
fn place(mm: &Mm, address: u64, count: u64, bits: u64) -> Result<u64, Errno> {
    if bits & (map::FIXED | map::FIXED_NO_REPLACE) != 0 {
        if !address.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        if !Mm::is_valid(address, count) {
            // Below vm.mmap_min_addr, or beyond the end.
            return Err(if Mm::is_low(address) { Errno::EPERM } else { Errno::ENOMEM });
        }
        let replaces = bits & map::FIXED_NO_REPLACE == 0;
        return if replaces || !mm.is_used(address, count) {
            Ok(address)
        } else {
            Err(Errno::EEXIST)
        };
    }
    let hint = address & !(PAGE - 1);
    if hint != 0 && Mm::is_valid(hint, count) && !mm.is_used(hint, count) {
        return Ok(hint);
    }
    match bits & map::IN_31_BITS {
        0 => mm.find_gap(count),
        _ => mm.find_gap_below(count, END_OF_31_BITS),
    }
}

/// Checks a range that the caller names, and returns its pages; `beyond` is the error for one that
/// does not lie in user space.
fn range(address: u64, len: u64, beyond: Errno) -> Result<u64, Errno> {
    if !address.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL);
    }
    let count = pages(len);
    if Mm::is_within(address, count) { Ok(count) } else { Err(beyond) }
}

/// munmap(2)
pub fn munmap(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    let count = range(address, len, Errno::EINVAL)?;
    if count == 0 {
        return Err(Errno::EINVAL.into());
    }
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
    // A range that grows down to its mapping's beginning is not served (mprotect(2), NOTES).
    let access = access(protection)?;
    let count = range(address, len, Errno::ENOMEM)?;
    if count == 0 {
        return Ok(0);
    }
    let mm = context.mm()?;
    mm.borrow_mut().protect(context.machine(), address, count, access)?;
    Ok(0)
}

/// mremap(2)
pub fn mremap(context: &mut Context<'_>) -> Result<u64, Stop> {
    const KNOWN: u64 = map::REMAP_MAY_MOVE | map::REMAP_FIXED | map::REMAP_KEEP;
    let [address, old_len, new_len, bits, target, _] = context.words;
    let has = |bit: u64| bits & bit != 0;
    let moves = has(map::REMAP_MAY_MOVE);
    let (count, wanted) = (range(address, old_len, Errno::EFAULT)?, pages(new_len));
    let keeps_size = !has(map::REMAP_KEEP) || count == wanted;
    let flags_fit = moves || !(has(map::REMAP_FIXED) || has(map::REMAP_KEEP));
    if bits & !KNOWN != 0 || wanted == 0 || !flags_fit || !keeps_size {
        return Err(Errno::EINVAL.into());
    }
    if wanted > MAX_PAGES {
        return Err(Errno::ENOMEM.into());
    }
    let to = match (has(map::REMAP_FIXED), moves) {
        (true, _) => Destination::At(target_checked(address, count, target, wanted)?),
        (false, true) => Destination::Anywhere,
        (false, false) => Destination::InPlace,
    };
    let mm = context.mm()?;
    if count == 0 {
        return Ok(mm.borrow_mut().duplicate(context.machine(), address, wanted, to)?);
    }
    let grown = mm.borrow().region_at(address).cloned();
    if let Some(region) = grown.filter(|_| wanted > count)
        && let Some(file) = &region.file
    {
        context.unix.load_pages(file, region.page_at(address), wanted)?;
    }
    let old = if has(map::REMAP_KEEP) { Old::Fresh } else { Old::Unmapped };
    let remap = Remap { address, pages: count, wanted, to, old };
    Ok(mm.borrow_mut().remap(context.machine(), remap)?)
}

/// Checks the place of `MREMAP_FIXED`: ranges may not overlap.
fn target_checked(address: u64, count: u64, target: u64, wanted: u64) -> Result<u64, Errno> {
    let valid = target.is_multiple_of(PAGE) && Mm::is_valid(target, wanted);
    let overlaps = valid && target < address + count * PAGE && address < target + wanted * PAGE;
    if valid && !overlaps { Ok(target) } else { Err(Errno::EINVAL) }
}

/// madvise(2)
pub fn madvise(context: &mut Context<'_>) -> Result<u64, Stop> {
    use crate::linux::flags::advice;
    let [address, len, advice, ..] = context.words;
    if !advice::KNOWN.contains(&advice) {
        return Err(Errno::EINVAL.into());
    }
    let count = range(address, len, Errno::EINVAL)?;
    if count == 0 {
        return Ok(0);
    }
    let mm = context.mm()?;
    let mut mm = mm.borrow_mut();
    let machine = context.machine();
    match advice {
        advice::DONT_NEED | advice::DONT_NEED_LOCKED => mm.discard(machine, address, count)?,
        advice::FREE if !mm.is_anonymous(address, count) => return Err(Errno::EINVAL.into()),
        // Pages may go at any time from now on; they go at once.
        advice::FREE => mm.discard(machine, address, count)?,
        advice::REMOVE => mm.punch(machine, address, count)?,
        advice::DONT_FORK => mm.set_at_fork(machine, address, count, AtFork::Absent)?,
        advice::DO_FORK | advice::KEEP_ON_FORK => {
            mm.set_at_fork(machine, address, count, AtFork::Kept)?
        }
        advice::WIPE_ON_FORK => mm.set_at_fork(machine, address, count, AtFork::Wiped)?,
        advice::POPULATE_READ | advice::POPULATE_WRITE => mm.populate(machine, address, count)?,
        // How memory is used changes nothing here.
        _ => {}
    }
    // What is mapped was dealt with; that something is not is told all the same.
    if mm.covers(address, count) { Ok(0) } else { Err(Errno::ENOMEM.into()) }
}

/// msync(2)
pub fn msync(context: &mut Context<'_>) -> Result<u64, Stop> {
    const ASYNC: u64 = 1;
    const INVALIDATE: u64 = 2;
    const SYNC: u64 = 4;
    let [address, len, bits, ..] = context.words;
    let both = bits & (ASYNC | SYNC) == ASYNC | SYNC;
    if bits & !(ASYNC | INVALIDATE | SYNC) != 0 || both {
        return Err(Errno::EINVAL.into());
    }
    let count = range(address, len, Errno::ENOMEM)?;
    if count == 0 {
        return Ok(0);
    }
    let mm = context.mm()?;
    let (files, covered) = {
        let mm = mm.borrow();
        (mm.shared_files(address, count), mm.covers(address, count))
    };
    // MS_ASYNC has no effect on Linux; what was written goes to the file when it is unmapped.
    if bits & SYNC != 0 {
        write_back(context, &files)?;
    }
    if covered { Ok(0) } else { Err(Errno::ENOMEM.into()) }
}

/// Writes pages of files back, so many at a time that others have their turn.
fn write_back(context: &mut Context<'_>, files: &[(Rc<MappedFile>, u64, u64)]) -> Result<(), Stop> {
    let (mut skipped, mut rest) = (context.progress, STEP / PAGE);
    for (file, first, count) in files {
        let before = skipped.min(*count);
        let step = rest.min(count - before);
        (skipped, rest) = (skipped - before, rest - step);
        context.unix.write_back(file, first + before, step)?;
        if before + step < *count {
            let done = context.progress + STEP / PAGE;
            return Err(context.pause(done, Interruption::None));
        }
    }
    Ok(())
}

/// mincore(2): pages that are mapped are in memory, as there is no other place for them.
pub fn mincore(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// Pages that are told at a time.
    const STEP: u64 = 4096;
    let [address, len, into, ..] = context.words;
    let count = range(address, len, Errno::ENOMEM)?;
    let mm = context.mm()?;
    if count != 0 && !mm.borrow().covers(address, count) {
        return Err(Errno::ENOMEM.into());
    }
    let mut done = 0;
    while done < count {
        let step = STEP.min(count - done);
        context.copy_out(into.wrapping_add(done), &alloc::vec![1; step as usize])?;
        done += step;
    }
    Ok(0)
}

/// Checks that the caller may lock so many pages more (mlock(2), ERRORS).
fn check_locks(context: &mut Context<'_>, more: u64, beyond: Errno) -> Result<(), Errno> {
    let process = context.process();
    if process.credentials.can(Capability::LockMemory) {
        return Ok(());
    }
    if process.limits.soft(Resource::Locked) == 0 {
        return Err(Errno::EPERM);
    }
    let mm = context.mm()?;
    if mm.borrow().may_lock(more) { Ok(()) } else { Err(beyond) }
}

/// mlock(2): pages never leave memory; those that are not there yet come now.
pub fn mlock(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    lock(context, address, len)
}

/// mlock2(2)
pub fn mlock2(context: &mut Context<'_>) -> Result<u64, Stop> {
    const ON_FAULT: u64 = 1;
    let [address, len, bits, ..] = context.words;
    match bits {
        0 => lock(context, address, len),
        ON_FAULT => note_locked(context, address, len).map(|_| 0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Returns the pages of a range that may begin anywhere, and their beginning.
fn around(address: u64, len: u64) -> Result<(u64, u64), Errno> {
    let start = address & !(PAGE - 1);
    let len = len.checked_add(address - start).ok_or(Errno::EINVAL)?;
    Ok((start, range(start, len, Errno::ENOMEM)?))
}

fn lock(context: &mut Context<'_>, address: u64, len: u64) -> Result<u64, Stop> {
    let (start, count) = note_locked(context, address, len)?;
    let mm = context.mm()?;
    mm.borrow_mut().populate(context.machine(), start, count)?;
    Ok(0)
}

/// Notes that a range is locked; returns its beginning and its pages.
fn note_locked(context: &mut Context<'_>, address: u64, len: u64) -> Result<(u64, u64), Stop> {
    let (start, count) = around(address, len)?;
    let mm = context.mm()?;
    let more = mm.borrow().lockable_in(start, count);
    check_locks(context, more, Errno::ENOMEM)?;
    let mut mm = mm.borrow_mut();
    if !mm.covers(start, count) {
        return Err(Errno::ENOMEM.into());
    }
    mm.set_locked(context.machine(), start, count, Locked::Yes)?;
    Ok((start, count))
}

/// munlock(2)
pub fn munlock(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    let (start, count) = around(address, len)?;
    let mm = context.mm()?;
    let mut mm = mm.borrow_mut();
    mm.set_locked(context.machine(), start, count, Locked::No)?;
    if mm.covers(start, count) { Ok(0) } else { Err(Errno::ENOMEM.into()) }
}

/// mlockall(2): pages never leave memory.
pub fn mlockall(context: &mut Context<'_>) -> Result<u64, Stop> {
    const CURRENT: u64 = 1;
    const FUTURE: u64 = 2;
    const ON_FAULT: u64 = 4;
    match context.words[0] {
        bits if bits & !(CURRENT | FUTURE | ON_FAULT) != 0 => Err(Errno::EINVAL.into()),
        0 | ON_FAULT => Err(Errno::EINVAL.into()),
        bits => {
            let mm = context.mm()?;
            let all = mm.borrow().size_pages() - mm.borrow().locked_pages();
            let more = if bits & CURRENT != 0 { all } else { 0 };
            check_locks(context, more, Errno::ENOMEM)?;
            if bits & CURRENT != 0 {
                mm.borrow_mut().set_all_locked(context.machine(), Locked::Yes);
            }
            Ok(0)
        }
    }
}

/// munlockall(2)
pub fn munlockall(context: &mut Context<'_>) -> Result<u64, Stop> {
    let mm = context.mm()?;
    mm.borrow_mut().set_all_locked(context.machine(), Locked::No);
    Ok(0)
}
