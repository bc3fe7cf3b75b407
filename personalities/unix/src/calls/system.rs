//! The system as a whole: its names, its figures, its end, its file systems.

use alloc::vec::Vec;

use crate::Errno;
use crate::calls::{RELEASE, SYSTEM};
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::linux::flags::at;
use crate::linux::structures::{Fields, SECOND};
use crate::path::Last;
use crate::process::State;

/// Bytes of each of the six fields of `struct new_utsname`, with its NUL (linux/utsname.h).
const FIELD: usize = 65;

/// What the system calls its build (`uname -v`).
pub const VERSION: &str = "Kamen";

/// uname(2)
pub fn uname(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// `PER_LINUX32`, linux/personality.h.
    const LINUX_32: u32 = 8;
    let is_32 = context.own().settings.personality & 0xff == LINUX_32;
    let machine: &[u8] = if is_32 { b"i686" } else { b"x86_64" };
    let (host, domain) = (host_name(context), domain_name(context));
    let fields: [&[u8]; 6] =
        [SYSTEM.as_bytes(), &host, RELEASE.as_bytes(), VERSION.as_bytes(), machine, &domain];
    let mut bytes = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        bytes.extend_from_slice(&field[..field.len().min(FIELD - 1)]);
        bytes.resize(FIELD * (index + 1), 0);
    }
    let address = context.words[0];
    context.copy_out(address, &bytes)?;
    Ok(0)
}

/// Returns the host's name: the one that was set, or the first line of /etc/hostname.
pub fn host_name(context: &mut Context<'_>) -> Vec<u8> {
    if let Some(name) = &context.unix.host_name {
        return name.clone();
    }
    let read = |context: &mut Context<'_>| -> Result<Vec<u8>, Errno> {
        let target = context.walk(at::WORKING_DIRECTORY, b"/etc/hostname", Last::Follow)?;
        let node = Context::real(target.existing()?.node)?;
        crate::io::read_head(context.unix, node, FIELD - 1)
    };
    let text = read(context).unwrap_or_default();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let name = if line.is_empty() { b"kamen".to_vec() } else { line.to_vec() };
    context.unix.host_name = Some(name.clone());
    name
}

fn domain_name(context: &Context<'_>) -> Vec<u8> {
    context.unix.domain_name.clone().unwrap_or_else(|| b"(none)".to_vec())
}

/// sethostname(2)
pub fn sethostname(context: &mut Context<'_>) -> Result<u64, Stop> {
    context.unix.host_name = Some(name_in(context)?);
    Ok(0)
}

/// setdomainname(2)
pub fn setdomainname(context: &mut Context<'_>) -> Result<u64, Stop> {
    context.unix.domain_name = Some(name_in(context)?);
    Ok(0)
}

fn name_in(context: &mut Context<'_>) -> Result<Vec<u8>, Errno> {
    let [address, len, ..] = context.words;
    // On Linux CAP_SYS_ADMIN, of which only this is left here.
    if !context.own().credentials.can(Capability::Boot) {
        return Err(Errno::EPERM);
    }
    if len >= FIELD as u64 {
        return Err(Errno::EINVAL);
    }
    context.bytes_in(address, len as usize)
}

/// sysinfo(2): `struct sysinfo`, linux/sysinfo.h, 112 bytes; the unit of all sizes is one byte.
pub fn sysinfo(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let (total, free) = context.machine().memory();
    let uptime = context.machine().now() / SECOND;
    let threads = context.unix.threads.len().min(usize::from(u16::MAX)) as u16;
    let running = context.unix.threads.values().filter(|one| one.state == State::Running).count();
    // Loads are numbers with 16 binary places; what runs beside the caller stands for all three.
    let load = (running.saturating_sub(1) as u64) << 16;
    let fields = Fields::default().u64(uptime).u64(load).u64(load).u64(load).u64(total).u64(free);
    // Shared, buffers, total and free swap are 0, and so is high memory.
    let fields = fields.u64(0).u64(0).u64(0).u64(0).u16(threads).u16(0).u32(0);
    let bytes = fields.u64(0).u64(0).u32(1).zeros_to(112).0;
    context.copy_out(address, &bytes)?;
    Ok(0)
}

