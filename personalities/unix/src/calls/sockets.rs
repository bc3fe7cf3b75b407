//! Sockets: making, naming and connecting them.

use alloc::vec::Vec;

use protocols::file::mode;

use crate::Errno;
use crate::calls::descriptors::create;
use crate::context::{Context, Stop, Wait};
use crate::credentials::want;
use crate::linux::flags::{at, open as flags};
use crate::linux::sockets::{AF_UNIX, Address, Who, kind as types};
use crate::linux::structures::Fields;
use crate::open::{Description, Kind as Table, Numbered, Object, OpenFile, Slot};
use crate::path::Last;
use crate::socket::{Kind, Shut};

mod control;
pub mod messages;
pub mod options;

/// Most connections that wait at a listener (`net.core.somaxconn`, listen(2)).
const MAX_BACKLOG: u64 = 4096;

/// Returns the socket that a descriptor names.
///
/// # Errors
/// EBADF; ENOTSOCK.
pub(super) fn socket_of(context: &mut Context<'_>, fd: u64) -> Result<(Description, u64), Errno> {
    let file = context.file(fd)?;
    let number = number_of(&file).ok_or(Errno::ENOTSOCK)?;
    Ok((file, number))
}

/// Returns the number of the socket that a description is of.
pub fn number_of(file: &Description) -> Option<u64> {
    match &file.borrow().object {
        Object::Numbered(numbered) if numbered.kind() == Table::Socket => Some(numbered.number()),
        _ => None,
    }
}

/// Returns who the caller acts as, as its peers are told (`SO_PEERCRED`, unix(7)).
fn effective(context: &mut Context<'_>) -> Who {
    let process = context.process();
    let credentials = &process.credentials;
    let (uid, gid) = (credentials.user.effective, credentials.group.effective);
    Who { pid: process.pid.0, uid, gid }
}

/// Makes a call wait that has to, unless it never does or has waited long enough.
pub(super) fn wait(context: &mut Context<'_>, stop: Stop, never: bool, timeout: u64) -> Stop {
    let Stop::Wait(wait) = stop else { return stop };
    if never {
        return Errno::EAGAIN.into();
    }
    if timeout == 0 {
        return Stop::Wait(wait);
    }
    let now = context.machine().now();
    let deadline = context.deadline.unwrap_or(now.saturating_add(timeout));
    if deadline <= now {
        return Errno::EAGAIN.into();
    }
    Stop::Wait(Wait { deadline: Some(deadline), ..wait })
}

/// Decodes the type argument of socket(2) and socketpair(2).
fn decode(context: &Context<'_>) -> Result<(Kind, u32), Errno> {
    const FLAGS: u32 = types::NON_BLOCKING | types::CLOSE_ON_EXEC;
    let [family, kind, protocol, ..] = context.words;
    let (kind, protocol) = (kind as u32, protocol as u32);
    if kind & !types::MASK & !FLAGS != 0 {
        return Err(Errno::EINVAL);
    }
    // Families besides UNIX are those of a kernel without them.
    if family as u32 != AF_UNIX.into() {
        return Err(Errno::EAFNOSUPPORT);
    }
    if protocol != 0 && protocol != AF_UNIX.into() {
        return Err(Errno::EPROTONOSUPPORT);
    }
    let moves = Kind::from_number(kind & types::MASK).ok_or(Errno::ESOCKTNOSUPPORT)?;
    Ok((moves, kind & FLAGS))
}

/// Puts a socket into a descriptor.
fn open(context: &mut Context<'_>, number: u64, bits: u32) -> Result<u64, Errno> {
    let numbered = Numbered::new(Table::Socket, number, &context.unix.closed);
    let status = flags::READ_WRITE | bits & types::NON_BLOCKING;
    let file = OpenFile::new(
        context.unix.kept,
        Object::Numbered(numbered),
        status,
        Table::Socket.path(number),
    )?;
    let close_on_exec = bits & types::CLOSE_ON_EXEC != 0;
    context.descriptors().add(0, Slot { file, close_on_exec })
}

/// socket(2)
pub fn socket(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (kind, bits) = decode(context)?;
    let who = effective(context);
    let number = context.unix.unique();
    context.unix.sockets.add(number, kind, who)?;
    Ok(open(context, number, bits)?)
}

