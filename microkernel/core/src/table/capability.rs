//! Capabilities, and the four words that a slot of a table keeps of each.
//!
//! ```text
//!   word 0   an object's name in its arena; first | last << 16 of ports and interrupts;
//!            first | last << 32 of frames
//!   word 1   badge
//!   word 2   kind | rights << 16; 0: the slot is empty
//!   word 3   unused
//! ```

use kamen_abi::{Error, ObjectKind, Rights};

use crate::arena::Id;
use crate::deadline::Timer;
use crate::endpoint::Endpoint;
use crate::memory::Memory;
use crate::notification::Notification;
use crate::quota::Quota;
use crate::space::Space;
use crate::table::Table;
use crate::thread::Thread;

/// What a capability refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    Thread(Id<Thread>),
    Space(Id<Space>),
    Table(Id<Table>),
    Endpoint(Id<Endpoint>),
    Notification(Id<Notification>),
    Memory(Id<Memory>),
    Timer(Id<Timer>),
    Quota(Id<Quota>),
    /// I/O ports, first to last.
    Ports(u16, u16),
    /// Interrupt lines, first to last.
    Interrupt(u16, u16),
    /// Frames of physical memory, first to last.
    Physical(u32, u32),
    /// The kernel's trace.
    Trace,
}

impl Object {
    /// Returns the kind as user space knows it.
    pub fn kind(self) -> ObjectKind {
        match self {
            Object::Thread(_) => ObjectKind::Thread,
            Object::Space(_) => ObjectKind::Space,
            Object::Table(_) => ObjectKind::Table,
            Object::Endpoint(_) => ObjectKind::Endpoint,
            Object::Notification(_) => ObjectKind::Notification,
            Object::Memory(_) => ObjectKind::Memory,
            Object::Timer(_) => ObjectKind::Timer,
            Object::Quota(_) => ObjectKind::Quota,
            Object::Ports(..) => ObjectKind::Ports,
            Object::Interrupt(..) => ObjectKind::Interrupt,
            Object::Physical(..) => ObjectKind::Physical,
            Object::Trace => ObjectKind::Trace,
        }
    }

    fn word(self) -> u64 {
        match self {
            Object::Thread(id) => id.raw(),
            Object::Space(id) => id.raw(),
            Object::Table(id) => id.raw(),
            Object::Endpoint(id) => id.raw(),
            Object::Notification(id) => id.raw(),
            Object::Memory(id) => id.raw(),
            Object::Timer(id) => id.raw(),
            Object::Quota(id) => id.raw(),
            Object::Ports(first, last) | Object::Interrupt(first, last) => {
                first as u64 | (last as u64) << 16
            }
            Object::Physical(first, last) => first as u64 | (last as u64) << 32,
            Object::Trace => 0,
        }
    }

    #[inline]
    fn from_word(kind: ObjectKind, word: u64) -> Option<Self> {
        Some(match kind {
            ObjectKind::Thread => Object::Thread(Id::from_raw(word)?),
            ObjectKind::Space => Object::Space(Id::from_raw(word)?),
            ObjectKind::Table => Object::Table(Id::from_raw(word)?),
            ObjectKind::Endpoint => Object::Endpoint(Id::from_raw(word)?),
            ObjectKind::Notification => Object::Notification(Id::from_raw(word)?),
            ObjectKind::Memory => Object::Memory(Id::from_raw(word)?),
            ObjectKind::Timer => Object::Timer(Id::from_raw(word)?),
            ObjectKind::Quota => Object::Quota(Id::from_raw(word)?),
            ObjectKind::Ports => Object::Ports(word as u16, (word >> 16) as u16),
            ObjectKind::Interrupt => Object::Interrupt(word as u16, (word >> 16) as u16),
            ObjectKind::Physical => Object::Physical(word as u32, (word >> 32) as u32),
            ObjectKind::Trace => Object::Trace,
        })
    }
}

/// An object and what may be done with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    /// The object; it may have been destroyed since.
    pub object: Object,
    /// What the holder may do.
    pub rights: Rights,
    /// What a receiver sees of a message sent through it; 0: none yet.
    pub badge: u64,
}

