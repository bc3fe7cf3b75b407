//! What a new program finds in its message page: its name, capabilities and arguments.
//!
//! ```text
//!   0: u32 magic "KST1"   4: u16 number of capabilities   6: u16 length of the name
//!   then the name, then for each capability: u16 handle, u8 length, name
//!   then u32 length and the arguments, a block of `kamen_kit::Arguments`
//! ```
//!
//! All little endian. A page without the magic is that of the first task, which nobody started.
//!
//! ```
//! use libipc::start::{EXIT_LABEL, START_MAX, Start};
//! let start = Start::parse(&Start::emit("hello", &[], b"").expect("it is short"));
//! assert_eq!(start.map(|start| start.name().len()), Some(5));
//! assert!(Start::emit("hello", &[], &[0; START_MAX]).is_none(), "too long");
//! assert_eq!(EXIT_LABEL >> 16, 4, "the process protocol");
//! ```

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use kamen_abi::{Handle, MAX_BYTES, boot};

use crate::Object;

/// Bits of the notification `events`, which init makes for a server and keeps over its lives.
///
/// The bits below are the server's own: of interrupts, timers and doorbells. A signal may be left
/// over from an earlier life, so that each bit means "look", not "it has happened".
///
/// ```
/// use libipc::start::event;
/// let bits = event::PING | 1;
/// assert_eq!(bits & event::OWN, 1, "the server's own");
/// assert_eq!(bits & event::SERVICE_RESTARTED, 0);
/// ```
pub mod event {
    /// init asks whether the server's loop still turns; the answer is a signal to `alive`.
    pub const PING: u64 = 1 << 63;
    /// A service that the program uses began another life, or was given up.
    pub const SERVICE_RESTARTED: u64 = 1 << 62;
    /// All bits that are the server's own.
    pub const OWN: u64 = SERVICE_RESTARTED - 1;
}

/// Label of the call that ends the calling program: `exit` of the process protocol.
pub const EXIT_LABEL: u32 = 4 << 16 | 5;

/// Most bytes of start information.
pub const START_MAX: usize = MAX_BYTES;

const MAGIC: u32 = u32::from_le_bytes(*b"KST1");

/// What a program knows when it starts.
///
/// ```
/// use libipc::{Endpoint, Handle, start::Start};
/// let caps = [("stdout", Handle(7))];
/// let bytes = Start::emit("hello", &caps, b"arguments").expect("it is short");
/// let start = Start::parse(&bytes).expect("it was emitted");
/// assert_eq!(start.name(), "hello");
/// assert_eq!(start.find::<Endpoint>("stdout"), Some(Endpoint(Handle(7))));
/// assert_eq!(start.find::<Endpoint>("stdin"), None);
/// assert_eq!(start.arguments(), b"arguments");
/// ```
///
/// ```
/// use libipc::start::Start;
/// // The first task is told nothing: it has what the kernel gives it.
/// let first = Start::first(4096);
/// assert!(first.capabilities().any(|(name, _)| name == "archive"));
/// assert_eq!((first.archive_len(), first.variable("log")), (4096, None));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Start {
    name: String,
    caps: Vec<(String, Handle)>,
    arguments: Box<[u8]>,
    archive_len: usize,
}

impl Start {
    /// Returns the information for the first task: what the kernel gives it, and "log".
    pub fn first(archive_len: usize) -> Self {
        let caps = [
            ("ports", boot::PORTS),
            ("log", boot::PORTS),
            ("interrupts", boot::INTERRUPTS),
            ("archive", boot::ARCHIVE),
            ("physical", boot::PHYSICAL),
        ];
        let caps = caps.map(|(name, handle)| (String::from(name), handle)).into();
        Start { name: String::from("init"), caps, archive_len, ..Start::default() }
    }

