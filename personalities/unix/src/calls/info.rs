//! What programs ask about the system and themselves, and settings with little effect.

use crate::Errno;
use crate::calls::{RELEASE, SYSTEM};
use crate::context::{Context, Stop};
use crate::linux::flags::at;
use crate::linux::structures::{Fields, SECOND};
use crate::memory::STACK_LIMIT;
use crate::open::MAX_DESCRIPTORS;
use crate::path::Last;

/// A resource limit that does not limit (`RLIM_INFINITY`).
const UNLIMITED: u64 = u64::MAX;

/// uname(2)
pub fn uname(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// Bytes of each of the six fields of `struct new_utsname`.
    const FIELD: usize = 65;
    let address = context.words[0];
    let host = host_name(context);
    let fields: [&[u8]; 6] =
        [SYSTEM.as_bytes(), &host, RELEASE.as_bytes(), b"Kamen", b"x86_64", b"(none)"];
    let mut bytes = alloc::vec::Vec::new();
    for (index, field) in fields.iter().enumerate() {
        bytes.extend_from_slice(&field[..field.len().min(FIELD - 1)]);
        bytes.resize(FIELD * (index + 1), 0);
    }
    context.copy_out(address, &bytes)?;
    Ok(0)
}

/// Returns the first line of /etc/hostname.
fn host_name(context: &mut Context<'_>) -> alloc::vec::Vec<u8> {
    let read = |context: &mut Context<'_>| -> Result<alloc::vec::Vec<u8>, Errno> {
        let target = context.walk(at::WORKING_DIRECTORY, b"/etc/hostname", Last::Follow)?;
        let node = Context::real(target.existing()?.node)?;
        crate::io::read_head(context.unix, node, 64)
    };
    let text = read(context).unwrap_or_default();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    if line.is_empty() { b"kamen".to_vec() } else { line.to_vec() }
}

/// sysinfo(2)
pub fn sysinfo(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let (total, free) = context.machine().memory();
    let uptime = context.machine().now() / SECOND;
    let processes = context.unix.processes.len() as u16;
    let fields = Fields::default().u64(uptime).u64(0).u64(0).u64(0).u64(total).u64(free);
    let fields = fields.u64(0).u64(0).u64(0).u64(0).u16(processes).u16(0).u32(0);
    // Total and free high memory are 0; the unit of all sizes is one byte.
    let bytes = fields.u64(0).u64(0).u32(1).zeros_to(112).0;
    context.copy_out(address, &bytes)?;
    Ok(0)
}

/// getrandom(2)
pub fn getrandom(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    let mut bytes = alloc::vec![0; (len as usize).min(4096)];
    context.machine().random(&mut bytes);
    context.copy_out(address, &bytes)?;
    Ok(bytes.len() as u64)
}

/// Returns soft and hard limit of a resource (getrlimit(2)).
fn limit(resource: u64) -> Result<(u64, u64), Errno> {
    const STACK: u64 = 3;
    const CORE: u64 = 4;
    const PROCESSES: u64 = 6;
    const FILES: u64 = 7;
    const RESOURCES: u64 = 16;
    match resource {
        STACK => Ok((STACK_LIMIT, UNLIMITED)),
        CORE => Ok((0, UNLIMITED)),
        PROCESSES => {
            let most = crate::process::MAX_PROCESSES as u64;
            Ok((most, most))
        }
        FILES => Ok((MAX_DESCRIPTORS as u64, MAX_DESCRIPTORS as u64)),
        0..RESOURCES => Ok((UNLIMITED, UNLIMITED)),
        _ => Err(Errno::EINVAL),
    }
}

/// getrlimit(2)
pub fn getrlimit(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [resource, address, ..] = context.words;
    let (soft, hard) = limit(resource)?;
    context.copy_out(address, &Fields::default().u64(soft).u64(hard).0)?;
    Ok(0)
}

/// setrlimit(2): accepted, without effect.
pub fn setrlimit(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [resource, new, ..] = context.words;
    limit(resource)?;
    context.array_in::<16>(new)?;
    Ok(0)
}

/// prlimit64(2): new limits are accepted, without effect.
pub fn prlimit64(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, resource, new, old, ..] = context.words;
    let (soft, hard) = limit(resource)?;
    if new != 0 {
        context.array_in::<16>(new)?;
    }
    context.copy_out_if(old, &Fields::default().u64(soft).u64(hard).0)?;
    Ok(0)
}

