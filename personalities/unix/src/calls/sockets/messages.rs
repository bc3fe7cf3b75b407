//! Sending and receiving, and what goes with messages: names, descriptors, credentials.

use alloc::vec::Vec;

use crate::Errno;
use crate::calls::io::ranges_in;
use crate::calls::sockets::control::{control_in, control_out};
use crate::calls::sockets::{address_in, address_out, find, socket_of, wait};
use crate::context::{Context, Stop, Wait};
use crate::io::{BUFFER, after};
use crate::linux::signals;
use crate::linux::sockets::{Address, Header, message};
use crate::open::Description;
use crate::signal::Info;
use crate::socket::{Control, How, Kind, Received, send_bytes, send_packet as send_packet_to};

/// Most bytes of one call (read(2), NOTES).
const MAX_BYTES: u64 = 0x7fff_f000;
/// Most messages of one call (`UIO_MAXIOV`, linux/uio.h).
const MAX_MESSAGES: u64 = 1024;
/// Bytes of `struct mmsghdr` (linux/socket.h).
const MANY_BYTES: u64 = 64;

/// Where bytes are in the caller's memory: address and length of each part.
type Ranges = [(u64, u64)];

/// What is sent.
struct Outgoing<'r> {
    file: Description,
    number: u64,
    to: Option<u64>,
    ranges: &'r Ranges,
    control: Control,
    flags: u32,
}

/// Sends what read(2)'s relatives write.
///
/// # Errors
/// As send(2).
pub fn write(
    context: &mut Context<'_>,
    file: Description,
    number: u64,
    ranges: &Ranges,
) -> Result<u64, Stop> {
    let (to, control, flags) = (None, Control::default(), 0);
    send(context, Outgoing { file, number, to, ranges, control, flags })
}

/// Receives what write(2)'s relatives read.
///
/// # Errors
/// As recv(2).
pub fn read(
    context: &mut Context<'_>,
    file: &Description,
    number: u64,
    ranges: &Ranges,
) -> Result<u64, Stop> {
    if ranges.iter().all(|&(_, len)| len == 0) {
        return Ok(0);
    }
    Ok(receive(context, file, number, ranges, 0)?.0)
}