    /// Returns the bytes for a new program's message page; none if they exceed [`START_MAX`], or
    /// a name 255 bytes.
    pub fn emit(name: &str, caps: &[(&str, Handle)], arguments: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC.to_le_bytes());
        bytes.extend(u16::try_from(caps.len()).ok()?.to_le_bytes());
        bytes.extend(u16::from(u8::try_from(name.len()).ok()?).to_le_bytes());
        bytes.extend(name.as_bytes());
        for (name, handle) in caps {
            bytes.extend(handle.0.to_le_bytes());
            bytes.push(u8::try_from(name.len()).ok()?);
            bytes.extend(name.as_bytes());
        }
        bytes.extend(u32::try_from(arguments.len()).ok()?.to_le_bytes());
        bytes.extend(arguments);
        (bytes.len() <= START_MAX).then_some(bytes)
    }

    /// Returns the information in a message page's bytes, unless they are malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        if u32::from_le_bytes(take(&mut rest)?) != MAGIC {
            return None;
        }
        let count = u16::from_le_bytes(take(&mut rest)?);
        let name_len = u16::from_le_bytes(take(&mut rest)?);
        let name = take_text(&mut rest, name_len.into())?;
        let mut caps = Vec::new();
        for _ in 0..count {
            let handle = Handle(u16::from_le_bytes(take(&mut rest)?));
            let [name_len] = take(&mut rest)?;
            caps.push((take_text(&mut rest, name_len.into())?, handle));
        }
        let arguments_len = u32::from_le_bytes(take(&mut rest)?) as usize;
        let arguments = rest.split_off(..arguments_len)?.into();
        Some(Start { name, caps, arguments, archive_len: 0 })
    }

    /// Returns the program's name, as the manifest or the one who started it calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the capability of a name, in the type of the object that it should name.
    pub fn find<T: Object>(&self, name: &str) -> Option<T> {
        self.caps.iter().find(|(have, _)| have == name).map(|&(_, handle)| T::from_handle(handle))
    }

    /// Returns all capabilities with their names.
    pub fn capabilities(&self) -> impl Iterator<Item = (&str, Handle)> {
        self.caps.iter().map(|(name, handle)| (name.as_str(), *handle))
    }

    /// Returns the block of `kamen_kit::Arguments`.
    pub fn arguments(&self) -> &[u8] {
        &self.arguments
    }

    /// Returns the value of a variable of the environment, where it is text: the arguments' block
    /// is that of `kamen_kit::Arguments`, which this reads only as far as the variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let mut rest = self.arguments.strip_prefix(b"KARG")?;
        let arguments = u32::from_le_bytes(take(&mut rest)?);
        let variables = u32::from_le_bytes(take(&mut rest)?);
        // The working directory comes first.
        for _ in 0..=arguments {
            take_string(&mut rest)?;
        }
        (0..variables).map_while(|_| take_string(&mut rest)).find_map(|string| {
            core::str::from_utf8(string).ok()?.strip_prefix(name)?.strip_prefix('=')
        })
    }

    /// Returns the length in bytes of the boot archive, for the first task.
    pub fn archive_len(&self) -> usize {
        self.archive_len
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

/// Takes a string of the arguments' block: its length, and its bytes.
fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_le_bytes(take(rest)?) as usize;
    rest.split_off(..len)
}

fn take_text(rest: &mut &[u8], len: usize) -> Option<String> {
    core::str::from_utf8(rest.split_off(..len)?).ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_emit_is_the_same() {
        let caps = [("a", Handle(1)), ("b", Handle(0xfffe)), ("", Handle(3))];
        let bytes = Start::emit("name", &caps, &[1, 2, 3]).unwrap();
        let start = Start::parse(&bytes).unwrap();
        assert_eq!(start.name(), "name");
        assert!(start.capabilities().eq(caps));
        assert_eq!(start.arguments(), [1, 2, 3]);
    }

    #[test]
    fn variables_are_found_in_the_environment_only() {
        let mut block = Vec::from(*b"KARG\x02\0\0\0\x03\0\0\0");
        for string in ["/log=cwd", "prog", "log=argument", "logs=x", "log=debug", "log=late"] {
            block.extend((string.len() as u32).to_le_bytes());
            block.extend(string.as_bytes());
        }
        let start = |block: &[u8]| Start { arguments: block.into(), ..Start::default() };
        assert_eq!(start(&block).variable("log"), Some("debug"));
        assert_eq!(start(&block).variable("prog"), None);
        for len in 0..block.len() - 12 - 9 {
            assert_eq!(start(&block[..len]).variable("log"), None, "{len} bytes");
        }
        assert_eq!(start(b"KARG\xff\xff\xff\xff\xff\xff\xff\xff").variable("log"), None);
    }

    #[test]
    fn truncated_information_is_malformed() {
        let bytes = Start::emit("name", &[("cap", Handle(1))], b"arguments").unwrap();
        for len in 0..bytes.len() {
            assert_eq!(Start::parse(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn information_that_exceeds_the_page_is_not_emitted() {
        assert!(Start::emit("", &[], &[0; START_MAX - 12]).is_some());
        assert!(Start::emit("", &[], &[0; START_MAX - 11]).is_none());
        assert!(Start::emit(&"x".repeat(256), &[], &[]).is_none());
    }
}