/// prctl(2)
pub fn prctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    const GET_DUMPABLE: u64 = 3;
    const SET_DUMPABLE: u64 = 4;
    const SET_NAME: u64 = 15;
    const GET_NAME: u64 = 16;
    const CAPABILITY_READ: u64 = 23;
    let [operation, argument, ..] = context.words;
    match operation {
        SET_NAME => {
            let name = match context.string_in(argument, crate::exec::NAME_MAX + 1) {
                Err(Errno::ENAMETOOLONG) => context.bytes_in(argument, crate::exec::NAME_MAX)?,
                name => name?,
            };
            context.process().name = name;
            Ok(0)
        }
        GET_NAME => {
            let mut name = context.process().name.clone();
            name.resize(16, 0);
            context.copy_out(argument, &name)?;
            Ok(0)
        }
        GET_DUMPABLE | CAPABILITY_READ => Ok(1),
        SET_DUMPABLE => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// arch_prctl(2)
pub fn arch_prctl(context: &mut Context<'_>) -> Result<u64, Stop> {
    const SET_GS: u64 = 0x1001;
    const SET_FS: u64 = 0x1002;
    const GET_FS: u64 = 0x1003;
    const GET_GS: u64 = 0x1004;
    let [operation, address, ..] = context.words;
    let mut registers = context.registers()?;
    match operation {
        SET_FS => registers.fs_base = address,
        SET_GS => registers.gs_base = address,
        GET_FS => return get_base(context, registers.fs_base),
        GET_GS => return get_base(context, registers.gs_base),
        _ => return Err(Errno::EINVAL.into()),
    }
    let call = context.call;
    context.machine().set_registers(call, &registers).map_err(|_| Errno::EPERM)?;
    Ok(0)
}

fn get_base(context: &mut Context<'_>, base: u64) -> Result<u64, Stop> {
    let address = context.words[1];
    context.copy_out(address, &base.to_le_bytes())?;
    Ok(0)
}

/// set_tid_address(2)
pub fn set_tid_address(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    context.thread().clear_tid = address;
    Ok(context.thread().tid.0.into())
}

/// Calls that are accepted and have no effect here.
pub fn accepted(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}

/// Calls that are known not to be there.
pub fn absent(_: &mut Context<'_>) -> Result<u64, Stop> {
    Err(Errno::ENOSYS.into())
}

/// sched_setaffinity(2): there is one processor, on which everything runs.
pub fn sched_setaffinity(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, len, address, ..] = context.words;
    context.bytes_in(address, len.min(8) as usize)?;
    Ok(0)
}

/// sched_getaffinity(2): one processor.
pub fn sched_getaffinity(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, len, address, ..] = context.words;
    if len < 8 {
        return Err(Errno::EINVAL.into());
    }
    context.copy_out(address, &1u64.to_le_bytes())?;
    Ok(8)
}

/// getpriority(2): everybody's nice value is 0, which the call reports as 20.
pub fn getpriority(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(20)
}

/// getcpu(2)
pub fn getcpu(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [cpu, node, ..] = context.words;
    context.copy_out_if(cpu, &[0; 4])?;
    context.copy_out_if(node, &[0; 4])?;
    Ok(0)
}

/// capget(2): the superuser has every capability, others none.
pub fn capget(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// `_LINUX_CAPABILITY_VERSION_3`.
    const VERSION: u32 = 0x2008_0522;
    let [header, data, ..] = context.words;
    if context.u32_in(header)? != VERSION {
        context.copy_out(header, &VERSION.to_le_bytes())?;
        return if data == 0 { Ok(0) } else { Err(Errno::EINVAL.into()) };
    }
    let bits = if context.process().credentials.is_root() { u32::MAX } else { 0 };
    let low = Fields::default().u32(bits).u32(bits).u32(0);
    let high = low.u32(bits & 0x1ff).u32(bits & 0x1ff).u32(0);
    context.copy_out_if(data, &high.0)?;
    Ok(0)
}

/// reboot(2): ends the machine.
pub fn reboot(context: &mut Context<'_>) -> Result<u64, Stop> {
    const MAGIC: [u64; 2] = [0xfee1_dead, 0x2812_1969];
    const POWER_OFF: u64 = 0x4321_fedc;
    const HALT: u64 = 0xcdef_0123;
    const RESTART: u64 = 0x0123_4567;
    let [first, second, command, ..] = context.words.map(|word| word & 0xffff_ffff);
    if !context.process().credentials.is_root() {
        return Err(Errno::EPERM.into());
    }
    if [first, second] != MAGIC {
        return Err(Errno::EINVAL.into());
    }
    if matches!(command, POWER_OFF | HALT | RESTART) {
        context.unix.servers.power_off(0);
    }
    Ok(0)
}
