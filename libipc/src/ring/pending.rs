//! What a client has in flight, by token.

use alloc::vec::Vec;

/// What a client remembers of each submission until its completion comes.
///
/// Tokens are given out here, so that one that the server makes up, or brings twice, is found to
/// be none; and what was in flight when a server ended can be submitted again.
///
/// ```
/// use libipc::ring::Pending;
/// let mut pending = Pending::new();
/// let token = pending.insert("sector 7");
/// assert_eq!(pending.remove(token), Some("sector 7"));
/// assert_eq!(pending.remove(token), None);
/// let next = pending.insert("sector 8");
/// assert_ne!(next, token);
/// assert_eq!(pending.iter().collect::<Vec<_>>(), [(next, &"sector 8")]);
/// ```
#[derive(Clone, Debug)]
pub struct Pending<T> {
    slots: Vec<Slot<T>>,
    /// Slots that hold nothing.
    free: Vec<u16>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// How often the slot was used: the upper half of its tokens.
    turn: u16,
    value: Option<T>,
}

impl<T> Pending<T> {
    /// Returns one that holds nothing.
    pub const fn new() -> Self {
        Pending { slots: Vec::new(), free: Vec::new() }
    }

    /// Keeps a value; returns the token for it. There is room for more than any ring's entries.
    ///
    /// # Panics
    /// 65,536 values are kept already.
    pub fn insert(&mut self, value: T) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u16::try_from(self.slots.len()).expect("a ring has fewer entries");
            self.slots.push(Slot { turn: 0, value: None });
            index
        });
        let slot = &mut self.slots[usize::from(index)];
        slot.turn = slot.turn.wrapping_add(1);
        slot.value = Some(value);
        u32::from(slot.turn) << 16 | u32::from(index)
    }

    /// Returns what is kept for a token; none if it is not one of those given out.
    ///
    /// ```
    /// use libipc::ring::Pending;
    /// let mut pending = Pending::new();
    /// let token = pending.insert("sector 7");
    /// assert_eq!(pending.get(token), Some(&"sector 7"));
    /// assert_eq!(pending.get(token + 1), None);
    /// ```
    pub fn get(&self, token: u32) -> Option<&T> {
        let slot = self.slots.get(token as usize & 0xffff)?;
        slot.value.as_ref().filter(|_| u32::from(slot.turn) == token >> 16)
    }

    /// Takes what is kept for a token; none if it is not one of those given out.
    pub fn remove(&mut self, token: u32) -> Option<T> {
        self.get(token)?;
        let value = self.slots.get_mut(token as usize & 0xffff)?.value.take();
        self.free.push(token as u16);
        value
    }

    /// Returns how many values are kept.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Returns whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all values with their tokens, to be submitted again after a reset.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let token = u32::from(slot.turn) << 16 | index as u32;
            slot.value.as_ref().map(|value| (token, value))
        })
    }
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Pending::new()
    }
}
