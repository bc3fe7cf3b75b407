//! getsockopt and setsockopt (socket(7), unix(7)).

use alloc::vec::Vec;

use crate::Errno;
use crate::calls::sockets::socket_of;
use crate::context::{Context, Stop};
use crate::linux::sockets::{AF_UNIX, SOL_SOCKET, option};
use crate::linux::structures::{Fields, SECOND};
use crate::socket::{Options, Socket};

/// The largest buffer that may be asked for (`net.core.wmem_max`, socket(7)).
const MAX_BUFFER: u32 = 212_992;
/// The smallest send buffer (`SOCK_MIN_SNDBUF`, net/sock.h, on x86-64).
const MIN_SEND_BUFFER: usize = 4608;
/// The smallest receive buffer (`SOCK_MIN_RCVBUF`, net/sock.h, on x86-64).
const MIN_RECEIVE_BUFFER: usize = 2304;

/// Options that are on or off and mean something to other families only; programs find them as
/// they set them.
const SWITCHES: [u64; 6] = [
    option::REUSE_ADDRESS,
    option::DONT_ROUTE,
    option::BROADCAST,
    option::KEEP_ALIVE,
    option::OUT_OF_BAND_INLINE,
    option::REUSE_PORT,
];

/// getsockopt(2)
pub fn getsockopt(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, level, name, address, len_at, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let most = usize::try_from(context.u32_in(len_at)? as i32).map_err(|_| Errno::EINVAL)?;
    if u64::from(level as u32) != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let name = u64::from(name as u32);
    let socket = context.unix.sockets.get_mut(number)?;
    let bytes = if name == option::ERROR {
        let error = socket.error.take().map_or(0, |errno| errno as u32);
        error.to_le_bytes().to_vec()
    } else {
        value(socket, name).ok_or(Errno::ENOPROTOOPT)?
    };
    let len = bytes.len().min(most);
    context.copy_out(address, &bytes[..len])?;
    context.copy_out(len_at, &(len as u32).to_le_bytes())?;
    Ok(0)
}

/// Returns the value of an option.
fn value(socket: &Socket, name: u64) -> Option<Vec<u8>> {
    let options = &socket.options;
    let number = |value: u32| Some(value.to_le_bytes().to_vec());
    match name {
        option::TYPE => number(socket.kind.number()),
        option::DOMAIN => number(AF_UNIX.into()),
        option::ACCEPTS => number(socket.backlog.is_some().into()),
        option::SEND_BUFFER => number(options.send_buffer as u32),
        option::RECEIVE_BUFFER => number(options.receive_buffer as u32),
        option::PASS_CREDENTIALS => number(options.pass_credentials.into()),
        option::PEER_CREDENTIALS => Some(socket.peer_who.emit()),
        option::RECEIVE_TIMEOUT => Some(Fields::default().time_us(options.receive_timeout).0),
        option::SEND_TIMEOUT => Some(Fields::default().time_us(options.send_timeout).0),
        name if SWITCHES.contains(&name) => number(u32::from(options.switches & 1 << name != 0)),
        option::RECEIVE_LOW | option::SEND_LOW => number(1),
        option::PEER_GROUPS => Some(Vec::new()),
        option::PROTOCOL => number(0),
        _ => None,
    }
}

/// setsockopt(2)
pub fn setsockopt(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, level, name, address, len, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    if u64::from(level as u32) != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let len = usize::try_from(len as u32 as i32).map_err(|_| Errno::EINVAL)?;
    if len < 4 {
        return Err(Errno::EINVAL.into());
    }
    let name = u64::from(name as u32);
    match name {
        option::RECEIVE_TIMEOUT | option::SEND_TIMEOUT => {
            let time = timeout_in(context, address, len)?;
            let options = &mut context.unix.sockets.get_mut(number)?.options;
            let which = name == option::RECEIVE_TIMEOUT;
            *(if which { &mut options.receive_timeout } else { &mut options.send_timeout }) = time;
        }
        name => {
            let value = context.u32_in(address)?;
            let is_root = context.own().credentials.is_root();
            set(&mut context.unix.sockets.get_mut(number)?.options, name, value, is_root)?;
        }
    }
    Ok(0)
}

/// Sets an option that is a number; those of other families have no effect.
fn set(options: &mut Options, name: u64, value: u32, is_root: bool) -> Result<(), Errno> {
    // Linux keeps twice what is asked for (socket(7), `SO_RCVBUF`).
    let doubled = |least: usize| (2 * value.min(MAX_BUFFER) as usize).max(least);
    match name {
        option::PASS_CREDENTIALS => options.pass_credentials = value != 0,
        option::SEND_BUFFER_FORCE | option::RECEIVE_BUFFER_FORCE if !is_root => {
            return Err(Errno::EPERM);
        }
        option::SEND_BUFFER | option::SEND_BUFFER_FORCE => {
            options.send_buffer = doubled(MIN_SEND_BUFFER);
        }
        option::RECEIVE_BUFFER | option::RECEIVE_BUFFER_FORCE => {
            options.receive_buffer = doubled(MIN_RECEIVE_BUFFER);
        }
        name if SWITCHES.contains(&name) => {
            options.switches = options.switches & !(1 << name) | u32::from(value != 0) << name;
        }
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(())
}

/// Reads a `struct timeval` as a timeout (`sock_set_timeout`, net/core/sock.c): ns, 0 for none.
fn timeout_in(context: &mut Context<'_>, address: u64, len: usize) -> Result<u64, Errno> {
    /// `EDOM`: microseconds of a second and more.
    const MOST: u64 = 1_000_000;
    if len < 16 {
        return Err(Errno::EINVAL);
    }
    let (seconds, us) = (context.u64_in(address)?, context.u64_in(address.wrapping_add(8))?);
    if us >= MOST {
        return Err(Errno::EDOM);
    }
    // A negative time is one that has passed: the shortest wait.
    let seconds = if seconds > i64::MAX as u64 { return Ok(1) } else { seconds };
    Ok(seconds.saturating_mul(SECOND).saturating_add(us * 1000))
}
