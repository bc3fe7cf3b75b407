//! What a socket has received: a ring of bytes with marks, or packets.
//!
//! ```text
//!   bytes   ......aaaabbbbbbbbccc          marks: who sent a part, and the descriptors with it
//!                 ^head   [begin  end)
//! ```
//!
//! A read never goes on past a part that carries descriptors, nor, where the reader asks for
//! credentials, into a part of somebody else's (unix(7), "Ancillary messages").

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::linux::sockets::{Address, Who};
use crate::open::Description;

/// What a packet or mark costs beside its bytes: about what it occupies here, and what Linux
/// counts for the smallest message (`SKB_TRUESIZE(1)`, linux/skbuff.h).
pub const OVERHEAD: usize = 768;

/// Bytes that a ring may keep room for however little lies in it: an answer and a question.
const KEPT: usize = 4096;

/// What goes with bytes.
#[derive(Clone, Default, Debug)]
pub struct Control {
    /// Descriptors.
    pub rights: Vec<Description>,
    /// Who sent them, where that was recorded.
    pub who: Option<Who>,
}

impl Control {
    /// Returns whether nothing goes with the bytes.
    pub fn is_empty(&self) -> bool {
        self.rights.is_empty() && self.who.is_none()
    }
}

/// What a receive call came to.
#[derive(Default, Debug)]
pub struct Received {
    /// Bytes that were copied.
    pub count: usize,
    /// Bytes that the message had (packets).
    pub len: usize,
    /// What came with them.
    pub control: Control,
    /// Who sent them, where it has a name.
    pub from: Option<Address>,
    /// Whether more of the same call may follow (`MSG_WAITALL`).
    pub goes_on: bool,
    /// What the queue holds less than before.
    pub freed: usize,
    /// Who paid for it.
    pub sender: u64,
}

/// How to receive.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct How {
    /// Leave everything as it is.
    pub peek: bool,
    /// Tell credentials apart.
    pub credentials: bool,
}

/// Bytes of a stream.
#[derive(Default, Debug)]
pub struct Bytes {
    bytes: VecDeque<u8>,
    /// Bytes that were taken out since the beginning.
    head: u64,
    marks: VecDeque<Mark>,
}

#[derive(Debug)]
struct Mark {
    begin: u64,
    end: u64,
    control: Control,
}

