//! Numbers of sockets, and the structures that their calls read and write.
#![expect(missing_docs, reason = "the names are Linux's, explained in its manual")]

use alloc::vec::Vec;

use crate::Errno;
use crate::linux::structures::Fields;

/// `AF_UNIX` (linux/socket.h).
pub const AF_UNIX: u16 = 1;
/// `SOL_SOCKET` (asm-generic/socket.h).
pub const SOL_SOCKET: u64 = 1;

/// Types and flags of socket(2), linux/net.h.
pub mod kind {
    pub const STREAM: u32 = 1;
    pub const DATAGRAM: u32 = 2;
    pub const RAW: u32 = 3;
    pub const SEQUENCED: u32 = 5;
    /// The bits of the type; the rest are flags.
    pub const MASK: u32 = 0xf;
    pub const NON_BLOCKING: u32 = 0o4000;
    pub const CLOSE_ON_EXEC: u32 = 0o2_000_000;
}

/// Flags of send(2) and recv(2), linux/socket.h.
pub mod message {
    pub const OUT_OF_BAND: u32 = 1;
    pub const PEEK: u32 = 2;
    pub const CONTROL_TRUNCATED: u32 = 8;
    pub const TRUNCATED: u32 = 0x20;
    pub const DONT_WAIT: u32 = 0x40;
    pub const END_OF_RECORD: u32 = 0x80;
    pub const WAIT_ALL: u32 = 0x100;
    pub const NO_SIGNAL: u32 = 0x4000;
    pub const WAIT_FOR_ONE: u32 = 0x1_0000;
    pub const CLOSE_ON_EXEC: u32 = 0x4000_0000;
}

/// Options of getsockopt(2) at `SOL_SOCKET`, asm-generic/socket.h.
pub mod option {
    pub const DEBUG: u64 = 1;
    pub const REUSE_ADDRESS: u64 = 2;
    pub const TYPE: u64 = 3;
    pub const ERROR: u64 = 4;
    pub const DONT_ROUTE: u64 = 5;
    pub const BROADCAST: u64 = 6;
    pub const SEND_BUFFER: u64 = 7;
    pub const RECEIVE_BUFFER: u64 = 8;
    pub const KEEP_ALIVE: u64 = 9;
    pub const OUT_OF_BAND_INLINE: u64 = 10;
    pub const PRIORITY: u64 = 12;
    pub const LINGER: u64 = 13;
    pub const REUSE_PORT: u64 = 15;
    pub const PASS_CREDENTIALS: u64 = 16;
    pub const PEER_CREDENTIALS: u64 = 17;
    pub const RECEIVE_LOW: u64 = 18;
    pub const SEND_LOW: u64 = 19;
    pub const RECEIVE_TIMEOUT: u64 = 20;
    pub const SEND_TIMEOUT: u64 = 21;
    pub const ACCEPTS: u64 = 30;
    pub const SEND_BUFFER_FORCE: u64 = 32;
    pub const RECEIVE_BUFFER_FORCE: u64 = 33;
    pub const PROTOCOL: u64 = 38;
    pub const DOMAIN: u64 = 39;
    pub const PEER_GROUPS: u64 = 59;
}

/// Types of control messages at `SOL_SOCKET`, linux/socket.h.
pub mod control {
    pub const RIGHTS: u32 = 1;
    pub const CREDENTIALS: u32 = 2;
}