fn send(context: &mut Context<'_>, outgoing: Outgoing<'_>) -> Result<u64, Stop> {
    if outgoing.flags & message::OUT_OF_BAND != 0 {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let socket = context.unix.sockets.get(outgoing.number)?;
    let (kind, timeout) = (socket.kind, socket.options.send_timeout);
    let (never, flags) = (outgoing.flags & message::DONT_WAIT != 0, outgoing.flags);
    let never = never || outgoing.file.borrow().is_non_blocking();
    let mut done = context.progress;
    let result = match kind {
        Kind::Stream => send_stream(context, outgoing, &mut done),
        Kind::Datagram | Kind::Sequenced => send_packet(context, outgoing, &mut done),
    };
    let Err(stop) = result else { return Ok(done) };
    match wait(context, stop, never, timeout) {
        Stop::Wait(wait) => Err(Stop::Wait(Wait { progress: done, ..wait })),
        _ if done != 0 => Ok(done),
        Stop::Errno(Errno::EPIPE) if kind == Kind::Stream && flags & message::NO_SIGNAL == 0 => {
            let info = Info::of_user(signals::SIGPIPE, context.pid.0, 0);
            let number = context.number;
            context.unix.send_to_thread(number, info);
            Err(Errno::EPIPE.into())
        }
        stop => Err(stop),
    }
}

fn send_stream(
    context: &mut Context<'_>,
    outgoing: Outgoing<'_>,
    done: &mut u64,
) -> Result<(), Stop> {
    let Outgoing { number, to, ranges, mut control, .. } = outgoing;
    if to.is_some() {
        let connected = context.unix.sockets.get(number)?.connected;
        return Err(if connected { Errno::EISCONN } else { Errno::EOPNOTSUPP }.into());
    }
    if *done != 0 {
        // They went with the first bytes.
        control.rights.clear();
    }
    loop {
        let (address, len) = after(ranges, *done).unwrap_or((0, 0));
        if len == 0 && *done != 0 {
            return Ok(());
        }
        let bytes = context.bytes_in(address, BUFFER.min(len as usize))?;
        let explicit = control.who;
        *done += send_bytes(context.unix, number, &bytes, &mut control)? as u64;
        control.who = explicit;
        if len == 0 {
            return Ok(());
        }
    }
}

fn send_packet(
    context: &mut Context<'_>,
    outgoing: Outgoing<'_>,
    done: &mut u64,
) -> Result<(), Stop> {
    let Outgoing { number, to, ranges, mut control, .. } = outgoing;
    let total: u64 = ranges.iter().map(|&(_, len)| len).sum();
    if total > context.unix.sockets.get(number)?.options.send_buffer as u64 {
        return Err(Errno::EMSGSIZE.into());
    }
    let mut bytes = Vec::with_capacity(total as usize);
    for &(address, len) in ranges {
        bytes.extend(context.bytes_in(address, len as usize)?);
    }
    *done = send_packet_to(context.unix, number, to, &bytes, &mut control)? as u64;
    Ok(())
}

/// Receives into the caller's memory; returns what the call returns, and what came along.
fn receive(
    context: &mut Context<'_>,
    file: &Description,
    number: u64,
    ranges: &Ranges,
    flags: u32,
) -> Result<(u64, Received), Stop> {
    if flags & message::OUT_OF_BAND != 0 {
        // Nothing is ever sent that way (`unix_stream_recv_urg`, net/unix/af_unix.c).
        return Err(Errno::EINVAL.into());
    }
    let how = How { peek: flags & message::PEEK != 0, credentials: false };
    let total: u64 = ranges.iter().map(|&(_, len)| len).sum();
    let mut done = context.progress;
    let mut who = None;
    loop {
        let socket = context.unix.sockets.get(number)?;
        let (kind, timeout) = (socket.kind, socket.options.receive_timeout);
        let most = if kind == Kind::Stream { BUFFER } else { usize::MAX };
        let len = most.min(socket.bytes_ready()).min((total - done) as usize);
        let mut buffer = alloc::vec![0; len];
        let mut received = match context.unix.sockets.receive(number, &mut buffer, how) {
            Ok(received) => received,
            Err(stop) => {
                let never = flags & message::DONT_WAIT != 0 || file.borrow().is_non_blocking();
                return match wait(context, stop, never, timeout) {
                    Stop::Wait(wait) => Err(Stop::Wait(Wait { progress: done, ..wait })),
                    _ if done != 0 => Ok((done, Received::default())),
                    stop => Err(stop),
                };
            }
        };
        scatter(context, ranges, done, &buffer[..received.count])?;
        done += received.count as u64;
        who = who.or(received.control.who);
        let all = done == total || !received.goes_on || received.count == 0;
        let waits = flags & message::WAIT_ALL != 0;
        if all || !waits && context.unix.sockets.get(number)?.bytes_ready() == 0 {
            received.control.who = who;
            return Ok((done, received));
        }
    }
}

/// Copies bytes into ranges, from `skip` bytes on.
fn scatter(
    context: &mut Context<'_>,
    ranges: &Ranges,
    skip: u64,
    bytes: &[u8],
) -> Result<(), Errno> {
    let mut done = 0;
    while done < bytes.len() {
        let Some((address, len)) = after(ranges, skip + done as u64) else { break };
        let count = (bytes.len() - done).min(len as usize);
        context.copy_out(address, &bytes[done..done + count])?;
        done += count;
    }
    Ok(())
}

/// sendto(2)
pub fn sendto(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, flags, name, name_len] = context.words;
    let (file, number) = socket_of(context, fd)?;
    let to = target(context, number, name, name_len)?;
    let ranges = [(address, len.min(MAX_BYTES))];
    let control = Control::default();
    let flags = flags as u32;
    send(context, Outgoing { file, number, to, ranges: &ranges, control, flags })
}

/// Returns the socket that a message is for, where one is named.
fn target(
    context: &mut Context<'_>,
    number: u64,
    name: u64,
    len: u64,
) -> Result<Option<u64>, Errno> {
    let socket = context.unix.sockets.get(number)?;
    let (kind, connected) = (socket.kind, socket.connected);
    if name == 0 || len as u32 == 0 {
        return Ok(None);
    }
    match kind {
        Kind::Datagram => {
            let bytes = address_in(context, name, len)?;
            Ok(Some(find(context, kind, &bytes)?))
        }
        // A name means nothing there (`unix_seqpacket_sendmsg`, net/unix/af_unix.c).
        Kind::Sequenced => Ok(None),
        Kind::Stream if connected => Err(Errno::EISCONN),
        Kind::Stream => Err(Errno::EOPNOTSUPP),
    }
}

/// recvfrom(2)
pub fn recvfrom(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, flags, name, len_at] = context.words;
    let (file, number) = socket_of(context, fd)?;
    let ranges = [(address, len.min(MAX_BYTES))];
    let flags = flags as u32;
    let (count, received) = receive(context, &file, number, &ranges, flags)?;
    if name != 0 {
        let from = received.from.as_ref().map(Address::emit);
        address_out(context, name, len_at, &from.unwrap_or_default())?;
    }
    Ok(whole(count, &received, flags))
}

/// Returns how long a message was, where that is asked for (`MSG_TRUNC`), or what was received.
fn whole(count: u64, received: &Received, flags: u32) -> u64 {
    let cut = received.len > received.count;
    if cut && flags & message::TRUNCATED != 0 { received.len as u64 } else { count }
}

