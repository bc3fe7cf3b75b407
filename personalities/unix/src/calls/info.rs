//! What programs ask about the processor and their threads, and calls with little effect.

use crate::Errno;
use crate::context::{Context, Stop};

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
    Ok(context.own_thread().tid.0.into())
}

/// Calls that are accepted and have no effect here.
pub fn accepted(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}

/// Calls that are known not to be there.
pub fn absent(_: &mut Context<'_>) -> Result<u64, Stop> {
    Err(Errno::ENOSYS.into())
}

/// getcpu(2)
pub fn getcpu(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [cpu, node, ..] = context.words;
    context.copy_out_if(cpu, &[0; 4])?;
    context.copy_out_if(node, &[0; 4])?;
    Ok(0)
}