/// Words that a capability is kept in, besides one that is not used.
pub(super) const WORDS: usize = 3;
/// The place of the badge in them.
pub(super) const BADGE: usize = 1;
/// The place of kind and rights in them.
pub(super) const HEADER: usize = 2;
/// Kind and rights of an empty slot.
pub(super) const EMPTY: u64 = 0;
const KIND_BITS: u32 = 16;

/// Returns the word of a kind and rights.
#[inline(always)]
pub(super) const fn header(kind: ObjectKind, rights: Rights) -> u64 {
    kind as u64 | (rights.0 as u64) << KIND_BITS
}

/// Returns whether a slot's header has that kind, and the rights at least.
#[inline(always)]
pub(super) const fn allows(found: u64, kind: ObjectKind, rights: Rights) -> bool {
    let relevant = ((1 << KIND_BITS) - 1) | ((rights.0 as u64) << KIND_BITS);
    found & relevant == header(kind, rights)
}

/// Returns the rights of a header.
#[inline(always)]
pub(super) const fn allowed(header: u64) -> Rights {
    Rights((header >> KIND_BITS) as u16)
}

/// Returns why a header does not allow what it was asked for with these rights.
#[cold]
pub(super) fn refusal(header: u64, rights: Rights) -> Error {
    if header == EMPTY {
        Error::InvalidHandle
    } else if !allowed(header).contains(rights) {
        Error::NoRights
    } else {
        Error::WrongKind
    }
}

impl Capability {
    /// Returns the words that keep it.
    pub(super) fn words(self) -> [u64; WORDS] {
        [self.object.word(), self.badge, header(self.object.kind(), self.rights)]
    }

    /// Returns what the words keep; nothing where they are those of an empty slot.
    #[inline]
    pub(super) fn from_words(words: [u64; WORDS]) -> Option<Self> {
        let [object, badge, header] = words;
        let kind = ObjectKind::from_number(header & ((1 << KIND_BITS) - 1))?;
        let object = Object::from_word(kind, object)?;
        Some(Capability { object, rights: allowed(header), badge })
    }
}

#[cfg(test)]
mod tests {
    use kamen_abi::{ObjectKind, Rights};
    use proptest::prelude::*;
    use std::vec;

    use super::{Capability, Object, allows, header};
    use crate::arena::Id;

    fn id<T: 'static>() -> impl Strategy<Value = Id<T>> {
        (1..=u64::MAX).prop_map(|raw| Id::from_raw(raw).unwrap())
    }

    fn object() -> impl Strategy<Value = Object> {
        prop_oneof![
            id().prop_map(Object::Thread),
            id().prop_map(Object::Space),
            id().prop_map(Object::Table),
            id().prop_map(Object::Endpoint),
            id().prop_map(Object::Notification),
            id().prop_map(Object::Memory),
            id().prop_map(Object::Timer),
            id().prop_map(Object::Quota),
            any::<(u16, u16)>().prop_map(|(first, last)| Object::Ports(first, last)),
            any::<(u16, u16)>().prop_map(|(first, last)| Object::Interrupt(first, last)),
            any::<(u32, u32)>().prop_map(|(first, last)| Object::Physical(first, last)),
            Just(Object::Trace),
        ]
    }

    proptest! {
        #[test]
        fn what_is_kept_in_words_comes_back(object in object(), rights: u16, badge: u64) {
            let capability = Capability { object, rights: Rights(rights), badge };
            prop_assert_eq!(Capability::from_words(capability.words()), Some(capability));
        }

        #[test]
        fn a_header_allows_its_own_kind_and_subsets_of_its_rights(
            one in 1..=12u64, other in 1..=12u64, has: u16, wants: u16,
        ) {
            let [kind, wanted] = [one, other].map(|n| ObjectKind::from_number(n).unwrap());
            let allowed = one == other && has & wants == wants;
            prop_assert_eq!(allows(header(kind, Rights(has)), wanted, Rights(wants)), allowed);
        }
    }

    #[test]
    fn an_empty_slot_holds_nothing() {
        assert_eq!(Capability::from_words([0; 3]), None);
        assert!(!allows(0, ObjectKind::Endpoint, Rights::NONE));
    }
}
