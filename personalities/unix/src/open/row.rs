//! Open file descriptions in kept memory.
//!
//! ```text
//!   kind        object              detail
//!   File        node
//!   Directory   node                                       the path is the directory's
//!   Pipe        row of the pipe     1 + writers there had been, 0: there was one
//!   Device      its number          node
//!   Stream      capability          kind << 1 | whether it is deleted with the last user
//!   Other       what has no place here yet (sockets, events, terminals, texts of /proc)
//! ```

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::{Endpoint, Handle};
use protocols::file::Node;
use protocols::stream::StreamKind;

use crate::Errno;
use crate::kept::{Row, Tables, file, texts};
use crate::open::{Closed, Description, Device, HeldNode, Object, OpenFile, Stream};
use crate::path::{Directory, VNode};
use crate::pipe::{Direction, Pipes};

const FILE: u64 = 1;
const DIRECTORY: u64 = 2;
/// And one more for each direction.
const PIPE: u64 = 3;
const DEVICE: u64 = 6;
const STREAM: u64 = 7;
const OTHER: u64 = 8;

const DIRECTIONS: [Direction; 3] = [Direction::Read, Direction::Write, Direction::Both];
const DEVICES: [Device; 4] = [Device::Null, Device::Zero, Device::Full, Device::Random];
const STREAMS: [StreamKind; 3] = [StreamKind::Terminal, StreamKind::Pipe, StreamKind::File];

/// Keeps a description; returns its row.
///
/// # Errors
/// ENFILE: there is no room.
pub(super) fn keep(kept: &Tables, object: &Object, flags: u32, path: &[u8]) -> Result<Row, Errno> {
    let row = kept.files.take().ok_or(Errno::ENFILE)?;
    let (head, rest) = path.split_at(path.len().min(file::PATH_BYTES));
    let rest = texts::put(&kept.chunks, rest).map_err(|_| {
        kept.files.free(row);
        Errno::ENFILE
    })?;
    let (kind, object, detail) = encode(object);
    let kind = u64::from(flags) << 32 | kind;
    kept.files.put_all(row, 0, &[kind, 0, object, detail, path.len() as u64, rest]);
    texts::put_words(&kept.files, row, file::PATH, head);
    Ok(row)
}

/// Gives a description up.
pub(crate) fn forget(kept: &Tables, row: Row) {
    texts::free(&kept.chunks, kept.files.get(row, file::PATH_REST));
    kept.files.free(row);
}

fn encode(object: &Object) -> (u64, u64, u64) {
    match object {
        Object::File(held) => (FILE, held.node().0, 0),
        Object::Directory(Directory { node: VNode::File(node), .. }) => (DIRECTORY, node.0, 0),
        Object::Pipe(end) => {
            let direction = DIRECTIONS.iter().position(|&one| one == end.direction());
            let opened_after = end.opened_after().map_or(0, |writers| writers + 1);
            (PIPE + direction.unwrap_or(0) as u64, end.row().to_word(), opened_after)
        }
        Object::Device(device, held) => {
            let number = DEVICES.iter().position(|one| one == device).unwrap_or(0);
            (DEVICE, number as u64, held.as_ref().map_or(0, |held| held.node().0))
        }
        Object::Stream(stream) => {
            let kind = STREAMS.iter().position(|&one| one == stream.kind()).unwrap_or(0);
            let detail = (kind as u64) << 1 | u64::from(stream.is_owned());
            (STREAM, u64::from(stream.endpoint().0.0), detail)
        }
        Object::Directory(Directory { node: VNode::Proc(_), .. })
        | Object::Pty(_)
        | Object::Text(..)
        | Object::Numbered(_) => (OTHER, 0, 0),
    }
}

/// Returns what an earlier life had open; nothing for what has no place here yet.
pub fn take_up(
    kept: &'static Tables,
    row: Row,
    pipes: &Pipes,
    closed: &Closed,
) -> Option<Description> {
    let field = |field| kept.files.get(row, field);
    let (object, detail) = (field(file::OBJECT), field(file::DETAIL));
    let held = |node| HeldNode::new(Node(node), closed);
    let len = field(file::PATH_LEN) as usize;
    let head = texts::words(&kept.files, row, file::PATH, len.min(file::PATH_BYTES));
    let mut path: Vec<u8> = head.collect();
    path.extend(texts::get(&kept.chunks, field(file::PATH_REST), len - path.len()));
    let kind = field(file::KIND);
    let object = match kind & u64::from(u32::MAX) {
        FILE => Object::File(held(object)),
        DIRECTORY => {
            let node = VNode::File(Node(object));
            Object::Directory(Directory { node, path: path.clone() })
        }
        kind @ PIPE..DEVICE => {
            let direction = *DIRECTIONS.get((kind - PIPE) as usize)?;
            Object::Pipe(pipes.end_of(Row::from_word(object)?, direction, detail.checked_sub(1))?)
        }
        DEVICE => {
            let held = Some(detail).filter(|&node| node != 0).map(held);
            Object::Device(*DEVICES.get(object as usize)?, held)
        }
        STREAM => {
            let endpoint = Endpoint(Handle(object as u16));
            let kind = *STREAMS.get((detail >> 1) as usize)?;
            let is_owned = detail & 1 != 0;
            let make = if is_owned { Stream::owned } else { Stream::kept };
            Object::Stream(make(endpoint, kind, closed))
        }
        _ => return None,
    };
    let (flags, offset) = ((kind >> 32) as u32, field(file::OFFSET));
    let (locker, watch) = (None, None);
    Some(Rc::new(RefCell::new(OpenFile { kept, row, object, offset, flags, path, locker, watch })))
}