/// reboot(2): ends the machine.
pub fn reboot(context: &mut Context<'_>) -> Result<u64, Stop> {
    const MAGIC: u64 = 0xfee1_dead;
    const MAGIC_2: [u64; 4] = [0x2812_1969, 0x0512_1996, 0x1604_1998, 0x2011_2000];
    const KEYS_OFF: u64 = 0;
    const KEYS_ON: u64 = 0x89ab_cdef;
    const POWER_OFF: u64 = 0x4321_fedc;
    const HALT: u64 = 0xcdef_0123;
    const RESTART: u64 = 0x0123_4567;
    let [first, second, command, ..] = context.words.map(|word| word & 0xffff_ffff);
    if !context.own().credentials.can(Capability::Boot) {
        return Err(Errno::EPERM.into());
    }
    if first != MAGIC || !MAGIC_2.contains(&second) {
        return Err(Errno::EINVAL.into());
    }
    match command {
        POWER_OFF | HALT | RESTART => context.unix.servers.power_off(0),
        KEYS_OFF | KEYS_ON => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}

/// getrandom(2)
pub fn getrandom(context: &mut Context<'_>) -> Result<u64, Stop> {
    const NON_BLOCKING: u64 = 1;
    const RANDOM: u64 = 2;
    const INSECURE: u64 = 4;
    /// Most bytes of one call: more would hold everybody up; the manual allows short answers.
    const MOST: u64 = 64 * 1024;
    let [address, len, bits, ..] = context.words;
    let both = RANDOM | INSECURE;
    if bits & !(NON_BLOCKING | both) != 0 || bits & both == both {
        return Err(Errno::EINVAL.into());
    }
    let len = len.min(MOST);
    let mut bytes = [0; 1024];
    let mut done = 0;
    while done < len {
        let part = &mut bytes[..(len - done).min(1024) as usize];
        context.machine().random(part);
        let count = part.len();
        match context.copy_out(address.wrapping_add(done), &bytes[..count]) {
            Err(_) if done != 0 => break,
            result => result?,
        }
        done += count as u64;
    }
    Ok(done)
}

/// mount(2): nobody has CAP_SYS_ADMIN, which is looked at once the place has been found.
pub fn mount(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, place, ..] = context.words;
    context.walk_at(at::WORKING_DIRECTORY, place, Last::Follow)?.existing()?;
    Err(Errno::EPERM.into())
}

/// umount2(2): as [`mount`].
pub fn umount(context: &mut Context<'_>) -> Result<u64, Stop> {
    const NO_FOLLOW: u64 = 8;
    const ALL: u64 = 15;
    let [place, bits, ..] = context.words;
    if bits & !ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let last = if bits & NO_FOLLOW != 0 { Last::Keep } else { Last::Follow };
    context.walk_at(at::WORKING_DIRECTORY, place, last)?.existing()?;
    Err(Errno::EPERM.into())
}

/// unshare(2): what the one thread of a process has alone; namespaces need CAP_SYS_ADMIN.
pub fn unshare(context: &mut Context<'_>) -> Result<u64, Stop> {
    use crate::linux::flags::clone;
    const FS: u64 = 0x200;
    const SYSTEM_V: u64 = 0x4_0000;
    const NAMESPACES: u64 = 0x7e02_0080;
    let bits = context.words[0];
    let of_thread = clone::THREAD | clone::MEMORY | 0x800;
    let known = FS | clone::FILES | SYSTEM_V | NAMESPACES | of_thread;
    if bits & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    if bits & NAMESPACES != 0 {
        return Err(Errno::EPERM.into());
    }
    // With other threads there, what they share would have to be copied.
    if bits != 0 && context.own().threads.len() > 1 {
        return Err(Errno::EINVAL.into());
    }
    Ok(0)
}

/// setns(2): nothing here is a namespace.
pub fn setns(context: &mut Context<'_>) -> Result<u64, Stop> {
    let fd = context.words[0];
    context.file(fd)?;
    Err(Errno::EINVAL.into())
}
