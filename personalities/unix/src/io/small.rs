//! Reads and writes of a few bytes: pipes, streams of sockets, and the devices that this server plays itself.
//!
//! What programs do most is to move a byte or a line through a pipe. The bytes then go through an
//! array on the stack; all that does not end well is left to the ordinary way, which begins anew.

use libipc::abi::USER_END;

use crate::Errno;
use crate::context::{Context, Stop};
use crate::io::would_block;
use crate::open::{Description, Device, Kind, Object};
use crate::pipe::Moved;
use crate::socket::Plain;
use crate::wake::Channel;

/// Most bytes that are moved here through a pipe.
const SMALL: u64 = 64;
/// Most bytes that are read here of `/dev/zero`.
const ZEROS: [u8; 512] = [0; 512];

/// Reads, if that is a small matter.
pub fn read(
    context: &mut Context<'_>,
    file: &Description,
    address: u64,
    len: u64,
) -> Option<Result<u64, Stop>> {
    let open = file.borrow();
    if !open.is_readable() || len == 0 || context.progress != 0 {
        return None;
    }
    match &open.object {
        Object::Pipe(end) if len <= SMALL => {
            let mut bytes = [0; SMALL as usize];
            match end.read(&mut bytes[..len as usize]) {
                Moved::Bytes(0) => Some(Ok(0)),
                Moved::Bytes(count) => Some(out(context, address, &bytes[..count])),
                Moved::Nothing => Some(Err(would_block(&open, end.channel_in()))),
                Moved::Broken => None,
            }
        }
        Object::Numbered(numbered) if numbered.kind() == Kind::Socket && len <= SMALL => {
            let mut bytes = [0; SMALL as usize];
            let number = numbered.number();
            let sockets = &mut context.unix.sockets;
            match sockets.receive_plain(number, &mut bytes[..len as usize])? {
                Plain::Bytes(count) => Some(out(context, address, &bytes[..count])),
                Plain::Nothing => Some(Err(would_block(&open, Channel::SocketIn(number)))),
            }
        }
        Object::Device(Device::Zero | Device::Full, _) if len <= ZEROS.len() as u64 => {
            Some(out(context, address, &ZEROS[..len as usize]))
        }
        _ => None,
    }
}

fn out(context: &mut Context<'_>, address: u64, bytes: &[u8]) -> Result<u64, Stop> {
    context.copy_out(address, bytes)?;
    Ok(bytes.len() as u64)
}

/// Writes, if that is a small matter.
pub fn write(
    context: &mut Context<'_>,
    file: &Description,
    address: u64,
    len: u64,
) -> Option<Result<u64, Stop>> {
    let open = file.borrow();
    if !open.is_writable() || len == 0 || context.progress != 0 {
        return None;
    }
    match &open.object {
        Object::Pipe(end) if len <= SMALL => {
            let mut bytes = [0; SMALL as usize];
            let bytes = &mut bytes[..len as usize];
            if let Err(errno) = context.copy_in(address, bytes) {
                return Some(Err(errno.into()));
            }
            if end.may_be_awaited() && context.unix.hand_over(end.channel_in(), bytes).is_some() {
                return Some(Ok(len));
            }
            match end.write(bytes) {
                Moved::Bytes(count) => Some(Ok(count as u64)),
                Moved::Nothing => Some(Err(would_block(&open, end.channel_out()))),
                Moved::Broken => None,
            }
        }
        Object::Numbered(numbered) if numbered.kind() == Kind::Socket && len <= SMALL => {
            let mut bytes = [0; SMALL as usize];
            let bytes = &mut bytes[..len as usize];
            if let Err(errno) = context.copy_in(address, bytes) {
                return Some(Err(errno.into()));
            }
            let (unix, number) = (&mut *context.unix, numbered.number());
            let receiver = unix.sockets.empty_receiver(number).map(Channel::SocketIn);
            if receiver.and_then(|channel| unix.hand_over(channel, bytes)).is_none() {
                unix.sockets.send_plain(number, bytes)?;
            }
            Some(Ok(len))
        }
        // Nothing is looked at but whether it could be there (`write_null`, drivers/char/mem.c;
        // `access_ok`).
        Object::Device(Device::Null | Device::Zero, _) => {
            let is_there = address.checked_add(len).is_some_and(|end| end <= USER_END as u64);
            Some(if is_there { Ok(len) } else { Err(Errno::EFAULT.into()) })
        }
        _ => None,
    }
}