/// socketpair(2)
pub fn socketpair(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[3];
    let (kind, bits) = decode(context)?;
    let who = effective(context);
    let (first, second) = (context.unix.unique(), context.unix.unique());
    context.unix.sockets.add(first, kind, who)?;
    let added = context.unix.sockets.add(second, kind, who);
    let paired = added.and_then(|()| context.unix.sockets.pair(first, second));
    let one = open(context, first, bits);
    let opened = paired.and(one).and_then(|one| match open(context, second, bits) {
        Ok(two) => Ok((one, two)),
        Err(errno) => context.descriptors().remove(one).and(Err(errno)),
    });
    let (one, two) = match opened {
        Ok(numbers) => numbers,
        Err(errno) => {
            // What has no descriptor is nobody's.
            context.unix.sockets.remove(first);
            context.unix.sockets.remove(second);
            return Err(errno.into());
        }
    };
    let bytes = Fields::default().u32(one as u32).u32(two as u32).0;
    if let Err(errno) = context.copy_out(address, &bytes) {
        for number in [one, two] {
            context.descriptors().remove(number)?;
        }
        return Err(errno.into());
    }
    Ok(0)
}

/// Copies an address in.
fn address_in(context: &mut Context<'_>, address: u64, len: u64) -> Result<Vec<u8>, Errno> {
    // More than any address can have (`struct sockaddr_storage`, linux/socket.h).
    const MOST: u64 = 128;
    let len = u64::from(len as u32);
    if len > MOST {
        return Err(Errno::EINVAL);
    }
    context.bytes_in(address, len as usize)
}

/// Copies an address out, cut to the length that is there, and says how long it is.
///
/// # Errors
/// EFAULT; EINVAL: a negative length.
fn address_out(
    context: &mut Context<'_>,
    address: u64,
    len_at: u64,
    bytes: &[u8],
) -> Result<(), Errno> {
    let len = context.u32_in(len_at)?;
    let most = usize::try_from(len as i32).map_err(|_| Errno::EINVAL)?;
    context.copy_out(address, &bytes[..bytes.len().min(most)])?;
    context.copy_out(len_at, &(bytes.len() as u32).to_le_bytes())
}

/// bind(2)
pub fn bind(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let bytes = address_in(context, address, len)?;
    let name = Address::parse(&bytes)?;
    let is_named = context.unix.sockets.get(number)?.address != Address::Unnamed;
    match name {
        Address::Unnamed if is_named => {}
        Address::Path(path) => bind_path(context, number, path)?,
        _ if is_named => return Err(Errno::EINVAL.into()),
        Address::Unnamed => context.unix.sockets.bind_any(number)?,
        Address::Abstract(name) => context.unix.sockets.bind_name(number, &name)?,
    }
    Ok(0)
}

fn bind_path(context: &mut Context<'_>, number: u64, path: Vec<u8>) -> Result<(), Errno> {
    let target = context.walk(at::WORKING_DIRECTORY, &path, Last::Keep)?;
    if target.found.is_some() {
        return Err(Errno::EADDRINUSE);
    }
    if context.unix.sockets.get(number)?.address != Address::Unnamed {
        return Err(Errno::EINVAL);
    }
    let made = create(context, &target, mode::SOCKET | 0o777, 0)?;
    context.unix.files.hold(made.node)?;
    context.unix.sockets.bind_node(number, Address::Path(path), made.node)
}

/// Returns the socket that has an address.
pub(super) fn find(context: &mut Context<'_>, kind: Kind, bytes: &[u8]) -> Result<u64, Errno> {
    match Address::parse(bytes)? {
        Address::Unnamed => Err(Errno::EINVAL),
        Address::Abstract(name) => {
            context.unix.sockets.by_name(kind, &name).ok_or(Errno::ECONNREFUSED)
        }
        Address::Path(path) => {
            let target = context.walk(at::WORKING_DIRECTORY, &path, Last::Follow)?;
            let found = target.existing()?;
            if !context.own().credentials.allows(&found.attributes, want::WRITE) {
                return Err(Errno::EACCES);
            }
            if found.kind() != mode::SOCKET {
                return Err(Errno::ECONNREFUSED);
            }
            let number = context.unix.sockets.at_node(Context::real(found.node)?);
            let number = number.ok_or(Errno::ECONNREFUSED)?;
            let same = context.unix.sockets.get(number)?.kind == kind;
            if same { Ok(number) } else { Err(Errno::EPROTOTYPE) }
        }
    }
}