fn header_in(context: &mut Context<'_>, address: u64) -> Result<(Header, Vec<(u64, u64)>), Errno> {
    let header = Header::parse(&context.array_in::<{ Header::BYTES as usize }>(address)?);
    if header.range_count > MAX_MESSAGES {
        return Err(Errno::EMSGSIZE);
    }
    if (header.name_len as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    let ranges = ranges_in(context, header.ranges, header.range_count)?;
    Ok((header, ranges))
}

/// sendmsg(2)
pub fn sendmsg(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, flags, ..] = context.words;
    let (file, number) = socket_of(context, fd)?;
    send_header(context, file, number, address, flags as u32)
}

fn send_header(
    context: &mut Context<'_>,
    file: Description,
    number: u64,
    address: u64,
    flags: u32,
) -> Result<u64, Stop> {
    let (header, ranges) = header_in(context, address)?;
    let to = target(context, number, header.name, header.name_len.into())?;
    let control = control_in(context, &header)?;
    send(context, Outgoing { file, number, to, ranges: &ranges, control, flags })
}

/// recvmsg(2)
pub fn recvmsg(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, flags, ..] = context.words;
    let (file, number) = socket_of(context, fd)?;
    receive_header(context, &file, number, address, flags as u32)
}

fn receive_header(
    context: &mut Context<'_>,
    file: &Description,
    number: u64,
    address: u64,
    flags: u32,
) -> Result<u64, Stop> {
    let (header, ranges) = header_in(context, address)?;
    let (count, received) = receive(context, file, number, &ranges, flags)?;
    let returned = whole(count, &received, flags);
    let mut told = flags & message::CLOSE_ON_EXEC;
    if received.len > received.count {
        told |= message::TRUNCATED;
    }
    if header.name != 0 {
        let from = received.from.as_ref().map(Address::emit);
        let from = from.unwrap_or_default();
        let most = from.len().min(header.name_len as usize);
        context.copy_out(header.name, &from[..most])?;
        let len = (from.len() as u32).to_le_bytes();
        context.copy_out(address + Header::NAME_LEN_AT, &len)?;
    }
    let passes = context.unix.sockets.get(number)?.options.pass_credentials;
    let bytes = control_out(context, &header, received.control, passes, &mut told)?;
    context.copy_out(header.control, &bytes)?;
    let len = (bytes.len() as u64).to_le_bytes();
    let tail = [&len[..], &told.to_le_bytes()].concat();
    context.copy_out(address + Header::CONTROL_LEN_AT, &tail)?;
    Ok(returned)
}

/// sendmmsg(2): after the first message, only what can be sent without waiting.
pub fn sendmmsg(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, count, flags, ..] = context.words;
    let (file, number) = socket_of(context, fd)?;
    let mut sent = 0;
    while sent < u64::from(count as u32).min(MAX_MESSAGES) {
        let at = address.wrapping_add(sent * MANY_BYTES);
        let flags = if sent == 0 { flags as u32 } else { flags as u32 | message::DONT_WAIT };
        let result = send_header(context, file.clone(), number, at, flags);
        context.progress = 0;
        match result {
            Ok(len) => context.copy_out(at + Header::BYTES, &(len as u32).to_le_bytes())?,
            Err(_) if sent != 0 => break,
            Err(stop) => return Err(stop),
        }
        sent += 1;
    }
    Ok(sent)
}

/// recvmmsg(2): the timeout is looked at after each message (recvmmsg(2), BUGS).
pub fn recvmmsg(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, count, flags, timeout, ..] = context.words;
    let (file, number) = socket_of(context, fd)?;
    let (count, flags) = (u64::from(count as u32).min(MAX_MESSAGES), flags as u32);
    let end = match timeout {
        0 => None,
        at => Some(crate::calls::time::deadline_in(context, at)?),
    };
    // What is in a call that waits is the number of messages, each of which comes as a whole.
    let mut done = core::mem::take(&mut context.progress);
    while done < count {
        let at = address.wrapping_add(done * MANY_BYTES);
        let one_is_enough = flags & message::WAIT_FOR_ONE != 0 && done != 0;
        let never = if one_is_enough { message::DONT_WAIT } else { 0 };
        let flags = flags & !(message::WAIT_ALL | message::WAIT_FOR_ONE) | never;
        match receive_header(context, &file, number, at, flags) {
            Ok(len) => context.copy_out(at + Header::BYTES, &(len as u32).to_le_bytes())?,
            Err(Stop::Wait(wait)) => return Err(Stop::Wait(Wait { progress: done, ..wait })),
            Err(_) if done != 0 => break,
            Err(stop) => return Err(stop),
        }
        done += 1;
        let now = context.machine().now();
        if end.is_some_and(|end| end <= now) {
            break;
        }
    }
    Ok(done)
}
