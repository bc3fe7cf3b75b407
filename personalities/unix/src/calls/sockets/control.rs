//! What goes with messages: descriptors and credentials (unix(7), "Ancillary messages").

use alloc::vec::Vec;

use crate::Errno;
use crate::context::Context;
use crate::linux::sockets::{
    CONTROL_HEADER, Header, SOL_SOCKET, Who, control, control_message, control_messages, message,
};
use crate::open::Slot;
use crate::socket::Control;

/// Most descriptors in one message (`SCM_MAX_FD`, net/scm.h).
const MAX_RIGHTS: usize = 253;
/// Most bytes of control messages (`net.core.optmem_max`, socket(7)).
const MAX_CONTROL: u64 = 20_480;

/// Decodes control messages: descriptors become descriptions, credentials are checked.
pub(super) fn control_in(context: &mut Context<'_>, header: &Header) -> Result<Control, Errno> {
    if header.control_len > MAX_CONTROL {
        return Err(Errno::ENOBUFS);
    }
    let mut found = Control::default();
    let bytes = context.bytes_in(header.control, header.control_len as usize)?;
    for (level, kind, data) in control_messages(&bytes)? {
        match (u64::from(level), kind) {
            (SOL_SOCKET, control::RIGHTS) => {
                if found.rights.len() + data.len() / 4 > MAX_RIGHTS {
                    return Err(Errno::EINVAL);
                }
                for number in data.chunks_exact(4) {
                    let number =
                        number.iter().rev().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
                    found.rights.push(context.file(number)?);
                }
            }
            (SOL_SOCKET, control::CREDENTIALS) => {
                let who = Who::parse(data).filter(|_| data.len() == Who::BYTES);
                found.who = Some(checked(context, who.ok_or(Errno::EINVAL)?)?);
            }
            // Those of other levels are for others (`__scm_send`, net/core/scm.c).
            (SOL_SOCKET, _) => return Err(Errno::EINVAL),
            _ => {}
        }
    }
    Ok(found)
}

/// Checks that the caller may say that it is somebody (unix(7), `SCM_CREDENTIALS`).
fn checked(context: &mut Context<'_>, who: Who) -> Result<Who, Errno> {
    let process = context.process();
    let credentials = &process.credentials;
    let own =
        process.pid.0 == who.pid && credentials.user.has(who.uid) && credentials.group.has(who.gid);
    if own || credentials.is_root() { Ok(who) } else { Err(Errno::EPERM) }
}

/// Returns the control messages that fit, credentials first; `told` says whether some did not
/// (`scm_recv`, `scm_detach_fds`: net/core/scm.c).
pub(super) fn control_out(
    context: &mut Context<'_>,
    header: &Header,
    control: Control,
    passes: bool,
    told: &mut u32,
) -> Result<Vec<u8>, Errno> {
    let most = if header.control == 0 { 0 } else { header.control_len.min(MAX_CONTROL) as usize };
    let mut bytes = Vec::new();
    if passes {
        let who = control.who.unwrap_or(Who::NOBODY);
        bytes = control_message(control::CREDENTIALS, &who.emit());
        if bytes.len() > most {
            *told |= message::CONTROL_TRUNCATED;
            bytes.truncate(if most < CONTROL_HEADER { 0 } else { most });
        }
    }
    if control.rights.is_empty() {
        return Ok(bytes);
    }
    let room = (most - bytes.len()).saturating_sub(CONTROL_HEADER) / 4;
    let close_on_exec = *told & message::CLOSE_ON_EXEC != 0;
    let mut numbers = Vec::new();
    let wanted = control.rights.len();
    for file in control.rights.into_iter().take(room) {
        let added = context.descriptors().add(0, Slot { file, close_on_exec });
        let Ok(number) = added else { break };
        numbers.extend_from_slice(&(number as u32).to_le_bytes());
    }
    if numbers.len() < wanted * 4 {
        *told |= message::CONTROL_TRUNCATED;
    }
    if !numbers.is_empty() {
        bytes.extend(control_message(control::RIGHTS, &numbers));
        bytes.truncate(most);
    }
    Ok(bytes)
}