impl Bytes {
    /// Returns how many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns what all of it costs.
    pub fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD * self.marks.len()
    }

    /// Adds bytes of one sender, at least one; returns what that costs.
    pub fn push(&mut self, bytes: &[u8], control: Control) -> usize {
        let begin = self.head + self.bytes.len() as u64;
        let end = begin + bytes.len() as u64;
        self.bytes.extend(bytes);
        if control.is_empty() {
            return bytes.len();
        }
        if let Some(last) = self.marks.back_mut()
            && control.rights.is_empty()
            && last.control.rights.is_empty()
            && last.end == begin
            && last.control.who == control.who
        {
            last.end = end;
            return bytes.len();
        }
        self.marks.push_back(Mark { begin, end, control });
        bytes.len() + OVERHEAD
    }

    /// Returns whether anything goes with any of the bytes.
    pub fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Takes bytes out with which nothing goes; returns how many.
    pub fn take_plain(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.bytes.len());
        self.copy_out(&mut into[..count]);
        self.bytes.drain(..count);
        self.head += count as u64;
        self.shrink();
        count
    }

    fn copy_out(&self, into: &mut [u8]) {
        let (first, second) = self.bytes.as_slices();
        let (before, after) = into.split_at_mut(into.len().min(first.len()));
        before.copy_from_slice(&first[..before.len()]);
        after.copy_from_slice(&second[..after.len()]);
    }

    /// Copies bytes out, and takes them unless they are only looked at.
    pub fn take(&mut self, into: &mut [u8], how: How) -> Received {
        let wanted = into.len().min(self.bytes.len());
        let (count, control) = if self.marks.is_empty() {
            (wanted, Control::default())
        } else {
            self.cut(wanted, how)
        };
        self.copy_out(&mut into[..count]);
        let goes_on = control.rights.is_empty() && count == wanted && !how.peek;
        let mut received = Received { count, len: count, control, goes_on, ..Received::default() };
        if !how.peek {
            self.bytes.drain(..count);
            self.head += count as u64;
            self.shrink();
            received.freed = count + OVERHEAD * self.forget_marks();
        }
        received
    }

    /// Gives memory back that a ring no longer needs: what counts is what lies in it.
    fn shrink(&mut self) {
        let needed = 4 * self.bytes.len();
        if self.bytes.capacity() > needed.max(KEPT) {
            self.bytes.shrink_to(needed / 2);
        }
    }

    /// Returns how many of `wanted` bytes can be read in one piece, and what comes with them.
    fn cut(&mut self, wanted: usize, how: How) -> (usize, Control) {
        let (head, mut end) = (self.head, self.head + wanted as u64);
        let mut control = Control::default();
        let first = self.who_at(head);
        if how.credentials {
            control.who = first;
            let other = |mark: &&Mark| mark.begin > head && mark.begin < end;
            let changes = self.marks.iter().take_while(|mark| mark.begin < end).filter(other);
            let change = changes.map(|mark| (mark.begin, mark.control.who));
            let change = change.chain(self.gap(head).map(|at| (at, None)));
            let change = change.filter(|&(_, who)| who != first).map(|(at, _)| at).min();
            end = end.min(change.unwrap_or(end));
        }
        let carries = |mark: &&mut Mark| !mark.control.rights.is_empty();
        if let Some(mark) = self.marks.iter_mut().find(carries)
            && mark.begin < end
            && wanted != 0
        {
            control.rights = match how.peek {
                true => mark.control.rights.clone(),
                false => core::mem::take(&mut mark.control.rights),
            };
            end = end.min(mark.end);
        }
        ((end - head) as usize, control)
    }

    fn who_at(&self, at: u64) -> Option<Who> {
        let mark = self.marks.iter().find(|mark| mark.begin <= at && at < mark.end)?;
        mark.control.who
    }

    /// Returns where the part at `at` ends, if bytes of no mark follow it.
    fn gap(&self, at: u64) -> Option<u64> {
        let mark = self.marks.iter().find(|mark| mark.begin <= at && at < mark.end)?;
        let next = self.marks.iter().find(|other| other.begin == mark.end);
        if next.is_some() { None } else { Some(mark.end) }
    }

    /// Forgets the marks of bytes that are gone; returns how many.
    fn forget_marks(&mut self) -> usize {
        let before = self.marks.len();
        while self.marks.front().is_some_and(|mark| mark.end <= self.head) {
            self.marks.pop_front();
        }
        before - self.marks.len()
    }

    /// Returns the descriptors in it.
    pub fn rights(&self) -> impl Iterator<Item = &Description> {
        self.marks.iter().flat_map(|mark| &mark.control.rights)
    }
}

/// One message.
#[derive(Debug)]
pub struct Packet {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What goes with them.
    pub control: Control,
    /// The name of the socket that sent it.
    pub from: Option<Address>,
    /// The number of that socket.
    pub sender: u64,
}

impl Packet {
    /// Returns what it costs.
    pub fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// Messages, each received as a whole.
pub type Packets = VecDeque<Packet>;

/// Takes the first message, or looks at it; what does not fit is lost.
pub fn take_packet(packets: &mut Packets, into: &mut [u8], how: How) -> Option<Received> {
    let front = packets.front()?;
    let (len, sender) = (front.bytes.len(), front.sender);
    let count = into.len().min(len);
    into[..count].copy_from_slice(&front.bytes[..count]);
    let (control, from, freed) = if how.peek {
        (front.control.clone(), front.from.clone(), 0)
    } else {
        let freed = front.cost();
        let packet = packets.pop_front()?;
        (packet.control, packet.from, freed)
    };
    Some(Received { count, len, control, from, goes_on: false, freed, sender })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Device, Object, OpenFile};

    const TAKE: How = How { peek: false, credentials: false };
    const WHO: Who = Who { pid: 7, uid: 0, gid: 0 };
    const OTHER: Who = Who { pid: 8, uid: 0, gid: 0 };