/// listen(2)
pub fn listen(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, most, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let who = effective(context);
    // A negative length is a large one (`__sys_listen`, net/socket.c).
    let most = u64::from(most as u32).min(MAX_BACKLOG) as usize;
    context.unix.sockets.listen(number, most, who)?;
    Ok(0)
}

/// connect(2)
pub fn connect(context: &mut Context<'_>) -> Result<u64, Stop> {
    const UNSPECIFIED: [u8; 2] = [0, 0];
    let [fd, address, len, ..] = context.words;
    let (file, number) = socket_of(context, fd)?;
    let bytes = address_in(context, address, len)?;
    let kind = context.unix.sockets.get(number)?.kind;
    if kind == Kind::Datagram {
        let to = match bytes.get(..2) {
            Some(family) if family == UNSPECIFIED => None,
            _ => Some(find(context, kind, &bytes)?),
        };
        context.unix.sockets.aim(number, to)?;
        return Ok(0);
    }
    let listener = find(context, kind, &bytes)?;
    let who = effective(context);
    if let Err(stop) = context.unix.sockets.can_connect(number, listener) {
        let timeout = context.unix.sockets.get(number)?.options.send_timeout;
        let never = file.borrow().is_non_blocking();
        return Err(wait(context, stop, never, timeout));
    }
    let new = context.unix.unique();
    context.unix.sockets.connect(number, listener, new, who)?;
    Ok(0)
}

/// accept(2)
pub fn accept(context: &mut Context<'_>) -> Result<u64, Stop> {
    accept_with(context, 0)
}

/// accept4(2)
pub fn accept4(context: &mut Context<'_>) -> Result<u64, Stop> {
    let bits = context.words[3] as u32;
    if bits & !(types::NON_BLOCKING | types::CLOSE_ON_EXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    accept_with(context, bits)
}

fn accept_with(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    let [fd, address, len_at, ..] = context.words;
    let (file, listener) = socket_of(context, fd)?;
    if !context.descriptors().has_room() {
        return Err(Errno::EMFILE.into());
    }
    let new = match context.unix.sockets.accept(listener) {
        Ok(new) => new,
        Err(stop) => {
            let timeout = context.unix.sockets.get(listener)?.options.receive_timeout;
            let never = file.borrow().is_non_blocking();
            return Err(wait(context, stop, never, timeout));
        }
    };
    let descriptor = open(context, new, bits)?;
    if address != 0 {
        let name = context.unix.sockets.get(new)?.peer_address.emit();
        if let Err(errno) = address_out(context, address, len_at, &name) {
            context.descriptors().remove(descriptor)?;
            return Err(errno.into());
        }
    }
    Ok(descriptor)
}

/// getsockname(2)
pub fn getsockname(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len_at, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let name = context.unix.sockets.get(number)?.address.emit();
    address_out(context, address, len_at, &name)?;
    Ok(0)
}

/// getpeername(2)
pub fn getpeername(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, len_at, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let socket = context.unix.sockets.get(number)?;
    let peer = socket.peer.ok_or(Errno::ENOTCONN)?;
    // A peer that is gone had the name that it had when the two were connected.
    let name = context.unix.sockets.get(peer).map_or(&socket.peer_address, |peer| &peer.address);
    let name = name.emit();
    address_out(context, address, len_at, &name)?;
    Ok(0)
}

/// shutdown(2)
pub fn shutdown(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, how, ..] = context.words;
    let (_, number) = socket_of(context, fd)?;
    let shut = match how as u32 {
        0 => Shut { receiving: true, sending: false },
        1 => Shut { receiving: false, sending: true },
        2 => Shut { receiving: true, sending: true },
        _ => return Err(Errno::EINVAL.into()),
    };
    context.unix.sockets.shut_down(number, shut)?;
    Ok(0)
}

/// Returns how many bytes a socket can be read of (`SIOCINQ`, unix(7)).
///
/// # Errors
/// EINVAL: it listens; EBADF.
pub fn bytes_ready(context: &mut Context<'_>, number: u64) -> Result<u64, Errno> {
    let socket = context.unix.sockets.get(number)?;
    if socket.backlog.is_some() { Err(Errno::EINVAL) } else { Ok(socket.bytes_ready() as u64) }
}