/// Who a process is, as sockets tell it (`struct ucred`, unix(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    pub pid: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Who {
    /// Bytes of `struct ucred`.
    pub const BYTES: usize = 12;
    /// Nobody in particular: process 0, the overflow user and group (linux/highuid.h).
    pub const NOBODY: Who = Who { pid: 0, uid: 65_534, gid: 65_534 };

    /// Returns `struct ucred`.
    pub fn emit(&self) -> Vec<u8> {
        Fields::default().u32(self.pid).u32(self.uid).u32(self.gid).0
    }

    /// Returns what a `struct ucred` says.
    pub fn parse(bytes: &[u8]) -> Option<Who> {
        Some(Who { pid: word(bytes, 0)?, uid: word(bytes, 4)?, gid: word(bytes, 8)? })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The name of a socket (`struct sockaddr_un`, unix(7) "Address format").
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Address {
    /// It has none.
    Unnamed,
    /// A path, without the NUL that ends it.
    Path(Vec<u8>),
    /// A name outside the file tree, without the NUL that begins it.
    Abstract(Vec<u8>),
}

impl Address {
    /// Bytes of `struct sockaddr_un`.
    pub const MOST_BYTES: usize = 110;
    /// Bytes of the family before the name.
    const FAMILY_BYTES: usize = 2;

    /// Returns the address in the bytes that a program passed.
    ///
    /// # Errors
    /// EINVAL: the length, or the family.
    pub fn parse(bytes: &[u8]) -> Result<Address, Errno> {
        let (family, name) = bytes.split_at_checked(Self::FAMILY_BYTES).ok_or(Errno::EINVAL)?;
        if bytes.len() > Self::MOST_BYTES || family != AF_UNIX.to_le_bytes() {
            return Err(Errno::EINVAL);
        }
        Ok(match name {
            [] => Address::Unnamed,
            [0, rest @ ..] => Address::Abstract(rest.to_vec()),
            path => {
                let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
                Address::Path(path[..end].to_vec())
            }
        })
    }

    /// Returns the bytes that a program gets.
    pub fn emit(&self) -> Vec<u8> {
        let family = AF_UNIX.to_le_bytes();
        match self {
            Address::Unnamed => family.to_vec(),
            Address::Path(path) => [&family[..], path, &[0]].concat(),
            Address::Abstract(name) => [&family[..], &[0], name].concat(),
        }
    }
}

/// The header of a message (`struct msghdr`, linux/socket.h `struct user_msghdr`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub name: u64,
    pub name_len: u32,
    pub ranges: u64,
    pub range_count: u64,
    pub control: u64,
    pub control_len: u64,
}

impl Header {
    /// Bytes of the structure.
    pub const BYTES: u64 = 56;
    /// Where the length of the name is.
    pub const NAME_LEN_AT: u64 = 8;
    /// Where the length of the control messages is; the flags follow it.
    pub const CONTROL_LEN_AT: u64 = 40;

    /// Returns the header in the bytes that a program passed.
    pub fn parse(bytes: &[u8; Self::BYTES as usize]) -> Header {
        let word = |at: usize| {
            bytes[at..at + 8].iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte))
        };
        Header {
            name: word(0),
            name_len: word(8) as u32,
            ranges: word(16),
            range_count: word(24),
            control: word(32),
            control_len: word(40),
        }
    }
}

/// Bytes of `struct cmsghdr` before its data (linux/socket.h).
pub const CONTROL_HEADER: usize = 16;

/// A control message: level, type and data.
pub type Message<'b> = (u32, u32, &'b [u8]);

/// Returns the control messages in a buffer.
///
/// # Errors
/// EINVAL: a length that does not fit (`CMSG_OK`, linux/socket.h).
pub fn control_messages(bytes: &[u8]) -> Result<Vec<Message<'_>>, Errno> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    while let Some((header, _)) = rest.split_at_checked(CONTROL_HEADER) {
        let len = header[..8].iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
        let data = rest.get(CONTROL_HEADER..len).ok_or(Errno::EINVAL)?;
        let number = |at| word(header, at).ok_or(Errno::EINVAL);
        messages.push((number(8)?, number(12)?, data));
        rest = rest.get(len.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Ok(messages)
}

/// Returns a control message at `SOL_SOCKET`, with the padding that follows it.
pub fn control_message(kind: u32, data: &[u8]) -> Vec<u8> {
    let len = CONTROL_HEADER + data.len();
    let fields = Fields::default().u64(len as u64).u32(SOL_SOCKET as u32).u32(kind);
    let mut bytes = fields.0;
    bytes.extend_from_slice(data);
    bytes.resize(len.next_multiple_of(8), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_encoding() {
        let names = [
            Address::Unnamed,
            Address::Path(b"/tmp/s".to_vec()),
            Address::Abstract(b"a\0b".to_vec()),
            Address::Abstract(b"".to_vec()),
        ];
        for name in names {
            assert_eq!(Address::parse(&name.emit()), Ok(name));
        }
        assert_eq!(Address::parse(&[1]), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&[2, 0, 1]), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&[1, 0].repeat(56)), Err(Errno::EINVAL));
    }

    #[test]
    fn control_messages_survive_encoding_and_bad_lengths_are_refused() {
        let bytes = [control_message(1, &[7; 4]), control_message(2, &[8; 12])].concat();
        let parsed = control_messages(&bytes).unwrap();
        assert_eq!(parsed, [(1, 1, &[7u8; 4][..]), (1, 2, &[8u8; 12][..])]);
        for len in [0u64, 15, 1000, u64::MAX] {
            let mut bytes = control_message(1, &[7; 4]);
            bytes[..8].copy_from_slice(&len.to_le_bytes());
            assert_eq!(control_messages(&bytes), Err(Errno::EINVAL));
        }
        assert_eq!(control_messages(&[0; 5]), Ok(Vec::new()));
    }
}