    fn new_file(object: Object) -> Description {
        let kept = crate::kept::Kept::in_own_memory().tables;
        OpenFile::new(kept, object, 0, Vec::new()).unwrap()
    }

    fn rights() -> Control {
        let file = new_file(Object::Device(Device::Null, None));
        Control { rights: alloc::vec![file], who: None }
    }

    fn by(who: Who) -> Control {
        Control { rights: Vec::new(), who: Some(who) }
    }

    #[test]
    fn a_read_ends_behind_the_part_with_descriptors() {
        let mut bytes = Bytes::default();
        let mut cost = bytes.push(b"plain", Control::default());
        cost += bytes.push(b"carry", rights());
        cost += bytes.push(b"after", Control::default());
        let mut into = [0; 20];
        let peeked = bytes.take(&mut into, How { peek: true, ..TAKE });
        assert_eq!((peeked.count, peeked.control.rights.len(), peeked.freed), (10, 1, 0));
        let first = bytes.take(&mut into[..7], TAKE);
        assert_eq!((first.count, first.control.rights.len(), first.goes_on), (7, 1, false));
        let second = bytes.take(&mut into, TAKE);
        assert_eq!((second.count, second.control.rights.len()), (8, 0));
        assert_eq!(&into[..8], b"rryafter");
        assert_eq!(first.freed + second.freed, cost);
        assert!(bytes.is_empty() && bytes.marks.is_empty());
    }

    #[test]
    fn descriptors_of_two_messages_come_one_after_the_other() {
        let mut bytes = Bytes::default();
        bytes.push(b"a", rights());
        bytes.push(b"b", rights());
        for _ in 0..2 {
            let received = bytes.take(&mut [0; 9], TAKE);
            assert_eq!((received.count, received.control.rights.len()), (1, 1));
        }
    }

    #[test]
    fn credentials_are_told_apart_only_where_asked() {
        let mut bytes = Bytes::default();
        for (part, who) in [(b"aa", WHO), (b"bb", WHO), (b"cc", OTHER)] {
            bytes.push(part, by(who));
        }
        assert_eq!(bytes.marks.len(), 2);
        bytes.push(b"dd", Control::default());
        let how = How { credentials: true, peek: false };
        for (count, who) in [(4, Some(WHO)), (2, Some(OTHER)), (2, None)] {
            let received = bytes.take(&mut [0; 20], how);
            assert_eq!((received.count, received.control.who), (count, who));
        }
        bytes.push(b"aa", by(WHO));
        bytes.push(b"bb", by(OTHER));
        assert_eq!(bytes.take(&mut [0; 20], TAKE).count, 4);
    }

    #[test]
    fn a_ring_that_was_large_gives_its_memory_back() {
        let mut bytes = Bytes::default();
        bytes.push(&[7; 200_000], Control::default());
        let mut into = alloc::vec![0; 200_000];
        bytes.take(&mut into[..199_999], TAKE);
        assert!(bytes.bytes.capacity() <= KEPT);
        assert_eq!((bytes.take(&mut into, TAKE).count, into[0]), (1, 7));
        bytes.push(&[7; 1000], Control::default());
        let before = bytes.bytes.capacity();
        bytes.take(&mut into, TAKE);
        assert_eq!(bytes.bytes.capacity(), before);
    }

    #[test]
    fn a_packet_is_cut_and_its_rest_is_lost() {
        let packet = |bytes: &[u8]| Packet {
            bytes: bytes.to_vec(),
            control: Control::default(),
            from: None,
            sender: 1,
        };
        let mut packets = Packets::from([packet(b"12345"), packet(b"")]);
        let received = take_packet(&mut packets, &mut [0; 3], TAKE).unwrap();
        assert_eq!((received.count, received.len, received.freed), (3, 5, 5 + OVERHEAD));
        assert_eq!(take_packet(&mut packets, &mut [0; 3], TAKE).unwrap().len, 0);
        assert!(take_packet(&mut packets, &mut [0; 3], TAKE).is_none());
    }
}
