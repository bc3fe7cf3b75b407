//! openat2: opening with flags that are all checked, and a walk that is kept within bounds.

use crate::Errno;
use crate::calls::descriptors::{How, open_at};
use crate::context::{Context, Stop};
use crate::linux::flags::open as flags;
use crate::memory::PAGE;
use crate::path::Within;

/// openat2(2)
pub fn openat2(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// Bytes of the first version of `struct open_how`.
    const FIRST: u64 = 24;
    let [directory, path, address, len, ..] = context.words;
    if len < FIRST {
        return Err(Errno::EINVAL.into());
    }
    if len > PAGE {
        return Err(Errno::E2BIG.into());
    }
    let [bits, mode, resolve] = context.words_in(address)?;
    let later = context.bytes_in(address.wrapping_add(FIRST), (len - FIRST) as usize)?;
    if later.iter().any(|&byte| byte != 0) {
        return Err(Errno::E2BIG.into());
    }
    let how = check(bits, mode, resolve)?;
    open_at(context, directory, path, &how)
}

/// Checks what openat(2) would ignore (`build_open_flags` of fs/open.c).
fn check(bits: u64, mode: u64, resolve: u64) -> Result<How, Errno> {
    const OF_PATHS: u32 = flags::DIRECTORY | flags::NO_FOLLOW | flags::PATH | flags::CLOSE_ON_EXEC;
    let within = Within::from_bits(resolve)?;
    let bits = u32::try_from(bits).map_err(|_| Errno::EINVAL)?;
    let creates = bits & (flags::CREATE | flags::UNNAMED) != 0;
    let mode_fits = if creates { mode & !0o7777 == 0 } else { mode == 0 };
    let unnamed = flags::UNNAMED | flags::DIRECTORY;
    let unnamed_fits = bits & flags::UNNAMED == 0 || bits & unnamed == unnamed;
    let path_fits = bits & flags::PATH == 0 || bits & !OF_PATHS == 0;
    if bits & !flags::KNOWN != 0 || !mode_fits || !unnamed_fits || !path_fits {
        return Err(Errno::EINVAL);
    }
    if within.is_cached() {
        // Nothing is promised to be in a cache (openat2(2), RESOLVE_CACHED).
        return Err(Errno::EAGAIN);
    }
    Ok(How { bits, mode: mode as u32, within })
}
